// Package dolibarr is a stand-in for Dolibarr, which cannot be had here: the REST paths an agent uses, Dolibarr's JSON
// shapes and error codes, its rights, on real llx_* tables in Postgres. Never reported as the real one.
package dolibarr

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"sandbox.local/standins/webapp"
)

const (
	base       = "/api/index.php/"
	version    = "20.0.4"
	largestRow = 1 << 20
)

// Settings are what the instance's config in Vault says. All are secrets.
type Settings struct {
	// UniqueID is DOLI_INSTANCE_UNIQUE_ID: keys and a few fields lie encrypted under it.
	UniqueID string
	// Keys are the API keys given to users when the instance is installed, by login.
	Keys map[string]string
}

// Server answers Dolibarr's REST API for one instance.
type Server struct {
	config   webapp.Config
	settings func() (Settings, error)
	open     Database
	files    *os.Root
	log      *slog.Logger
}

// NewServer makes the server; settings are read anew for each request, so that a changed config needs no restart. Documents
// lie in the folder `files`.
func NewServer(config webapp.Config, settings func() (Settings, error), open Database, files *os.Root, log *slog.Logger) *Server {
	return &Server{config, settings, open, files, log}
}

// Handler is the API, without the health checks.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("X-Standin", "dolibarr; instance="+s.config.Instance)
		status, body, err := s.answer(request)
		if err != nil {
			refusal := asRefusal(err)
			s.log.Info("refused", "method", request.Method, "path", request.URL.Path, "code", refusal.Code, "why", refusal.Message)
			writeRefusal(w, refusal)
			return
		}
		write(w, status, body)
	})
}

func (s *Server) answer(request *http.Request) (status int, body any, err error) {
	path, ok := strings.CutPrefix(request.URL.Path, base)
	if !ok {
		return 0, nil, refuse(http.StatusNotFound, "")
	}
	settings, err := s.settings()
	if err != nil {
		return 0, nil, refuse(http.StatusServiceUnavailable, "the instance's configuration is not there")
	}
	ctx, cancel := context.WithTimeout(request.Context(), 4*s.config.Timeout)
	defer cancel()
	given, err := bodyOf(request)
	if err != nil {
		return 0, nil, err
	}
	err = acting(ctx, s.open, s.config.OwnerRole, func(tx pgx.Tx) error {
		session, err := authenticate(ctx, tx, settings.UniqueID, keyOf(request))
		if err != nil {
			return err
		}
		status, session.files = http.StatusOK, s.files
		body, err = session.route(ctx, request, strings.Split(strings.Trim(path, "/"), "/"), given)
		return err
	})
	return status, body, err
}

// route finds what is asked and whether the user may.
func (s *session) route(ctx context.Context, request *http.Request, parts []string, given object) (any, error) {
	if len(parts) == 1 && parts[0] == "status" && request.Method == http.MethodGet {
		return object{"success": object{"code": 200, "dolibarr_version": version, "access_locked": "0"}}, nil
	}
	if parts[0] == "documents" {
		return s.documents(ctx, request, parts[1:], given)
	}
	for _, r := range resources {
		if r.path == parts[0] {
			return s.routeTo(ctx, r, request, parts[1:], given)
		}
	}
	return nil, refuse(http.StatusNotFound, "")
}

func (s *session) routeTo(ctx context.Context, r *resource, request *http.Request, rest []string, given object) (any, error) {
	id := 0
	if len(rest) > 0 {
		var err error
		if id, err = strconv.Atoi(rest[0]); err != nil || id < 1 {
			return nil, refuse(http.StatusBadRequest, "invalid value specified for `id`")
		}
	}
	what := request.Method + " " + strings.Join(append([]string{map[bool]string{true: "id", false: ""}[id > 0]}, rest[min(1, len(rest)):]...), "/")
	rights := map[string]int{
		"GET ": r.read, "GET id": r.read, "POST ": r.create, "PUT id": r.create, "DELETE id": r.remove,
		"POST id/validate": r.validate, "GET id/payments": r.read, "POST id/payments": 16,
	}
	right, known := rights[what]
	bills := strings.Contains(what, "payments")
	if !known || right == 0 || bills && r.path != "invoices" {
		return nil, refuse(http.StatusMethodNotAllowed, "")
	}
	if err := s.need(right); err != nil {
		return nil, err
	}
	switch what {
	case "GET ":
		return s.list(ctx, r, request.URL.Query())
	case "GET id":
		return s.get(ctx, r, id)
	case "POST ":
		return s.create(ctx, r, given)
	case "PUT id":
		return s.update(ctx, r, id, given)
	case "DELETE id":
		return object{"success": object{"code": 200, "message": r.noun + " deleted"}}, s.remove(ctx, r, id)
	case "POST id/validate":
		return s.validate(ctx, r, id)
	case "GET id/payments":
		return s.payments(ctx, id)
	default:
		return s.pay(ctx, r, id, given)
	}
}

func keyOf(request *http.Request) string {
	if key := request.Header.Get("DOLAPIKEY"); key != "" {
		return key
	}
	return request.URL.Query().Get("DOLAPIKEY")
}

func bodyOf(request *http.Request) (object, error) {
	content, err := io.ReadAll(io.LimitReader(request.Body, largestRow+1))
	if err != nil || len(content) > largestRow {
		return nil, refuse(http.StatusBadRequest, "the body is larger than 1 MiB or was cut off")
	}
	if len(content) == 0 {
		return object{}, nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(content)))
	decoder.UseNumber()
	given := object{}
	if err := decoder.Decode(&given); err != nil || !errors.Is(decoder.Decode(&struct{}{}), io.EOF) {
		return nil, refuse(http.StatusBadRequest, "the body is not one JSON object")
	}
	return given, nil
}

// sameSecret compares without telling by its time how much was right.
func sameSecret(one, other string) bool {
	a, b := sha256.Sum256([]byte(one)), sha256.Sum256([]byte(other))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
