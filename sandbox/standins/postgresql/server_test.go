package postgresql

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

const programs = "/usr/lib/postgresql/15/bin"

// startPostgres starts an empty server on 127.0.0.1 and stops it after the test.
func startPostgres(t *testing.T) *server {
	t.Helper()
	account, err := user.Lookup("postgres")
	if _, missing := os.Stat(filepath.Join(programs, "initdb")); missing != nil || err != nil || os.Getuid() != 0 {
		t.Skip("needs root, Postgres 15 (postgresql-15) and its user postgres")
	}
	data, err := os.MkdirTemp("", "standins-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(data) })
	uid, gid := number32(account.Uid), number32(account.Gid)
	if err := os.Chown(data, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	as := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
	initdb := exec.Command(filepath.Join(programs, "initdb"), "--no-sync", "-D", data, "--auth", "trust")
	initdb.SysProcAttr = as
	if output, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, output)
	}
	port := freePort(t)
	postgres := exec.Command(filepath.Join(programs, "postgres"), "-D", data, "-c", "listen_addresses=127.0.0.1",
		"-c", fmt.Sprintf("port=%d", port), "-c", "unix_socket_directories=", "-c", "fsync=off")
	postgres.SysProcAttr = as
	if err := postgres.Start(); err != nil {
		t.Fatal(err)
	}
	server := newServer(settings{
		Host: "127.0.0.1", Port: port, Database: "postgres", Username: "postgres", SSLMode: "disable", Superuser: true, ConnectTimeout: time.Second,
	})
	t.Cleanup(func() {
		server.leave("postgres")
		_ = postgres.Process.Signal(syscall.SIGINT)
		_ = postgres.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if err = server.execute(t.Context(), "", "select 1"); err == nil {
			return server
		}
		if time.Now().After(deadline) {
			t.Fatalf("Postgres does not answer: %v", err)
		}
	}
}

func number32(text string) uint32 {
	number, _ := strconv.ParseUint(text, 10, 32)
	return uint32(number)
}

func freePort(t *testing.T) int64 {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return int64(listener.Addr().(*net.TCPAddr).Port)
}

// TestGrantsOfEveryKind grants and revokes on each kind of object, and reads back what Postgres holds.
func TestGrantsOfEveryKind(t *testing.T) {
	server, ctx := startPostgres(t), t.Context()
	run := func(statements ...string) {
		t.Helper()
		if err := server.transact(ctx, "", "test", statements...); err != nil {
			t.Fatal(err)
		}
	}
	run(`create role "reader's"`, "create schema s", "create table s.one (id int)", "create sequence s.counter",
		"create function s.f(int) returns int language sql as 'select 1'", "create procedure s.p() language sql as 'select 1'")
	for name, kind := range kinds {
		for _, role := range []string{`reader's`, "public"} {
			one := target{role: role, database: "postgres", schema: "s", kindName: name, kind: kind}
			run(one.revoke())
			expect(ctx, t, server, one, nil)
			run(one.grant([]string{"ALL"}, role != "public"))
			expect(ctx, t, server, one, kind.privileges)
			run(one.revoke())
			expect(ctx, t, server, one, nil)
		}
	}
}

func expect(ctx context.Context, t *testing.T, server *server, one target, want []string) {
	t.Helper()
	rows, err := rowsIn[privilegesRow](ctx, server, one.database, one.kind.read, one.arguments()...)
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %v, %d objects", one.kindName, err, len(rows))
	}
	for _, row := range rows {
		if !slices.Equal(row.Held, want) && len(row.Held)+len(want) > 0 {
			t.Errorf("%s for %s: holds %v, not %v", one.kindName, one.role, row.Held, want)
		}
	}
}

// TestPasswordsAreRecognised compares what Postgres stores with what it was made from.
func TestPasswordsAreRecognised(t *testing.T) {
	server, ctx := startPostgres(t), t.Context()
	for _, method := range []string{"scram-sha-256", "md5"} {
		password := `s'ec\ret ` + method
		err := server.transact(ctx, "", "test", "set local password_encryption = "+literal(method),
			`create role "rig `+method+`" password `+literal(password))
		if err != nil {
			t.Fatal(err)
		}
		type row struct{ Stored string }
		found, _, err := rowIn[row](ctx, server, "", "select rolpassword as stored from pg_authid where rolname = $1", "rig "+method)
		if err != nil {
			t.Fatal(err)
		}
		if !verifies(found.Stored, "rig "+method, password) || verifies(found.Stored, "rig "+method, password+" ") {
			t.Errorf("%s is not told apart", method)
		}
	}
}
