package dolibarr

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// object is one JSON object of a caller or an answer.
type object = map[string]any

const (
	defaultLimit = 100
	largestLimit = 1000
)

// list answers GET /<path>: filtered, sorted, one page. Pages are counted from 0.
func (s *session) list(ctx context.Context, r *resource, query url.Values) ([]object, error) {
	limit, err := natural(query.Get("limit"), defaultLimit)
	if err != nil || limit > largestLimit {
		return nil, refuse(http.StatusBadRequest, "limit is not a number up to 1000")
	}
	page, err := natural(query.Get("page"), 0)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "page is not a number from 0")
	}
	order, err := sorting(r, query.Get("sortfield"), query.Get("sortorder"))
	if err != nil {
		return nil, err
	}
	filter, err := ParseFilters(query.Get("sqlfilters"), r.types(), 3)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "Error when validating parameter sqlfilters -> "+err.Error())
	}
	sql := fmt.Sprintf("SELECT to_jsonb(t) FROM %s t WHERE t.entity = 1 AND (%s) ORDER BY %s LIMIT $1 OFFSET $2", r.table, filter.SQL, order)
	rows, err := s.read(ctx, sql, append([]any{limit, page * limit}, filter.Values...)...)
	if err != nil {
		return nil, err
	}
	objects := make([]object, 0, len(rows))
	for _, row := range rows {
		objects = append(objects, shown(r.columns, row))
	}
	return objects, nil
}

// get answers one object with its lines and extra fields.
func (s *session) get(ctx context.Context, r *resource, id int) (object, error) {
	rows, err := s.read(ctx, fmt.Sprintf("SELECT to_jsonb(t) FROM %s t WHERE t.%s = $1 AND t.entity = 1", r.table, r.key), id)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, refuse(http.StatusNotFound, r.noun+" not found")
	}
	found := shown(r.columns, rows[0])
	if r.lines != nil {
		lines, err := s.read(ctx, fmt.Sprintf("SELECT to_jsonb(t) FROM %s t WHERE t.%s = $1 ORDER BY t.rang, t.rowid", r.lines.table, r.lines.parent), id)
		if err != nil {
			return nil, err
		}
		list := make([]object, 0, len(lines))
		for _, line := range lines {
			list = append(list, shown(lineColumns, line))
		}
		found["lines"] = list
	}
	return found, s.extraFields(ctx, r, id, found)
}

func (s *session) extraFields(ctx context.Context, r *resource, id int, found object) error {
	if r.extra == "" {
		return nil
	}
	options := object{}
	rows, err := s.read(ctx, fmt.Sprintf("SELECT to_jsonb(t) - 'rowid' - 'fk_object' - 'tms' FROM %s t WHERE t.fk_object = $1", r.extra), id)
	if err == nil && len(rows) > 0 {
		for name, value := range rows[0] {
			options["options_"+name] = value
		}
	}
	found["array_options"] = options
	return err
}

// create inserts an object with its lines. @returns its id, as Dolibarr does.
func (s *session) create(ctx context.Context, r *resource, given object) (int, error) {
	for _, name := range r.required {
		if value, ok := given[name]; !ok || value == nil || value == "" {
			return 0, refuse(http.StatusBadRequest, name+" field missing")
		}
	}
	names, values, err := assignments(r, given)
	if err != nil {
		return 0, err
	}
	var id int
	if err := s.QueryRow(ctx, "SELECT nextval(pg_get_serial_sequence($1, $2))", r.table, r.key).Scan(&id); err != nil {
		return 0, err
	}
	names, values = append(names, r.key), append(values, id)
	if r.lines != nil {
		names, values = append(names, "ref", "fk_user_author"), append(values, fmt.Sprintf("(PROV%d)", id), s.user)
	}
	placed, types := make([]string, len(names)), r.types()
	for index, name := range names {
		placed[index] = fmt.Sprintf("$%d::%s", index+1, types[name])
	}
	sql := fmt.Sprintf("INSERT INTO %s (%s, datec, tms) VALUES (%s, localtimestamp, localtimestamp)", r.table, strings.Join(names, ", "), strings.Join(placed, ", "))
	if _, err := s.Exec(ctx, sql, values...); err != nil {
		return 0, err
	}
	if r.lines == nil {
		return id, nil
	}
	return id, s.addLines(ctx, r, id, given["lines"])
}

// update changes what a caller may change, and answers the object.
func (s *session) update(ctx context.Context, r *resource, id int, given object) (object, error) {
	if _, err := s.get(ctx, r, id); err != nil {
		return nil, err
	}
	names, values, err := assignments(r, given)
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		var set []string
		types := r.types()
		for index, name := range names {
			set = append(set, fmt.Sprintf("%s = $%d::%s", name, index+2, types[name]))
		}
		sql := fmt.Sprintf("UPDATE %s SET %s, tms = localtimestamp WHERE %s = $1", r.table, strings.Join(set, ", "), r.key)
		if _, err := s.Exec(ctx, sql, append([]any{id}, values...)...); err != nil {
			return nil, err
		}
	}
	return s.get(ctx, r, id)
}

// remove deletes an object; a bill only while it is a draft.
func (s *session) remove(ctx context.Context, r *resource, id int) error {
	found, err := s.get(ctx, r, id)
	if err != nil {
		return err
	}
	if r.lines != nil {
		if found["status"] != "0" {
			return refuse(http.StatusForbidden, r.noun+" is validated and can't be deleted")
		}
		if _, err := s.Exec(ctx, fmt.Sprintf("DELETE FROM %s WHERE %s = $1", r.lines.table, r.lines.parent), id); err != nil {
			return err
		}
	}
	_, err = s.Exec(ctx, fmt.Sprintf("DELETE FROM %s WHERE %s = $1", r.table, r.key), id)
	return err
}

// read runs a query whose one column is a JSON object.
func (s *session) read(ctx context.Context, sql string, values ...any) ([]object, error) {
	rows, err := s.Query(ctx, sql, values...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (object, error) {
		var raw string
		if err := row.Scan(&raw); err != nil {
			return nil, err
		}
		decoder := json.NewDecoder(bytes.NewReader([]byte(raw)))
		decoder.UseNumber()
		found := object{}
		return found, decoder.Decode(&found)
	})
}

// shown is a row as Dolibarr shows it: numbers as text, times as seconds since 1970.
func shown(columns []column, row object) object {
	out := object{}
	for _, c := range columns {
		value := row[c.name]
		switch held := value.(type) {
		case json.Number:
			out[c.api] = held.String()
		case string:
			if out[c.api] = held; c.kind == date || c.kind == moment {
				out[c.api] = seconds(held)
			}
		default:
			out[c.api] = value
		}
	}
	return out
}

func seconds(text string) any {
	for _, layout := range []string{"2006-01-02T15:04:05.999999", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.Unix()
		}
	}
	return text
}

// assignments are the given fields that a caller may set, as columns and values. Unknown ones are refused, fixed ones
// that come back as they were read are passed over.
func assignments(r *resource, given object) (names []string, values []any, err error) {
	for _, c := range r.columns {
		value, ok := given[c.api]
		if !ok || !c.write {
			continue
		}
		converted, err := stored(c, value)
		if err != nil {
			return nil, nil, err
		}
		names, values = append(names, c.name), append(values, converted)
	}
	for name := range given {
		if r.byAPI(name) == nil && name != "lines" && name != "array_options" {
			return nil, nil, refuse(http.StatusBadRequest, "unknown field "+name)
		}
	}
	return names, values, nil
}

// stored is a caller's value as the column takes it.
func stored(c column, value any) (any, error) {
	if value == nil || value == "" && c.kind != text {
		return nil, nil
	}
	bad := refuse(http.StatusBadRequest, c.api+" is not of type "+c.kind)
	shape := fmt.Sprint(value)
	switch c.kind {
	case integer:
		number, err := strconv.Atoi(shape)
		if err != nil {
			return nil, bad
		}
		return number, nil
	case date, moment:
		if at, err := strconv.ParseInt(shape, 10, 64); err == nil {
			return time.Unix(at, 0).UTC(), nil
		}
		at, err := time.Parse("2006-01-02", shape)
		if err != nil {
			return nil, bad
		}
		return at, nil
	case decimal:
		if !number.MatchString(shape) {
			return nil, bad
		}
		return shape, nil
	}
	if _, ok := value.(string); !ok {
		return nil, bad
	}
	return value, nil
}

func sorting(r *resource, field, order string) (string, error) {
	if field == "" {
		field = "t." + r.key
	}
	name := strings.TrimPrefix(field, "t.")
	if _, known := r.types()[name]; !known {
		return "", refuse(http.StatusBadRequest, "unknown sortfield "+excerpt(field))
	}
	switch strings.ToUpper(order) {
	case "", "ASC":
		return "t." + name + " ASC, t." + r.key + " ASC", nil
	case "DESC":
		return "t." + name + " DESC, t." + r.key + " DESC", nil
	}
	return "", refuse(http.StatusBadRequest, "sortorder is neither ASC nor DESC")
}

func natural(text string, otherwise int) (int, error) {
	if text == "" {
		return otherwise, nil
	}
	value, err := strconv.Atoi(text)
	if err == nil && (value < 0 || value > 1_000_000) {
		err = strconv.ErrRange
	}
	return value, err
}
