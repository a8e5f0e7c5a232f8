package longhorn

import (
	"net/http"
	"testing"
)

func TestSettingsStayAsTheyWereReadLast(t *testing.T) {
	kube, reader := newFakeKube(t)
	a := &Agent{Node: "pi1", Kube: &Kube{server: "http://127.0.0.1:1", http: http.DefaultClient}}
	if value := a.settings()[settingIntegrity]; value != "enabled" {
		t.Errorf("before anything was read: %q", value)
	}
	kube.put(t, "settings", `{"metadata":{"name":"`+settingIntegrity+`"},"value":"disabled"}`)
	unreachable := a.Kube
	for _, now := range []*Kube{reader, unreachable} {
		a.Kube = now
		if value := a.settings()[settingIntegrity]; value != "disabled" {
			t.Errorf("replicas are verified although that is turned off: %q", value)
		}
	}
	kube.put(t, "settings", `{"metadata":{"name":"`+settingIntegrity+`"},"value":"enabled"}`)
	a.Kube = reader
	if value := a.settings()[settingIntegrity]; value != "enabled" {
		t.Errorf("turned on again: %q", value)
	}
}
