package webapp

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Link names the part of the convention chain a failure belongs to.
type Link string

const (
	LinkSecret      Link = "secret"      // the mounted Secret
	LinkNetwork     Link = "network"     // name resolution and the way to PgBouncer
	LinkCredentials Link = "credentials" // the leased user and PgBouncer's lookup of it
	LinkDatabase    Link = "database"    // the database itself
	LinkRole        Link = "role"        // the owner role and its grants
	LinkQuery       Link = "query"       // anything after a good login
)

// Failure is why a round trip did not succeed: a reason in fixed words that a check can compare, and the detail as the
// product said it. Neither ever holds a secret.
type Failure struct {
	Link     Link
	Reason   string
	Detail   string
	SQLState string
	cause    error
}

func (f *Failure) Error() string { return string(f.Link) + ": " + f.Reason + " (" + f.Detail + ")" }
func (f *Failure) Unwrap() error { return f.cause }

const (
	reasonTimeout = "no answer in time"
	reasonRefused = "database server refuses the pooler"
)

// silent: the pooler could not log in to the server for the client, and does not say why.
func (f *Failure) silent() bool { return f.Reason == reasonTimeout || f.Reason == reasonRefused }

type meaning struct {
	link   Link
	reason string
}

// sqlStates: https://www.postgresql.org/docs/15/errcodes-appendix.html
var sqlStates = map[string]meaning{
	"28P01": {LinkCredentials, "password authentication failed"},
	"28000": {LinkCredentials, "login refused"},
	"3D000": {LinkDatabase, "no such database"},
	"42501": {LinkRole, "permission denied"},
	"22023": {LinkRole, "no such role"},
	"42704": {LinkRole, "no such role"},
	"53300": {LinkNetwork, "too many connections"},
	"57P01": {LinkNetwork, "database server is shutting down"},
	"57P03": {LinkNetwork, "database server is starting"},
}

// poolerMessages: PgBouncer 1.18 reports every failed login as 08P01 (protocol violation), so its text has to decide.
var poolerMessages = []struct {
	text string
	meaning
}{
	{"password authentication failed", meaning{LinkCredentials, "password authentication failed"}},
	{"SASL authentication failed", meaning{LinkCredentials, "password authentication failed"}},
	{"no such user", meaning{LinkCredentials, "no such user"}},
	{"no such database", meaning{LinkDatabase, "no such database"}},
	// auth_query found no such user, or there is no such function in this database: PgBouncer says the same to both.
	{"bouncer config error", meaning{LinkCredentials, "no such user, or user_lookup is broken"}},
	{"user_lookup", meaning{LinkCredentials, "no such user, or user_lookup is broken"}},
	{"server login has been failing", meaning{LinkNetwork, reasonRefused}},
	{"server login failed", meaning{LinkNetwork, reasonRefused}},
	{"query_wait_timeout", meaning{LinkNetwork, "pooler has no server connection"}},
}

// Classify turns what the database driver returned into a Failure.
func Classify(err error) *Failure {
	var known *Failure
	if errors.As(err, &known) {
		return known
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return classifyServer(refused, err)
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		return &Failure{Link: LinkNetwork, Reason: "name not resolved", Detail: name.Error(), cause: err}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Failure{Link: LinkNetwork, Reason: reasonTimeout, Detail: err.Error(), cause: err}
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		return &Failure{Link: LinkNetwork, Reason: "database not reachable", Detail: operation.Error(), cause: err}
	}
	return &Failure{Link: LinkQuery, Reason: "round trip failed", Detail: err.Error(), cause: err}
}

func classifyServer(refused *pgconn.PgError, err error) *Failure {
	failure := &Failure{Link: LinkQuery, Reason: "round trip failed", Detail: refused.Message, SQLState: refused.Code, cause: err}
	// The pooler passes a server's refusal on inside its own message, so a missing database comes as 08P01 as well.
	if refused.Code == "08P01" {
		if strings.Contains(refused.Message, "database") && strings.Contains(refused.Message, "does not exist") {
			failure.Link, failure.Reason = LinkDatabase, "no such database"
			return failure
		}
		for _, candidate := range poolerMessages {
			if strings.Contains(refused.Message, candidate.text) {
				failure.Link, failure.Reason = candidate.link, candidate.reason
				return failure
			}
		}
	}
	if known, ok := sqlStates[refused.Code]; ok {
		failure.Link, failure.Reason = known.link, known.reason
	}
	return failure
}
