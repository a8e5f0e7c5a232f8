package report

import (
	"time"

	runnerv1 "code.gitea.io/actions-proto-go/runner/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var results = map[string]runnerv1.Result{
	"success":   runnerv1.Result_RESULT_SUCCESS,
	"failure":   runnerv1.Result_RESULT_FAILURE,
	"cancelled": runnerv1.Result_RESULT_CANCELLED,
	"skipped":   runnerv1.Result_RESULT_SKIPPED,
}

// resultOf maps the engine's word to Gitea's; one that nobody knows is a failure, never a success.
func resultOf(word string) runnerv1.Result {
	if result, known := results[word]; known {
		return result
	}
	return runnerv1.Result_RESULT_FAILURE
}

// newState is the state of a task that begins now, with so many steps.
func newState(task int64, steps int, now time.Time) *runnerv1.TaskState {
	state := &runnerv1.TaskState{Id: task, StartedAt: timestamppb.New(now)}
	for index := range steps {
		state.Steps = append(state.Steps, &runnerv1.StepState{Id: int64(index)})
	}
	return state
}

// Finish ends a state: a step that had begun has the job's result, one that had not was skipped, or cancelled with the job.
func Finish(state *runnerv1.TaskState, result runnerv1.Result, now time.Time) {
	stopped := timestamppb.New(now)
	for _, step := range state.Steps {
		if step.Result != runnerv1.Result_RESULT_UNSPECIFIED {
			continue
		}
		switch {
		case step.StartedAt == nil && result != runnerv1.Result_RESULT_CANCELLED:
			step.Result = runnerv1.Result_RESULT_SKIPPED
		case result == runnerv1.Result_RESULT_SUCCESS:
			// A step that never said how it ended cannot be good, and neither can its job.
			step.Result, result = runnerv1.Result_RESULT_FAILURE, runnerv1.Result_RESULT_FAILURE
		default:
			step.Result = result
		}
		if step.StartedAt != nil {
			step.StoppedAt = stopped
		}
	}
	state.Result = result
	state.StoppedAt = stopped
}
