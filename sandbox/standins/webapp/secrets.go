package webapp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Credentials are the leased database user. They must never be printed.
type Credentials struct {
	Username string
	Password string
}

// ReadCredentials reads username and password from the files of the mounted Secret. Read for every round trip: the
// kubelet replaces the files when the secrets operator has rotated the lease.
func ReadCredentials(dir string) (Credentials, error) {
	username, err := readSecret(dir, "username")
	if err != nil {
		return Credentials{}, err
	}
	password, err := readSecret(dir, "password")
	if err != nil {
		return Credentials{}, err
	}
	return Credentials{Username: username, Password: password}, nil
}

// ReadSettings reads the key-value config: one file a key, as Kubernetes mounts a Secret. Names that begin with a dot
// are the kubelet's own; "_raw" is the operator's copy of Vault's whole answer, version and time included.
func ReadSettings(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, &Failure{Link: LinkSecret, Reason: "secret file missing", Detail: plainPathError(err), cause: err}
	}
	settings := map[string]string{}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") || name == "_raw" {
			continue
		}
		if settings[name], err = readSecret(dir, name); err != nil {
			return nil, err
		}
	}
	if len(settings) == 0 {
		return nil, &Failure{Link: LinkSecret, Reason: "secret is empty", Detail: dir + " holds no key"}
	}
	return settings, nil
}

// Fingerprint identifies the settings without revealing them: keyed by the instance, so that equal values of two
// instances do not show as equal.
func Fingerprint(instance string, settings map[string]string) string {
	digest := hmac.New(sha256.New, []byte(instance))
	keys := Keys(settings)
	for _, key := range keys {
		// Lengths make the encoding unambiguous: {a: "b=c"} and {"a=b": "c"} differ.
		fmt.Fprintf(digest, "%d:%s%d:%s", len(key), key, len(settings[key]), settings[key])
	}
	return hex.EncodeToString(digest.Sum(nil))[:16]
}

// Keys lists the setting names in a stable order.
func Keys(settings map[string]string) []string {
	keys := make([]string, 0, len(settings))
	for key := range settings {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func readSecret(dir, name string) (string, error) {
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return "", &Failure{Link: LinkSecret, Reason: "secret file missing", Detail: plainPathError(err), cause: err}
	}
	value := strings.TrimRight(string(content), "\r\n")
	if value == "" {
		return "", &Failure{Link: LinkSecret, Reason: "secret file empty", Detail: filepath.Join(dir, name)}
	}
	return value, nil
}

func plainPathError(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Path + ": " + pathError.Err.Error()
	}
	return err.Error()
}
