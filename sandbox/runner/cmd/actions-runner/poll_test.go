package main

import (
	"errors"
	"testing"

	runnerv1 "code.gitea.io/actions-proto-go/runner/v1"
)

func TestResultOf(t *testing.T) {
	const (
		silent    = runnerv1.Result_RESULT_UNSPECIFIED
		success   = runnerv1.Result_RESULT_SUCCESS
		failure   = runnerv1.Result_RESULT_FAILURE
		cancelled = runnerv1.Result_RESULT_CANCELLED
	)
	for name, test := range map[string]struct {
		ended error
		said  runnerv1.Result
		want  runnerv1.Result
	}{
		"good":                                {nil, success, success},
		"bad":                                 {errors.New("job failed"), failure, failure},
		"cancelled":                           {errCancelled, success, cancelled},
		"stopped with the runner":             {errStopped, success, failure},
		"took too long":                       {errTooLong, success, failure},
		"an error after the engine said good": {errors.New("broke down"), success, failure},
		"the engine said nothing":             {nil, silent, failure},
	} {
		if got := resultOf(test.ended, test.said); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}
