package longhorn

import (
	"errors"
	"log"
	"net/http"
	"reflect"
	"time"
)

// resource is one of Longhorn's as the API server has it.
type resource map[string]any

func (r resource) part(name string) map[string]any {
	part, _ := r[name].(map[string]any)
	return part
}

func (r resource) name() string {
	name, _ := r.part("metadata")["name"].(string)
	return name
}

// report writes what the engine knows to the volume, its engine and its replicas: only what they do not say yet, for every
// write is one to the cluster's store, and nearly always nothing has changed.
func (a *Agent) report(name string) {
	a.writing.Lock()
	defer a.writing.Unlock()
	a.mutex.Lock()
	d, ok := a.attached[name]
	a.mutex.Unlock()
	if !ok {
		return
	}
	var v, engine resource
	failed := a.Kube.Do(http.MethodGet, group+"volumes/"+name, nil, &v)
	failed = errors.Join(failed, a.Kube.Do(http.MethodGet, group+"engines/"+d.engine.replicas[0].engine, nil, &engine))
	replicas, err := list[resource](a.Kube, group+"replicas?labelSelector=longhornvolume="+name)
	if failed = errors.Join(failed, err); failed == nil {
		modes, troubles := d.engine.Modes()
		for _, r := range replicas {
			if mode, mine := modes[r.name()]; mine {
				failed = errors.Join(failed, a.Kube.say("replicas", r, replicaSays(r, mode, troubles[r.name()])))
			}
		}
		failed = errors.Join(failed,
			a.Kube.say("engines", engine, says{
				spec:   map[string]any{"nodeID": a.Node},
				status: map[string]any{"currentState": "running", "replicaModeMap": anyValues(modes)},
			}),
			a.Kube.say("volumes", v, says{
				spec:   map[string]any{"nodeID": a.Node},
				status: map[string]any{"robustness": robustness(modes), "state": "attached", "currentNodeID": a.Node},
			}))
	}
	if failed != nil {
		log.Printf("volume %s: its state could not be written: %v", name, failed)
	}
}

// says is what a resource has to say.
type says struct{ spec, status map[string]any }

// replicaSays is what a replica has to say of itself; times are of when it began to be so.
func replicaSays(r resource, mode, trouble string) says {
	now := time.Now().UTC().Format(time.RFC3339)
	before := func(field string) bool { text, _ := r.part("spec")[field].(string); return text != "" }
	spec, state := map[string]any{}, "running"
	switch {
	case mode != modeRW:
		state = "error"
		if !before("failedAt") {
			spec["failedAt"], spec["lastFailedAt"] = now, now
		}
	case before("failedAt") || !before("healthyAt"):
		spec["failedAt"], spec["healthyAt"] = "", now
	}
	return says{spec: spec, status: map[string]any{"currentState": state, "message": trouble}}
}

func robustness(modes map[string]string) string {
	usable := 0
	for _, mode := range modes {
		if mode == modeRW {
			usable++
		}
	}
	switch usable {
	case 0:
		return "faulted"
	case len(modes):
		return "healthy"
	}
	return "degraded"
}

// say patches a resource where it says something else.
func (k *Kube) say(plural string, r resource, what says) (err error) {
	if !holds(r.part("spec"), what.spec) {
		err = k.patch(plural, r.name(), "", map[string]any{"spec": what.spec})
	}
	if !holds(r.part("status"), what.status) {
		err = errors.Join(err, k.patch(plural, r.name(), "/status", map[string]any{"status": what.status}))
	}
	return err
}

func holds(have, wanted map[string]any) bool {
	for name, value := range wanted {
		if !reflect.DeepEqual(have[name], value) {
			return false
		}
	}
	return true
}

func anyValues(texts map[string]string) map[string]any {
	values := map[string]any{}
	for name, text := range texts {
		values[name] = text
	}
	return values
}
