package webapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

var complete = map[string]string{
	"APP": "erp", "INSTANCE": "erp-sandbox", "DATABASE_HOST": "pgbouncer.example", "DATABASE_PORT": "6432",
	"DATABASE_NAME": "erp-sandbox", "OWNER_ROLE": "erp_sandbox_role",
}

func environment(changes map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if value, ok := changes[name]; ok {
			return value, true
		}
		value, ok := complete[name]
		return value, ok
	}
}

func TestConfigurationNamesEverythingMissing(t *testing.T) {
	_, err := ConfigFromEnvironment(environment(map[string]string{"INSTANCE": "", "DATABASE_PORT": "many", "HEALTH_TIMEOUT": "soon"}))
	if err == nil {
		t.Fatal("accepted an unusable environment")
	}
	for _, word := range []string{"INSTANCE", `"many"`, "HEALTH_TIMEOUT"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not named in %q", word, err)
		}
	}
}

func TestConfigurationDefaults(t *testing.T) {
	config, err := ConfigFromEnvironment(environment(nil))
	if err != nil || config.DatabasePort != 6432 || config.Timeout != 3*time.Second || config.Listen != ":8080" {
		t.Fatalf("unexpected %+v, %v", config, err)
	}
}

func TestClassification(t *testing.T) {
	refused := func(code, message string) error { return &pgconn.PgError{Code: code, Message: message} }
	for name, c := range map[string]struct {
		err    error
		link   Link
		reason string
	}{
		"wrong password":            {refused("28P01", `password authentication failed for user "x"`), LinkCredentials, "password authentication failed"},
		"wrong password, by pooler": {refused("08P01", "password authentication failed"), LinkCredentials, "password authentication failed"},
		"unknown user, by pooler":   {refused("08P01", "no such user: x"), LinkCredentials, "no such user"},
		"no database":               {refused("3D000", `database "x" does not exist`), LinkDatabase, "no such database"},
		"no database, by pooler":    {refused("08P01", `server login failed: FATAL database "x" does not exist`), LinkDatabase, "no such database"},
		"no membership":             {refused("42501", `permission denied to set role "erp_role"`), LinkRole, "permission denied"},
		"no role":                   {refused("22023", `role "erp_role" does not exist`), LinkRole, "no such role"},
		"deadline":                  {context.DeadlineExceeded, LinkNetwork, "no answer in time"},
		"name":                      {&net.DNSError{Err: "no such host", Name: "pgbouncer"}, LinkNetwork, "name not resolved"},
		"connection":                {&net.OpError{Op: "dial", Err: errors.New("refused")}, LinkNetwork, "database not reachable"},
		"anything else":             {refused("42601", "syntax error"), LinkQuery, "round trip failed"},
	} {
		failure := Classify(c.err)
		if failure.Link != c.link || failure.Reason != c.reason {
			t.Errorf("%s: %s: %s", name, failure.Link, failure.Reason)
		}
	}
}

func TestFingerprint(t *testing.T) {
	same := Fingerprint("erp", map[string]string{"a": "1", "b": "2"})
	if same != Fingerprint("erp", map[string]string{"b": "2", "a": "1"}) {
		t.Error("depends on the order of keys")
	}
	if same == Fingerprint("cms", map[string]string{"a": "1", "b": "2"}) {
		t.Error("equal values of two instances show as equal")
	}
	if Fingerprint("erp", map[string]string{"a": "b=c"}) == Fingerprint("erp", map[string]string{"a=b": "c"}) {
		t.Error("ambiguous encoding")
	}
}

const secret = "s3cret-canary"

func mounted(t *testing.T) Config {
	t.Helper()
	config, err := ConfigFromEnvironment(environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	config.CredentialsDir, config.ConfigDir = t.TempDir(), t.TempDir()
	write(t, config.CredentialsDir, "username", "v-erp-1\n")
	write(t, config.CredentialsDir, "password", secret)
	write(t, config.ConfigDir, "api_key", secret)
	write(t, config.ConfigDir, "_raw", "changes with every version")
	return config
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, server *Server) (int, Health) {
	t.Helper()
	recorder := httptest.NewRecorder()
	server.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/healthz", nil))
	if strings.Contains(recorder.Body.String(), secret) {
		t.Error("the answer holds a secret")
	}
	var health Health
	if err := json.Unmarshal(recorder.Body.Bytes(), &health); err != nil {
		t.Fatal(err)
	}
	return recorder.Code, health
}

func TestHealthFollowsTheMountedSecret(t *testing.T) {
	config := mounted(t)
	var log bytes.Buffer
	server := NewServer(config, slog.New(slog.NewJSONHandler(&log, nil)))
	server.trip = func(_ context.Context, c Config, credentials Credentials) (RoundTrip, error) {
		if credentials.Password != secret {
			return RoundTrip{}, &pgconn.PgError{Code: "28P01", Message: "password authentication failed"}
		}
		return RoundTrip{DatabaseUser: credentials.Username, ActingAs: c.OwnerRole, Database: c.DatabaseName, RowID: 7}, nil
	}
	if code, health := ask(t, server); code != 200 || health.DatabaseUser != "v-erp-1" || health.ActingAs != "erp_sandbox_role" {
		t.Fatalf("%d %+v", code, health)
	} else if len(health.ConfigKeys) != 1 || health.ConfigFingerprint == "" {
		t.Errorf("the config is not described: %+v", health)
	}
	write(t, config.CredentialsDir, "password", "revoked")
	if code, health := ask(t, server); code != 503 || health.Link != LinkCredentials {
		t.Errorf("%d %+v", code, health)
	}
	ask(t, server)
	if err := os.Remove(filepath.Join(config.CredentialsDir, "password")); err != nil {
		t.Fatal(err)
	}
	if code, health := ask(t, server); code != 503 || health.Link != LinkSecret || health.Reason != "secret file missing" {
		t.Errorf("%d %+v", code, health)
	}
	if lines := strings.Count(log.String(), "\n"); lines != 3 {
		t.Errorf("%d log lines for three changes of health", lines)
	}
	if strings.Contains(log.String(), secret) {
		t.Error("the log holds a secret")
	}
}

func TestLiveWithoutDatabase(t *testing.T) {
	config := mounted(t)
	server := NewServer(config, slog.New(slog.DiscardHandler))
	for path, code := range map[string]int{"/livez": 200, "/": 200, "/elsewhere": 404} {
		recorder := httptest.NewRecorder()
		server.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", path, nil))
		if recorder.Code != code {
			t.Errorf("%s: %d", path, recorder.Code)
		}
	}
}
