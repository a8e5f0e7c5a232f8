package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	runnerv1 "code.gitea.io/actions-proto-go/runner/v1"
	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
)

// Server is the part of Gitea's runner API that a report is sent by.
type Server interface {
	UpdateLog(context.Context, *connect.Request[runnerv1.UpdateLogRequest]) (*connect.Response[runnerv1.UpdateLogResponse], error)
	UpdateTask(context.Context, *connect.Request[runnerv1.UpdateTaskRequest]) (*connect.Response[runnerv1.UpdateTaskResponse], error)
}

// ErrLost says that Gitea no longer has rows that it had acknowledged: nothing can be sent after them.
var ErrLost = errors.New("Gitea has lost rows of the log that it had acknowledged")

// batchRows and batchBytes bound one request.
const (
	batchRows  = 500
	batchBytes = 1 << 20
)

// Send sends what is new: rows, then the state, which also tells Gitea that the job is alive.
// It returns the result that the task has in Gitea: unspecified while it runs, cancelled when somebody cancelled it.
func (r *Report) Send(ctx context.Context) (runnerv1.Result, error) {
	if err := r.sendRows(ctx, false); err != nil {
		return runnerv1.Result_RESULT_UNSPECIFIED, err
	}
	return r.sendState(ctx)
}

// Close ends the report with a result, and tries until `limit` has passed. The state is sent also when rows cannot be.
func (r *Report) Close(ctx context.Context, result runnerv1.Result, limit time.Duration) error {
	r.mutex.Lock()
	Finish(r.state, result, time.Now())
	ended := r.state.Result
	r.mutex.Unlock()
	// Gitea closes a log with the request that holds its last row: there must be one.
	r.Say("The job ended: %s.", wordOf(ended))
	return errors.Join(
		until(ctx, limit/2, func() error { return r.sendRows(ctx, true) }),
		until(ctx, limit/2, func() error { _, err := r.sendState(ctx); return err }),
	)
}

// sendRows sends rows until all are acknowledged.
func (r *Report) sendRows(ctx context.Context, last bool) error {
	for {
		index, rows, all := r.batch()
		if len(rows) == 0 {
			return nil
		}
		answer, err := r.server.UpdateLog(ctx, connect.NewRequest(&runnerv1.UpdateLogRequest{
			TaskId: r.Task, Index: index, Rows: rows, NoMore: last && all,
		}))
		if err != nil {
			return fmt.Errorf("send rows %d to %d of the log: %w", index, index+int64(len(rows))-1, err)
		}
		if err := r.acknowledge(answer.Msg.AckIndex); err != nil {
			return err
		}
		if answer.Msg.AckIndex == index {
			return fmt.Errorf("send rows from %d of the log: Gitea took none", index)
		}
	}
}

// batch is what goes into one request, its index in the log, and whether it is all there is.
func (r *Report) batch() (index int64, rows []*runnerv1.LogRow, all bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	size, bytes := 0, 0
	for size < len(r.rows) && size < batchRows {
		bytes += proto.Size(r.rows[size])
		if bytes > batchBytes && size > 0 {
			break
		}
		size++
	}
	return r.acknowledged, append(rows, r.rows[:size]...), size == len(r.rows)
}

// acknowledge drops the rows that Gitea has: all before `index`.
func (r *Report) acknowledge(index int64) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	count := index - r.acknowledged
	if count < 0 {
		return fmt.Errorf("%w: %d were acknowledged, %d are there", ErrLost, r.acknowledged, index)
	}
	if count > int64(len(r.rows)) {
		return fmt.Errorf("Gitea acknowledged %d rows of the log, %d were sent", index, r.acknowledged+int64(len(r.rows)))
	}
	r.rows = r.rows[count:]
	r.acknowledged = index
	return nil
}

func (r *Report) sendState(ctx context.Context) (runnerv1.Result, error) {
	state := r.State()
	answer, err := r.server.UpdateTask(ctx, connect.NewRequest(&runnerv1.UpdateTaskRequest{State: state}))
	if err != nil {
		return runnerv1.Result_RESULT_UNSPECIFIED, fmt.Errorf("send the state of the job: %w", err)
	}
	return answer.Msg.GetState().GetResult(), nil
}

// until repeats an act that fails, once a second. What Gitea has lost stays lost.
func until(ctx context.Context, limit time.Duration, act func() error) error {
	end := time.Now().Add(limit)
	for {
		err := act()
		if err == nil || errors.Is(err, ErrLost) || time.Now().Add(pause).After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

var pause = time.Second

func wordOf(result runnerv1.Result) string {
	for word, known := range results {
		if known == result {
			return word
		}
	}
	return "unknown"
}
