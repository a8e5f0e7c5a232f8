package leftovers

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A step that starts something in the background, in a session of its own and deaf to hang-ups, and ends before it.
func TestEnd(t *testing.T) {
	if err := Adopt(); err != nil {
		t.Fatal(err)
	}
	output, err := exec.Command("bash", "-c", "setsid nohup sleep 300 >/dev/null 2>&1 & echo $!").Output()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(output)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("it does not run: %v", err)
	}
	count, err := End(5 * time.Second)
	if err != nil || count == 0 {
		t.Errorf("ended %d, %v", count, err)
	}
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		t.Errorf("it still runs: %v", err)
	}
	if count, err := End(time.Second); count != 0 || err != nil {
		t.Errorf("nothing was left: ended %d, %v", count, err)
	}
}
