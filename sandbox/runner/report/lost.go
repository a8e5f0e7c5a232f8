package report

import (
	"context"
	"fmt"
	"time"

	runnerv1 "code.gitea.io/actions-proto-go/runner/v1"
	"connectrpc.com/connect"
)

// Lost ends a task that a runner left behind which was killed: its log goes on where Gitea has it, and it failed.
func Lost(ctx context.Context, server Server, state *runnerv1.TaskState, why string) error {
	Finish(state, runnerv1.Result_RESULT_FAILURE, time.Now())
	left := &Report{Options: Options{Task: state.Id}, server: server, state: state}
	// A request without rows is answered with how many there are.
	answer, err := server.UpdateLog(ctx, connect.NewRequest(&runnerv1.UpdateLogRequest{TaskId: state.Id}))
	if err != nil {
		return fmt.Errorf("ask how long the log of task %d is: %w", state.Id, err)
	}
	left.acknowledged = answer.Msg.AckIndex
	left.Say("%s", why)
	if err := left.sendRows(ctx, true); err != nil {
		return err
	}
	_, err = left.sendState(ctx)
	return err
}
