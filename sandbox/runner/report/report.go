package report

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	runnerv1 "code.gitea.io/actions-proto-go/runner/v1"
	"github.com/sirupsen/logrus"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Options say what a report is about.
type Options struct {
	Task  int64
	Steps int
	Masks Masks
	// Added are the values that a job itself asked to hide, by the context of one of its entries.
	Added func(context.Context) []string
	// Keep notes the state where another start of the runner finds it; called whenever a step begins or ends.
	Keep func(*runnerv1.TaskState) error
}

// Report is the engine's log hook: it gathers what is to be sent, and Send sends it.
type Report struct {
	Options
	server Server

	mutex sync.Mutex
	state *runnerv1.TaskState
	// rows are those that Gitea has not acknowledged yet; the first of them has the index `acknowledged` in the task's log.
	rows         []*runnerv1.LogRow
	acknowledged int64
	result       runnerv1.Result
	// current is the step whose main part runs, or nil.
	current *runnerv1.StepState
}

// New begins the report of a task.
func New(server Server, options Options) *Report {
	return &Report{Options: options, server: server, state: newState(options.Task, options.Steps, time.Now())}
}

// Levels are all of them: that a step was skipped is said at the level of debugging.
func (r *Report) Levels() []logrus.Level { return logrus.AllLevels }

// Fire takes one entry of the engine's log. Its fields: `stage` (Pre, Main, Post), `stepNumber`, `stepID` (one for a step of the
// job, more for a step within a composite action), `stepResult` and `jobResult` when one has ended.
func (r *Report) Fire(entry *logrus.Entry) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	step := r.stepOf(entry)
	changed := false
	if step != nil && step.StartedAt == nil {
		step.StartedAt = timestamppb.New(entry.Time)
		step.LogIndex = r.acknowledged + int64(len(r.rows))
		changed = true
	}
	r.current = step
	if entry.Level <= logrus.InfoLevel {
		r.add(entry)
	}
	if word, ended := entry.Data["stepResult"]; ended && step != nil && !within(entry) {
		step.Result = resultOf(fmt.Sprint(word))
		step.StoppedAt = timestamppb.New(entry.Time)
		changed = true
	}
	if word, ended := entry.Data["jobResult"]; ended {
		r.result = resultOf(fmt.Sprint(word))
	}
	if changed {
		return r.Keep(r.state)
	}
	return nil
}

// stepOf is the step whose main part an entry is about: what is before and after belongs to the job.
func (r *Report) stepOf(entry *logrus.Entry) *runnerv1.StepState {
	number, numbered := entry.Data["stepNumber"].(int)
	if entry.Data["stage"] != "Main" || !numbered || number < 0 || number >= len(r.state.Steps) {
		return nil
	}
	return r.state.Steps[number]
}

// within says whether an entry is about a step of a composite action, whose end is not that of the job's step.
func within(entry *logrus.Entry) bool {
	ids, listed := entry.Data["stepID"].([]string)
	return listed && len(ids) > 1
}

func (r *Report) add(entry *logrus.Entry) {
	var more []string
	if r.Added != nil && entry.Context != nil {
		more = r.Added(entry.Context)
	}
	text := r.Masks.Hide(strings.TrimRight(entry.Message, "\r\n"), more...)
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "::add-mask::") {
			continue
		}
		r.append(entry.Time, line)
	}
}

func (r *Report) append(at time.Time, line string) {
	content := strings.ToValidUTF8(strings.TrimRight(line, "\r"), "\uFFFD")
	r.rows = append(r.rows, &runnerv1.LogRow{Time: timestamppb.New(at), Content: content})
	if r.current != nil {
		r.current.LogLength++
	}
}

// Say adds a row of the runner's own.
func (r *Report) Say(format string, values ...any) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.current = nil
	r.append(time.Now(), r.Masks.Hide(fmt.Sprintf(format, values...)))
}

// Result is what the engine said of the job; unspecified as long as it said nothing.
func (r *Report) Result() runnerv1.Result {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.result
}

// State is a copy of the task's state.
func (r *Report) State() *runnerv1.TaskState {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return proto.CloneOf(r.state)
}
