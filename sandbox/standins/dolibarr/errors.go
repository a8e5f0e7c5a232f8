package dolibarr

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Refusal is an answer other than success, as Dolibarr's REST framework gives it.
type Refusal struct {
	Code    int
	Message string
}

func (r *Refusal) Error() string { return r.Message }

func refuse(code int, detail string) *Refusal {
	message := http.StatusText(code)
	if detail != "" {
		message += ": " + detail
	}
	return &Refusal{code, message}
}

// asRefusal turns what the database said into what Dolibarr would say; it never shows a statement.
func asRefusal(err error) *Refusal {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return refuse(http.StatusNotFound, "Object not found")
	}
	var file *fs.PathError
	if errors.As(err, &file) {
		return refuse(http.StatusInternalServerError, "Failed to "+file.Op+" the document: "+file.Err.Error())
	}
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		switch answer.Code {
		case "23505":
			return refuse(http.StatusConflict, "duplicate value for "+answer.ConstraintName)
		case "23503":
			return refuse(http.StatusConflict, "object is used: "+answer.ConstraintName)
		case "22P02", "22007", "22008", "22003", "22001", "22021", "42883":
			return refuse(http.StatusBadRequest, "a value is not of its field's type")
		case "57P01", "57P03", "08006", "42P01":
			return refuse(http.StatusServiceUnavailable, "the database is not there: SQLSTATE "+answer.Code)
		}
		return refuse(http.StatusInternalServerError, "SQLSTATE "+answer.Code)
	}
	return refuse(http.StatusServiceUnavailable, "the database does not answer")
}

func writeRefusal(w http.ResponseWriter, refusal *Refusal) {
	write(w, refusal.Code, map[string]any{"error": map[string]any{"code": refusal.Code, "message": refusal.Message}})
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The client is gone when this fails; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}
