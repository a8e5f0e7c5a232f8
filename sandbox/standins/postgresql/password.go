package postgresql

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// verifies tells whether a password is the one behind what pg_shadow stores: SCRAM-SHA-256 (RFC 5803 form), md5, or,
// for a password given already hashed, the same text.
func verifies(stored, role, password string) bool {
	if stored == password {
		return true
	}
	if digest, ok := strings.CutPrefix(stored, "md5"); ok {
		sum := md5.Sum([]byte(password + role))
		return digest == hex.EncodeToString(sum[:])
	}
	verifier, err := parseVerifier(stored)
	if err != nil {
		return false
	}
	salted, err := pbkdf2.Key(sha256.New, password, verifier.salt, verifier.iterations, sha256.Size)
	if err != nil {
		return false
	}
	client := hmac.New(sha256.New, salted)
	client.Write([]byte("Client Key"))
	storedKey := sha256.Sum256(client.Sum(nil))
	return hmac.Equal(storedKey[:], verifier.storedKey)
}

type verifier struct {
	iterations int
	salt       []byte
	storedKey  []byte
}

// parseVerifier reads SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>.
func parseVerifier(stored string) (verifier, error) {
	parts := strings.FieldsFunc(stored, func(r rune) bool { return r == '$' || r == ':' })
	if len(parts) != 5 || parts[0] != "SCRAM-SHA-256" {
		return verifier{}, fmt.Errorf("not a SCRAM-SHA-256 verifier")
	}
	iterations, err := strconv.Atoi(parts[1])
	if err != nil {
		return verifier{}, err
	}
	salt, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return verifier{}, err
	}
	storedKey, err := base64.StdEncoding.DecodeString(parts[3])
	return verifier{iterations: iterations, salt: salt, storedKey: storedKey}, err
}
