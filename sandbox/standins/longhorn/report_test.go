package longhorn

import "testing"

func replicaIn(failedAt, healthyAt string) resource {
	return resource{"spec": map[string]any{"failedAt": failedAt, "healthyAt": healthyAt}}
}

func TestWhatAReplicaSays(t *testing.T) {
	since := "2026-11-27T00:00:00Z"
	for _, one := range []struct {
		name    string
		replica resource
		mode    string
		fields  int
		failed  bool
	}{
		{"a healthy one says nothing new", replicaIn("", since), modeRW, 0, false},
		{"a new one becomes healthy", replicaIn("", ""), modeRW, 2, false},
		{"a rebuilt one is healthy again", replicaIn(since, since), modeRW, 2, false},
		{"one that fails says since when", replicaIn("", since), modeERR, 2, true},
		{"one that has failed keeps its time", replicaIn(since, since), modeERR, 0, false},
	} {
		got := replicaSays(one.replica, one.mode, "")
		if len(got.spec) != one.fields {
			t.Errorf("%s: spec %v", one.name, got.spec)
		}
		if _, failed := got.spec["lastFailedAt"]; failed != one.failed {
			t.Errorf("%s: lastFailedAt in %v", one.name, got.spec)
		}
	}
}

func TestRobustness(t *testing.T) {
	for want, modes := range map[string]map[string]string{
		"healthy":  {"a": modeRW, "b": modeRW},
		"degraded": {"a": modeRW, "b": modeERR},
		"faulted":  {"a": modeERR, "b": modeERR},
	} {
		if got := robustness(modes); got != want {
			t.Errorf("%v: %s, want %s", modes, got, want)
		}
	}
}

func TestOnlyWhatIsNotSaidYetIsWritten(t *testing.T) {
	modes := map[string]string{"r-1": modeRW}
	status := map[string]any{"state": "attached", "replicaModeMap": map[string]any{"r-1": modeRW}, "other": 1}
	if !holds(status, map[string]any{"state": "attached", "replicaModeMap": anyValues(modes)}) {
		t.Error("it is said already")
	}
	if holds(status, map[string]any{"state": "detached"}) || holds(nil, map[string]any{"state": ""}) {
		t.Error("it is not said yet")
	}
}
