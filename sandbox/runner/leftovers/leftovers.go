// Package leftovers ends the processes a job leaves behind. The engine ends the shell of a step that is cancelled; what the shell
// has started in the background is nobody's.
package leftovers

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Adopt makes this process the parent of whatever its descendants leave behind, so that End finds it.
func Adopt() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// End kills every descendant of this process and waits until none is left. Only between jobs: it also takes the exit status of
// children, which is the engine's as long as one runs. It returns how many there were.
func End(limit time.Duration) (int, error) {
	seen := map[int]bool{}
	for end := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		descendants, err := below(os.Getpid())
		if err != nil {
			return len(seen), err
		}
		reap()
		if len(descendants) == 0 {
			return len(seen), nil
		}
		if time.Now().After(end) {
			return len(seen), fmt.Errorf("end what the job left behind: %d processes are still there after %s", len(descendants), limit)
		}
		for _, pid := range descendants {
			seen[pid] = true
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return len(seen), fmt.Errorf("end process %d, which the job left behind: %w", pid, err)
			}
		}
	}
}

func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
	}
}

// below are the running descendants of a process.
func below(root int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("look for what the job left behind: %w", err)
	}
	children := map[int][]int{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if parent, running := parentOf(pid); running {
			children[parent] = append(children[parent], pid)
		}
	}
	var found []int
	for queue := []int{root}; len(queue) > 0; queue = queue[1:] {
		found = append(found, children[queue[0]]...)
		queue = append(queue, children[queue[0]]...)
	}
	return found, nil
}

// parentOf reads proc(5): the name may hold spaces and brackets, the fields after its last bracket do not.
func parentOf(pid int) (parent int, running bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 2 {
		return 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return parent, err == nil && fields[0] != "Z" && fields[0] != "X"
}
