package random

import (
	"strings"
	"testing"
)

func TestGenerateMeetsLengthClassesAndMinima(t *testing.T) {
	classes := []class{{lower, 1}, {digits, 3}, {"-_", 2}}
	seen := map[string]bool{}
	for range 200 {
		password, err := generate(8, classes)
		if err != nil || len(password) != 8 {
			t.Fatalf("%q: %v", password, err)
		}
		for _, one := range classes {
			if count(password, one.characters) < one.minimum {
				t.Errorf("%q has too few of %q", password, one.characters)
			}
		}
		if strings.ContainsAny(password, upper) {
			t.Errorf("%q has a character nobody allowed", password)
		}
		seen[password] = true
	}
	if len(seen) < 199 {
		t.Error("passwords repeat")
	}
}

func TestGenerateRefusesTheImpossible(t *testing.T) {
	if _, err := generate(2, []class{{digits, 3}}); err == nil {
		t.Error("minima above the length")
	}
	if _, err := generate(2, nil); err == nil {
		t.Error("no characters at all")
	}
}

func count(password, of string) int64 {
	var found int64
	for _, character := range password {
		if strings.ContainsRune(of, character) {
			found++
		}
	}
	return found
}
