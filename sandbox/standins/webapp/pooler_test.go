package webapp

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const postgresBin = "/usr/lib/postgresql/15/bin"

// TestRoundTripThroughPgBouncer proves the reasons against a real Postgres and a real PgBouncer on the loopback: what
// PgBouncer says, and what it keeps to itself, differs from version to version.
func TestRoundTripThroughPgBouncer(t *testing.T) {
	rig := startRig(t)
	check := func(name string, change func(*Config, *Credentials), link Link, reason string) {
		t.Run(name, func(t *testing.T) {
			config, credentials := rig.config, Credentials{Username: "v-erp-1", Password: "pw"}
			change(&config, &credentials)
			ctx, cancel := context.WithTimeout(t.Context(), config.Timeout)
			defer cancel()
			trip, err := MakeRoundTrip(ctx, config, credentials)
			if reason == "" {
				if err != nil || trip.DatabaseUser != "v-erp-1" || trip.ActingAs != "erp_role" || trip.RowID == 0 {
					t.Fatalf("%+v, %v", trip, err)
				}
				return
			}
			if err == nil {
				t.Fatal("succeeded")
			}
			if failure := Classify(err); failure.Link != link || failure.Reason != reason {
				t.Errorf("%v, expected %s: %s", failure, link, reason)
			}
		})
	}
	good := func(*Config, *Credentials) {}
	check("creates the table", good, "", "")
	check("uses the table", good, "", "")
	check("wrong password", func(_ *Config, c *Credentials) { c.Password = "no" }, LinkCredentials, "password authentication failed")
	check("unknown user", func(_ *Config, c *Credentials) { c.Username = "nobody" }, LinkCredentials, "no such user, or user_lookup is broken")
	check("no lookup function", func(c *Config, _ *Credentials) { c.DatabaseName = "bare" }, LinkCredentials, "no such user, or user_lookup is broken")
	check("no such role", func(c *Config, _ *Credentials) { c.OwnerRole = "erp_rolle" }, LinkRole, "no such role")
	check("not a member", func(_ *Config, c *Credentials) { c.Username = "outsider" }, LinkRole, "permission denied")
	missing := func(c *Config, _ *Credentials) { c.DatabaseName = "erpp" }
	check("no such database", missing, LinkDatabase, "no such database")
	check("no such database, asked again", missing, LinkDatabase, "no such database")
	check("nothing listens", func(c *Config, _ *Credentials) { c.DatabasePort = freePort(t) }, LinkNetwork, "database not reachable")
	rig.sql(t, "postgres", `DROP ROLE "v-erp-1"`)
	check("revoked while pooled", good, LinkCredentials, "no such user, or user_lookup is broken")
	rig.stopPostgres()
	outsider := func(_ *Config, c *Credentials) { c.Username = "outsider" }
	check("Postgres is down", outsider, LinkNetwork, reasonTimeout)
}

type rig struct {
	config       Config
	socketDir    string
	port         uint16
	stopPostgres func()
}

func startRig(t *testing.T) rig {
	t.Helper()
	for _, program := range []string{postgresBin + "/initdb", "/usr/sbin/pgbouncer"} {
		if _, err := os.Stat(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	dir, err := os.MkdirTemp("", "rig")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	port, poolerPort := freePort(t), freePort(t)
	write(t, dir, "users", `"pgbouncer_auth" "pb"`)
	write(t, dir, "pgbouncer.ini", fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %s/users
auth_user = pgbouncer_auth
auth_query = SELECT uname, phash FROM user_lookup($1)
pool_mode = transaction
server_login_retry = 1
ignore_startup_parameters = extra_float_digits,options
`, port, poolerPort, dir))
	hand(t, dir)
	data := filepath.Join(dir, "data")
	must(t, asPostgres(postgresBin+"/initdb", "-D", data, "-A", "trust", "-U", "postgres"))
	hba := "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(hba), 0o600); err != nil {
		t.Fatal(err)
	}
	stopPostgres := start(t, asPostgres(postgresBin+"/postgres", "-D", data, "-c", "listen_addresses=127.0.0.1", "-p", fmt.Sprint(port), "-k", dir, "-c", "fsync=off"))
	start(t, asPostgres("/usr/sbin/pgbouncer", "-q", filepath.Join(dir, "pgbouncer.ini")))
	made := rig{socketDir: dir, port: port, stopPostgres: stopPostgres, config: Config{
		Instance: "erp", DatabaseHost: "127.0.0.1", DatabasePort: poolerPort, DatabaseName: "erp",
		DatabaseTLS: "prefer", OwnerRole: "erp_role", Timeout: 3 * time.Second,
	}}
	eventually(t, func() error {
		connection, err := pgx.Connect(t.Context(), made.address("postgres"))
		if err != nil {
			return err
		}
		return connection.Close(t.Context())
	})
	eventually(t, func() error {
		connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", poolerPort))
		if err != nil {
			return err
		}
		return connection.Close()
	})
	for _, statement := range []string{
		"CREATE ROLE erp_role", "CREATE DATABASE erp OWNER erp_role", "CREATE DATABASE bare",
		"CREATE ROLE pgbouncer_auth LOGIN PASSWORD 'pb'",
		`CREATE ROLE "v-erp-1" LOGIN PASSWORD 'pw' IN ROLE erp_role`, "CREATE ROLE outsider LOGIN PASSWORD 'pw'",
	} {
		made.sql(t, "postgres", statement)
	}
	// The lookup of the factory's postgres/iac: a row of nulls for a user it does not know.
	made.sql(t, "erp", `CREATE FUNCTION user_lookup(IN i text, OUT uname text, OUT phash text) RETURNS record
LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
SELECT usename, passwd FROM pg_catalog.pg_shadow WHERE usename = i INTO uname, phash; RETURN; END $$`)
	return made
}

func (r rig) address(database string) string {
	return fmt.Sprintf("host=%s port=%d user=postgres dbname=%s", r.socketDir, r.port, database)
}

func (r rig) sql(t *testing.T, database, statement string) {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), r.address(database))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(context.Background())
	if _, err := connection.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// asPostgres: Postgres refuses to run as root.
func asPostgres(program string, arguments ...string) *exec.Cmd {
	if os.Geteuid() == 0 {
		return exec.Command("setpriv", append([]string{"--reuid=postgres", "--regid=postgres", "--clear-groups", program}, arguments...)...)
	}
	return exec.Command(program, arguments...)
}

func hand(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() == 0 {
		must(t, exec.Command("chown", "-R", "postgres:postgres", dir))
	}
}

func must(t *testing.T, command *exec.Cmd) {
	t.Helper()
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command.Args, " "), err, output)
	}
}

// start runs a server until the test ends or the returned function is called.
func start(t *testing.T, command *exec.Cmd) func() {
	t.Helper()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		_ = command.Process.Signal(syscall.SIGINT)
		_ = command.Wait()
	}
	t.Cleanup(stop)
	return stop
}

func freePort(t *testing.T) uint16 {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return uint16(listener.Addr().(*net.TCPAddr).Port)
}

// eventually: a server needs a moment until it listens, and Postgres another until it has started.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
