package engine

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	runnerv1 "code.gitea.io/actions-proto-go/runner/v1"
	"github.com/sirupsen/logrus"
	"google.golang.org/protobuf/types/known/structpb"
)

// heard is what the hook was told.
type heard struct {
	mutex  sync.Mutex
	lines  []string
	said   []string
	steps  []string
	result string
	masked []string
}

func (h *heard) Levels() []logrus.Level { return logrus.AllLevels }

func (h *heard) Fire(entry *logrus.Entry) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if entry.Data["raw_output"] == true {
		h.lines = append(h.lines, strings.TrimSpace(entry.Message))
	} else {
		h.said = append(h.said, entry.Message)
	}
	if result, ended := entry.Data["stepResult"]; ended && entry.Data["stage"] == "Main" {
		h.steps = append(h.steps, result.(interface{ String() string }).String())
	}
	if result, ended := entry.Data["jobResult"].(string); ended {
		h.result = result
	}
	h.masked = Masked(entry.Context)
	return nil
}

func task(t *testing.T, workflow string) *runnerv1.Task {
	t.Helper()
	fields, err := structpb.NewStruct(map[string]any{
		"token": "job-token", "gitea_runtime_token": "runtime", "repository": "owner/name", "event_name": "pull_request",
		"event": map[string]any{"pull_request": map[string]any{"number": 7, "head": map[string]any{"sha": "abc"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &runnerv1.Task{Id: 1, WorkflowPayload: []byte(workflow), Context: fields, Secrets: map[string]string{"KEY": "s3cret"}}
}

const head = "name: w\non: pull_request\njobs:\n  one:\n    runs-on: sandbox\n"

func run(t *testing.T, ctx context.Context, workflow string, actions map[string]string) (*heard, error) {
	t.Helper()
	job, err := Read(task(t, workflow))
	if err != nil {
		t.Fatal(err)
	}
	told, work := &heard{}, t.TempDir()
	err = job.Run(ctx, Place{Instance: "http://gitea.invalid:3000", Work: work, Labels: []string{"sandbox"}, Actions: actions}, told)
	left, _ := filepath.Glob(filepath.Join(work, "engine", "*"))
	if len(left) > 0 {
		t.Errorf("the engine left %v", left)
	}
	return told, err
}

func TestHostMode(t *testing.T) {
	told, err := run(t, context.Background(), head+`    env:
      NUMBER: ${{ github.event.pull_request.number }}
      API: ${{ github.server_url }}/api/v1/repos/${{ github.repository }}
      TOKEN: ${{ github.token }}
    steps:
      - run: echo "$NUMBER $API $TOKEN ${{ secrets.KEY }}" && echo ::add-mask::mine
      - run: exit 3
      - run: echo never
      - if: always()
        run: echo always, in "$PWD" && test "$PWD" = "$GITHUB_WORKSPACE"
`, nil)
	if err == nil || told.result != "failure" {
		t.Errorf("the job: %v, %q", err, told.result)
	}
	if got := strings.Join(told.steps, " "); got != "success failure skipped success" {
		t.Errorf("the steps: %s", got)
	}
	if got := told.lines[0]; got != "7 http://gitea.invalid:3000/api/v1/repos/owner/name job-token s3cret" {
		t.Errorf("the first row: %q", got)
	}
	if len(told.masked) != 1 || told.masked[0] != "mine" {
		t.Errorf("masked: %q", told.masked)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	mark := filepath.Join(t.TempDir(), "never")
	begun := time.Now()
	_, err := run(t, ctx, head+"    steps:\n      - run: sleep 60\n      - if: always()\n        run: touch "+mark+"\n", nil)
	if err == nil || time.Since(begun) > 10*time.Second {
		t.Errorf("%v after %s", err, time.Since(begun))
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("a step ran after the job had been cancelled")
	}
}

func TestRefused(t *testing.T) {
	for name, workflow := range map[string]string{
		"containers":   head + "    container: debian\n    steps: [{run: 'true'}]\n",
		"services":     head + "    services: {db: {image: postgres}}\n    steps: [{run: 'true'}]\n",
		"several jobs": head + "    steps: [{run: 'true'}]\n  two:\n    runs-on: sandbox\n    steps: [{run: 'true'}]\n",
		"no workflow":  "{",
	} {
		if _, err := Read(task(t, workflow)); err == nil {
			t.Errorf("%s: was not refused", name)
		}
	}
	needs := task(t, head+"    steps: [{run: 'true'}]\n")
	needs.Needs = map[string]*runnerv1.TaskNeed{"zero": {}}
	if _, err := Read(needs); err == nil {
		t.Error("needs: was not refused")
	}
}

// An action that this runner was given works, with its inputs; for any other nobody is asked, least of all github.com.
func TestActions(t *testing.T) {
	action := t.TempDir()
	text := "name: a\ninputs: {word: {default: x}}\nruns:\n  using: composite\n  steps:\n    - {shell: bash, run: 'echo got ${{ inputs.word }}'}\n"
	if err := os.WriteFile(filepath.Join(action, "action.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	actions := map[string]string{"actions/checkout@v4": action}
	told, err := run(t, context.Background(), head+"    steps:\n      - uses: actions/checkout@v4\n        with: {word: it}\n", actions)
	if err != nil || !slices.Contains(told.lines, "got it") {
		t.Errorf("%v: %q", err, told.lines)
	}
	for _, uses := range []string{"actions/checkout@v5", "https://github.com/actions/cache@v4"} {
		told, err := run(t, context.Background(), head+"    steps:\n      - uses: "+uses+"\n", actions)
		if err == nil || !strings.Contains(strings.Join(told.said, " "), "fetches no actions") {
			t.Errorf("%s: %v, %q", uses, err, told.said)
		}
	}
}
