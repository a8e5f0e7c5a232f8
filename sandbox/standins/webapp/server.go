package webapp

import (
	"context"
	"encoding/json"
	"html/template"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Health is the body of /healthz.
type Health struct {
	Status            string   `json:"status"` // "ok" or "failed"
	App               string   `json:"app"`
	Instance          string   `json:"instance"`
	Database          string   `json:"database,omitempty"`
	DatabaseUser      string   `json:"database_user,omitempty"`
	ActingAs          string   `json:"acting_as,omitempty"`
	RowID             int64    `json:"row_id,omitempty"`
	LatencyMS         float64  `json:"latency_ms"`
	ConfigKeys        []string `json:"config_keys,omitempty"`
	ConfigFingerprint string   `json:"config_fingerprint,omitempty"`
	Link              Link     `json:"link,omitempty"`
	Reason            string   `json:"reason,omitempty"`
	Detail            string   `json:"detail,omitempty"`
	SQLState          string   `json:"sqlstate,omitempty"`
}

type trip func(context.Context, Config, Credentials) (RoundTrip, error)

// Server answers /healthz (with the database), /livez (without) and / (a page for a person).
type Server struct {
	config Config
	log    *slog.Logger
	trip   trip

	mutex sync.Mutex
	last  string
}

// NewServer makes the server; log gets one line whenever the health changes, not one for every probe.
func NewServer(config Config, log *slog.Logger) *Server {
	return &Server{config: config, log: log, trip: MakeRoundTrip}
}

// Handler is the server's routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok", "instance": s.config.Instance})
	})
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /{$}", s.page)
	return mux
}

// Check makes one round trip with the credentials as they are mounted now.
func (s *Server) Check(ctx context.Context) Health {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	started := time.Now()
	health := Health{Status: "ok", App: s.config.App, Instance: s.config.Instance}
	if err := s.examine(ctx, &health); err != nil {
		failure := Classify(err)
		health.Status = "failed"
		health.Link, health.Reason, health.Detail, health.SQLState = failure.Link, failure.Reason, failure.Detail, failure.SQLState
	}
	health.LatencyMS = float64(time.Since(started).Microseconds()) / 1000
	return health
}

func (s *Server) examine(ctx context.Context, health *Health) error {
	credentials, err := ReadCredentials(s.config.CredentialsDir)
	if err != nil {
		return err
	}
	settings, err := ReadSettings(s.config.ConfigDir)
	if err != nil {
		return err
	}
	health.ConfigKeys, health.ConfigFingerprint = Keys(settings), Fingerprint(s.config.Instance, settings)
	health.DatabaseUser = credentials.Username
	trip, err := s.trip(ctx, s.config, credentials)
	if err != nil {
		return err
	}
	health.Database, health.DatabaseUser, health.ActingAs, health.RowID = trip.Database, trip.DatabaseUser, trip.ActingAs, trip.RowID
	return nil
}

func (s *Server) healthz(w http.ResponseWriter, request *http.Request) {
	health := s.Check(request.Context())
	s.note(health)
	status := http.StatusOK
	if health.Status != "ok" {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, health)
}

// note logs a change of health; the same answer again is not news.
func (s *Server) note(health Health) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := health.Status + string(health.Link) + health.Reason + health.DatabaseUser
	if now == s.last {
		return
	}
	s.last = now
	if health.Status == "ok" {
		s.log.Info("database round trip works", "database", health.Database, "user", health.DatabaseUser,
			"acting_as", health.ActingAs, "latency_ms", health.LatencyMS, "config", health.ConfigFingerprint)
		return
	}
	s.log.Error("database round trip fails", "link", health.Link, "reason", health.Reason, "detail", health.Detail,
		"sqlstate", health.SQLState, "user", health.DatabaseUser)
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{{.Instance}}</title>
<body style="font-family: sans-serif; margin: 4rem auto; max-width: 40rem">
<h1>{{.Instance}}</h1>
<p>The sandbox's stand-in for the app <b>{{.App}}</b>. <a href="/healthz">Is its database within reach?</a></p>
</body></html>
`))

func (s *Server) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page.Execute(w, s.config); err != nil {
		s.log.Error("page not written", "error", err)
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The client is gone when this fails; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}
