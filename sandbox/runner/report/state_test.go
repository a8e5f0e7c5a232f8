package report

import (
	"testing"
	"time"

	runnerv1 "code.gitea.io/actions-proto-go/runner/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	success   = runnerv1.Result_RESULT_SUCCESS
	failure   = runnerv1.Result_RESULT_FAILURE
	cancelled = runnerv1.Result_RESULT_CANCELLED
	skipped   = runnerv1.Result_RESULT_SKIPPED
	open      = runnerv1.Result_RESULT_UNSPECIFIED
)

func TestResultOf(t *testing.T) {
	for word, want := range map[string]runnerv1.Result{
		"success": success, "failure": failure, "cancelled": cancelled, "skipped": skipped,
		"": failure, "Success": failure, "neutral": failure,
	} {
		if got := resultOf(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}

func TestFinish(t *testing.T) {
	for name, test := range map[string]struct {
		// begun are the steps that have begun; ended is what each was said to be.
		begun []bool
		ended []runnerv1.Result
		job   runnerv1.Result
		want  []runnerv1.Result
		whole runnerv1.Result
	}{
		"all is well":                   {[]bool{true, true}, []runnerv1.Result{success, success}, success, []runnerv1.Result{success, success}, success},
		"the rest is skipped":           {[]bool{true, false}, []runnerv1.Result{failure, open}, failure, []runnerv1.Result{failure, skipped}, failure},
		"cancelled in a step":           {[]bool{true, true, false}, []runnerv1.Result{success, open, open}, cancelled, []runnerv1.Result{success, cancelled, cancelled}, cancelled},
		"failed in a step":              {[]bool{true, true}, []runnerv1.Result{success, open}, failure, []runnerv1.Result{success, failure}, failure},
		"a step that never ended, good": {[]bool{true}, []runnerv1.Result{open}, success, []runnerv1.Result{failure}, failure},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			state := newState(7, len(test.begun), now)
			for index, begun := range test.begun {
				if begun {
					state.Steps[index].StartedAt = timestamppb.New(now)
				}
				state.Steps[index].Result = test.ended[index]
			}
			Finish(state, test.job, now)
			for index, want := range test.want {
				if got := state.Steps[index].Result; got != want {
					t.Errorf("step %d: got %s, want %s", index, got, want)
				}
			}
			if state.Result != test.whole || state.StoppedAt == nil {
				t.Errorf("the job: got %s (stopped %v), want %s", state.Result, state.StoppedAt, test.whole)
			}
		})
	}
}
