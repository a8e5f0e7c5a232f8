package random

import (
	"crypto/rand"
	"fmt"
	"math/big"
)

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
	special = "!@#$%&*()-_=+[]{}<>:?"
)

// class is a group of characters and how many of them a password has at least.
type class struct {
	characters string
	minimum    int64
}

// generate makes a password of length characters out of the classes, with every minimum met, in random order.
func generate(length int64, classes []class) (string, error) {
	var all string
	var result []byte
	for _, one := range classes {
		all += one.characters
		for range one.minimum {
			character, err := pick(one.characters)
			if err != nil {
				return "", err
			}
			result = append(result, character)
		}
	}
	if int64(len(result)) > length {
		return "", fmt.Errorf("length %d is less than the minima together, %d", length, len(result))
	}
	for int64(len(result)) < length {
		character, err := pick(all)
		if err != nil {
			return "", err
		}
		result = append(result, character)
	}
	return shuffled(result)
}

func pick(from string) (byte, error) {
	if from == "" {
		return 0, fmt.Errorf("no characters to choose from")
	}
	index, err := below(len(from))
	return from[index], err
}

// shuffled puts the characters into a random order (Fisher-Yates).
func shuffled(characters []byte) (string, error) {
	for last := len(characters) - 1; last > 0; last-- {
		other, err := below(last + 1)
		if err != nil {
			return "", err
		}
		characters[last], characters[other] = characters[other], characters[last]
	}
	return string(characters), nil
}

func below(limit int) (int, error) {
	number, err := rand.Int(rand.Reader, big.NewInt(int64(limit)))
	if err != nil {
		return 0, err
	}
	return int(number.Int64()), nil
}
