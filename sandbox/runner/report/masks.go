// Package report turns what the engine says of a job into what Gitea keeps of it: the rows of its log, with secrets hidden,
// and the state of the job and its steps.
package report

import (
	"slices"
	"strings"
)

const hidden = "***"

// shortest is the length below which a line of a secret that has several is left alone: a brace of a JSON document is no secret.
const shortest = 4

// Masks hides secrets in a log.
type Masks struct {
	values []string
}

// NewMasks hides these values. A log has rows, so each line of a value that has several is hidden for itself as well.
func NewMasks(values ...string) Masks {
	return Masks{}.with(values...)
}

func (m Masks) with(values ...string) Masks {
	all := slices.Clone(m.values)
	for _, value := range values {
		if strings.TrimSpace(value) == "" {
			continue
		}
		all = append(all, value)
		lines := strings.Split(value, "\n")
		for _, line := range lines {
			if line = strings.TrimSpace(line); len(lines) > 1 && len(line) >= shortest {
				all = append(all, line)
			}
		}
	}
	// The longest first: one secret may be the beginning of another.
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return Masks{values: slices.Compact(all)}
}

// Hide replaces every secret in a text, and also `more`: what the job itself asked to hide.
func (m Masks) Hide(text string, more ...string) string {
	if len(more) > 0 {
		m = m.with(more...)
	}
	for _, value := range m.values {
		text = strings.ReplaceAll(text, value, hidden)
	}
	return text
}
