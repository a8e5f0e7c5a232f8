package dolibarr

import (
	"fmt"
	"regexp"
	"strings"
)

// Filter is a condition as SQL whose values are parameters: no text of the caller becomes SQL.
type Filter struct {
	SQL    string
	Values []any
}

var (
	comparison = regexp.MustCompile(`^t\.([a-z_][a-z0-9_]*):(=|<|>|<=|>=|!=|<>|like|notlike|is|isnot|in|notin):(.*)$`)
	quoted     = regexp.MustCompile(`^'((?:[^']|'')*)'$`)
	number     = regexp.MustCompile(`^-?\d+(\.\d+)?$`)
)

// ParseFilters reads Dolibarr's universal search syntax, such as (t.ref:like:'FA%') and (t.fk_statut:=:1), with nested
// parentheses. Columns are those of types (name to SQL type); parameters are numbered from first.
func ParseFilters(text string, types map[string]string, first int) (Filter, error) {
	parser := &filterParser{rest: strings.TrimSpace(text), types: types, next: first}
	if parser.rest == "" {
		return Filter{SQL: "true"}, nil
	}
	sql, err := parser.expression(0)
	if err == nil && parser.rest != "" {
		err = fmt.Errorf("unexpected %q", excerpt(parser.rest))
	}
	if err != nil {
		return Filter{}, err
	}
	return Filter{SQL: sql, Values: parser.values}, nil
}

type filterParser struct {
	rest   string
	types  map[string]string
	next   int
	values []any
}

// expression is one or more groups joined by and, or.
func (p *filterParser) expression(depth int) (string, error) {
	if depth > 20 {
		return "", fmt.Errorf("more than 20 levels of parentheses")
	}
	sql, err := p.group(depth)
	for err == nil {
		word, ok := p.joiner()
		if !ok {
			break
		}
		var right string
		right, err = p.group(depth)
		sql += " " + word + " " + right
	}
	return sql, err
}

func (p *filterParser) joiner() (string, bool) {
	trimmed := strings.TrimLeft(p.rest, " ")
	for _, word := range []string{"and", "or"} {
		if len(trimmed) > len(word) && strings.EqualFold(trimmed[:len(word)], word) && (trimmed[len(word)] == ' ' || trimmed[len(word)] == '(') {
			p.rest = strings.TrimLeft(trimmed[len(word):], " ")
			return strings.ToUpper(word), true
		}
	}
	return "", false
}

// group is a comparison or an expression in parentheses.
func (p *filterParser) group(depth int) (string, error) {
	if !strings.HasPrefix(p.rest, "(") {
		return "", fmt.Errorf("expected ( at %q", excerpt(p.rest))
	}
	p.rest = strings.TrimLeft(p.rest[1:], " ")
	var sql string
	var err error
	if strings.HasPrefix(p.rest, "(") {
		sql, err = p.expression(depth + 1)
		p.rest = strings.TrimLeft(p.rest, " ")
		if err == nil && !strings.HasPrefix(p.rest, ")") {
			err = fmt.Errorf("expected ) at %q", excerpt(p.rest))
		}
	} else {
		end := endOfComparison(p.rest)
		if end < 0 {
			return "", fmt.Errorf("no ) after %q", excerpt(p.rest))
		}
		sql, err = p.compare(p.rest[:end])
		p.rest = p.rest[end:]
	}
	if err != nil {
		return "", err
	}
	p.rest = strings.TrimSpace(p.rest[1:])
	return "(" + sql + ")", nil
}

// endOfComparison is where its closing parenthesis is, quotes and lists in parentheses skipped.
func endOfComparison(text string) int {
	inQuotes, open := false, 0
	for index, letter := range text {
		switch {
		case letter == '\'':
			inQuotes = !inQuotes
		case !inQuotes && letter == '(':
			open++
		case !inQuotes && letter == ')' && open == 0:
			return index
		case !inQuotes && letter == ')':
			open--
		}
	}
	return -1
}

func (p *filterParser) compare(text string) (string, error) {
	parts := comparison.FindStringSubmatch(text)
	if parts == nil {
		return "", fmt.Errorf("not a comparison such as t.ref:like:'FA%%': %q", excerpt(text))
	}
	column, operator, value := parts[1], parts[2], strings.TrimSpace(parts[3])
	kind, known := p.types[column]
	if !known {
		return "", fmt.Errorf("no column t.%s", column)
	}
	switch operator {
	case "is", "isnot":
		if !strings.EqualFold(value, "null") {
			return "", fmt.Errorf("only null can be compared with %s", operator)
		}
		return "t." + column + map[string]string{"is": " IS NULL", "isnot": " IS NOT NULL"}[operator], nil
	case "in", "notin":
		values, err := list(value)
		if err != nil {
			return "", err
		}
		not := map[string]string{"in": "", "notin": "NOT "}[operator]
		return fmt.Sprintf("%st.%s::text = ANY(%s::text[])", not, column, p.bind(values)), nil
	}
	single, err := scalar(value)
	if err != nil {
		return "", err
	}
	if operator == "like" || operator == "notlike" {
		not := map[string]string{"like": "", "notlike": "NOT "}[operator]
		return fmt.Sprintf("t.%s::text %sILIKE %s::text", column, not, p.bind(single)), nil
	}
	return fmt.Sprintf("t.%s %s %s::text::%s", column, operator, p.bind(single), kind), nil
}

func (p *filterParser) bind(value any) string {
	p.values = append(p.values, value)
	p.next++
	return fmt.Sprintf("$%d", p.next-1)
}

func scalar(text string) (string, error) {
	if match := quoted.FindStringSubmatch(text); match != nil {
		return strings.ReplaceAll(match[1], "''", "'"), nil
	}
	if number.MatchString(text) {
		return text, nil
	}
	return "", fmt.Errorf("neither a number nor a text in quotes: %q", excerpt(text))
}

// list reads 1,2,'x', with or without parentheses around it.
func list(text string) ([]string, error) {
	inner := strings.TrimSuffix(strings.TrimPrefix(text, "("), ")")
	var values []string
	for _, part := range strings.Split(inner, ",") {
		value, err := scalar(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

func excerpt(text string) string {
	if len(text) > 40 {
		return text[:40] + "..."
	}
	return text
}
