package dolibarr

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

const sealedPrefix = "dolcrypt:AES-256-CTR:"

// Seal encrypts as Dolibarr's dolEncrypt does, with the instance's unique id as key: what one instance sealed, another
// with its own id cannot read. The seed follows from id and text, so that the same seed data gives the same rows.
func Seal(uniqueID, text string) string {
	mac := hmac.New(sha256.New, []byte(uniqueID))
	mac.Write([]byte(text))
	seed := hex.EncodeToString(mac.Sum(nil))[:16]
	return sealedPrefix + seed + ":" + base64.StdEncoding.EncodeToString(counterMode(uniqueID, seed, []byte(text)))
}

// Open reads what Seal wrote. With another unique id the result is noise, as in Dolibarr: the mode carries no checksum.
// Text that is not sealed comes back as it is.
func Open(uniqueID, sealed string) (string, error) {
	rest, ok := strings.CutPrefix(sealed, sealedPrefix)
	if !ok {
		return sealed, nil
	}
	seed, encoded, ok := strings.Cut(rest, ":")
	if !ok || len(seed) != aes.BlockSize {
		return "", errors.New("not in the form dolcrypt:AES-256-CTR:seed:text")
	}
	bytes, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", err
	}
	return string(counterMode(uniqueID, seed, bytes)), nil
}

// counterMode uses the key as OpenSSL does in PHP: cut or filled with zeros to 32 bytes.
func counterMode(uniqueID, seed string, text []byte) []byte {
	key := make([]byte, 32)
	copy(key, uniqueID)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // Only a key of a wrong length fails, and this one has 32 bytes.
	}
	out := make([]byte, len(text))
	cipher.NewCTR(block, []byte(seed)).XORKeyStream(out, text)
	return out
}
