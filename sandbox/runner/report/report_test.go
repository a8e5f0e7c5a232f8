package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	runnerv1 "code.gitea.io/actions-proto-go/runner/v1"
	"connectrpc.com/connect"
	"github.com/sirupsen/logrus"
)

// server keeps a log as Gitea 1.25 does: what it has already is not taken twice, what leaves a gap is not taken at all.
type server struct {
	rows   []string
	closed bool
	calls  int
	states []*runnerv1.TaskState
	// answer is what the task is in Gitea.
	answer runnerv1.Result
	// takes bounds the rows of one request; fails is asked before every request.
	takes int
	fails func(call int) error
}

func (s *server) UpdateLog(_ context.Context, request *connect.Request[runnerv1.UpdateLogRequest]) (*connect.Response[runnerv1.UpdateLogResponse], error) {
	s.calls++
	var failed error
	if s.fails != nil {
		failed = s.fails(s.calls)
	}
	message, there := request.Msg, int64(len(s.rows))
	if errors.Is(failed, errUnheard) {
		return nil, failed
	}
	if len(message.Rows) > 0 && message.Index <= there && message.Index+int64(len(message.Rows)) > there {
		if s.closed {
			return nil, errors.New("log file has been archived")
		}
		fresh := message.Rows[there-message.Index:]
		if s.takes > 0 && len(fresh) > s.takes {
			fresh = fresh[:s.takes]
		}
		for _, row := range fresh {
			s.rows = append(s.rows, row.Content)
		}
		s.closed = message.NoMore
	}
	if failed != nil {
		return nil, failed
	}
	return connect.NewResponse(&runnerv1.UpdateLogResponse{AckIndex: int64(len(s.rows))}), nil
}

func (s *server) UpdateTask(_ context.Context, request *connect.Request[runnerv1.UpdateTaskRequest]) (*connect.Response[runnerv1.UpdateTaskResponse], error) {
	s.states = append(s.states, request.Msg.State)
	return connect.NewResponse(&runnerv1.UpdateTaskResponse{State: &runnerv1.TaskState{Result: s.answer}}), nil
}

var (
	errUnheard    = errors.New("Gitea did not hear it")
	errUnanswered = errors.New("Gitea heard it, the answer was lost")
)

func begin(t *testing.T, gitea *server, steps int) *Report {
	t.Helper()
	pause = time.Millisecond
	return New(gitea, Options{
		Task: 7, Steps: steps, Masks: NewMasks("s3cret"),
		Keep:  func(*runnerv1.TaskState) error { return nil },
		Added: func(context.Context) []string { return []string{"added"} },
	})
}

func entry(level logrus.Level, message string, fields logrus.Fields) *logrus.Entry {
	return &logrus.Entry{Level: level, Message: message, Data: fields, Time: time.Now(), Context: context.Background()}
}

func step(number int, more logrus.Fields) logrus.Fields {
	fields := logrus.Fields{"stage": "Main", "stepNumber": number, "stepID": []string{fmt.Sprint(number)}}
	for key, value := range more {
		fields[key] = value
	}
	return fields
}

func fire(t *testing.T, report *Report, level logrus.Level, message string, fields logrus.Fields) {
	t.Helper()
	if err := report.Fire(entry(level, message, fields)); err != nil {
		t.Fatal(err)
	}
}

func TestRowsOfSteps(t *testing.T) {
	report := begin(t, &server{}, 2)
	fire(t, report, logrus.InfoLevel, "set up", nil)
	fire(t, report, logrus.InfoLevel, "with s3cret and added\r\n", step(0, nil))
	fire(t, report, logrus.DebugLevel, "for nobody", step(0, nil))
	fire(t, report, logrus.InfoLevel, "one\ntwo", step(0, nil))
	fire(t, report, logrus.InfoLevel, "::add-mask::added", step(0, nil))
	fire(t, report, logrus.InfoLevel, "bytes \xff", step(0, nil))
	fire(t, report, logrus.InfoLevel, "inner", step(0, logrus.Fields{"stepID": []string{"0", "x"}, "stepResult": "failure"}))
	fire(t, report, logrus.InfoLevel, "good", step(0, logrus.Fields{"stepResult": "success"}))
	fire(t, report, logrus.DebugLevel, "skipping", step(1, logrus.Fields{"stepResult": "skipped"}))
	fire(t, report, logrus.InfoLevel, "after", logrus.Fields{"jobResult": "success"})
	var rows []string
	for _, row := range report.rows {
		rows = append(rows, row.Content)
	}
	want := []string{"set up", "with *** and ***", "one", "two", "bytes \uFFFD", "inner", "good", "after"}
	if !slices.Equal(rows, want) {
		t.Errorf("rows: got %q, want %q", rows, want)
	}
	first, second := report.State().Steps[0], report.State().Steps[1]
	if first.LogIndex != 1 || first.LogLength != 6 || first.Result != success || first.StoppedAt == nil {
		t.Errorf("the first step: %v", first)
	}
	if second.Result != skipped || second.LogLength != 0 {
		t.Errorf("the second step: %v", second)
	}
	if report.Result() != success {
		t.Errorf("the job: %s", report.Result())
	}
}

func TestEveryRowArrivesOnce(t *testing.T) {
	for name, fails := range map[string]func(int) error{
		"nothing fails": nil,
		"a request is not heard": func(call int) error {
			if call == 2 {
				return errUnheard
			}
			return nil
		},
		"an answer is lost": func(call int) error {
			if call == 2 {
				return errUnanswered
			}
			return nil
		},
		"the last answer is lost": func(call int) error {
			if call == 4 {
				return errUnanswered
			}
			return nil
		},
	} {
		for _, takes := range []int{0, 7} {
			t.Run(fmt.Sprint(name, ", takes ", takes), func(t *testing.T) {
				gitea := &server{fails: fails, takes: takes}
				report := begin(t, gitea, 1)
				var want []string
				for round := range 3 {
					for row := range 20 {
						line := fmt.Sprintf("row %d.%d", round, row)
						want = append(want, line)
						fire(t, report, logrus.InfoLevel, line, nil)
					}
					// What fails is sent again with the next.
					_, _ = report.Send(context.Background())
				}
				if err := report.Close(context.Background(), success, time.Second); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(gitea.rows, append(want, "The job ended: success.")) {
					t.Errorf("got %d rows: %s", len(gitea.rows), strings.Join(gitea.rows, "|"))
				}
				if !gitea.closed || gitea.states[len(gitea.states)-1].Result != success {
					t.Errorf("log closed %v, state %v", gitea.closed, gitea.states[len(gitea.states)-1])
				}
			})
		}
	}
}

func TestBatches(t *testing.T) {
	gitea := &server{}
	report := begin(t, gitea, 0)
	for range batchRows + 1 {
		fire(t, report, logrus.InfoLevel, "row", nil)
	}
	long := strings.Repeat("x", batchBytes*2/3)
	fire(t, report, logrus.InfoLevel, long, nil)
	fire(t, report, logrus.InfoLevel, long, nil)
	if _, err := report.Send(context.Background()); err != nil {
		t.Fatal(err)
	}
	if gitea.calls != 3 || len(gitea.rows) != batchRows+3 {
		t.Errorf("%d rows in %d requests", len(gitea.rows), gitea.calls)
	}
}

func TestLostRows(t *testing.T) {
	gitea := &server{}
	report := begin(t, gitea, 0)
	fire(t, report, logrus.InfoLevel, "one", nil)
	if _, err := report.Send(context.Background()); err != nil {
		t.Fatal(err)
	}
	gitea.rows = nil
	fire(t, report, logrus.InfoLevel, "two", nil)
	err := report.Close(context.Background(), success, time.Second)
	if !errors.Is(err, ErrLost) {
		t.Errorf("got %v", err)
	}
	if last := gitea.states[len(gitea.states)-1]; last.Result != success {
		t.Errorf("the state was not sent: %v", last)
	}
}

func TestCancelled(t *testing.T) {
	report := begin(t, &server{answer: cancelled}, 1)
	result, err := report.Send(context.Background())
	if err != nil || result != cancelled {
		t.Errorf("got %s, %v", result, err)
	}
}

func TestLost(t *testing.T) {
	gitea := &server{rows: []string{"one", "two"}}
	state := newState(7, 2, time.Now())
	state.Steps[0].StartedAt = state.StartedAt
	if err := Lost(context.Background(), gitea, state, "killed"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(gitea.rows, []string{"one", "two", "killed"}) || !gitea.closed {
		t.Errorf("rows %q, closed %v", gitea.rows, gitea.closed)
	}
	last := gitea.states[0]
	if last.Result != failure || last.Steps[0].Result != failure || last.Steps[1].Result != skipped {
		t.Errorf("state %v", last)
	}
}
