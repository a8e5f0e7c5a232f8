package longhorn

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// How often an attached volume is verified, and how long a machine may be silent before its volumes may move.
const (
	scrubPeriod = 10 * time.Second
	beatPeriod  = 3 * time.Second
	silence     = 15 * time.Second
)

// Agent serves one machine: its replicas, its attached volumes, its heartbeat.
type Agent struct {
	Node      string
	Kube      *Kube
	Addresses map[string]string // of every machine's replica server
	mutex     sync.Mutex
	attached  map[string]*device
	// Open without being mounted: volumes that are being restored, or backed up while nobody uses them.
	held map[string]bool
	// Held while the state of a volume is written, and taken before mutex: of a report and a detach the later one is right.
	writing sync.Mutex
	backups backupWork
	// The settings as they were read last: another map each time, so that a reader may keep the one it was given.
	known struct {
		sync.Mutex
		settings map[string]string
	}
	// What an earlier agent of this machine left is cleared away.
	ready atomic.Bool
}

// attachVolume makes a volume usable on this machine and returns where it is mounted.
func (a *Agent) attachVolume(name string) (string, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if known, ok := a.attached[name]; ok {
		return known.folder, nil
	}
	if a.held[name] {
		return "", fmt.Errorf("volume %s is being backed up or restored", name)
	}
	engine, err := a.open(name, func(v volume) error {
		if !v.restored() {
			return fmt.Errorf("volume %s is not restored from its backup yet: %s", name, v.restoring().Message)
		}
		return nil
	}, func() { a.report(name) })
	if err != nil {
		return "", err
	}
	d, err := attach(engine)
	if err != nil {
		engine.Close()
		return "", errors.Join(err, a.patchVolume(name, "unknown", "detached", ""))
	}
	if a.attached == nil {
		a.attached = map[string]*device{}
	}
	a.attached[name] = d
	go a.report(name)
	return d.folder, nil
}

// open claims a volume for this machine, if it may be opened and no other has it, and opens its engine.
func (a *Agent) open(name string, may func(volume) error, changed func()) (*Engine, error) {
	replicas, err := a.replicasOf(name)
	if err != nil {
		return nil, err
	}
	v, err := a.claim(name, func(v volume) error {
		// Opened on those it has, it would call itself healthy on fewer than it is to have until it is detached again.
		if wanted := max(1, v.Spec.NumberOfReplicas); len(replicas) < wanted {
			return fmt.Errorf("volume %s has only %d of its %d replicas yet", name, len(replicas), wanted)
		}
		return may(v)
	})
	if err != nil {
		return nil, err
	}
	engine, err := openEngine(name, v.Spec.Size, replicas, changed)
	if err == nil {
		err = a.awaitReplicas(engine)
	}
	if err != nil {
		_ = a.patchVolume(name, "faulted", "detached", "")
		return nil, err
	}
	return engine, nil
}

// claim writes into a volume that it is this machine's. Of two machines that saw it free only one can.
func (a *Agent) claim(name string, may func(volume) error) (v volume, err error) {
	for range 5 {
		v = volume{}
		if err = a.Kube.Do(http.MethodGet, group+"volumes/"+name, nil, &v); err == nil {
			err = may(v)
		}
		if err != nil {
			return v, err
		}
		if holder := v.Status.CurrentNodeID; holder != "" && holder != a.Node {
			alive, err := a.alive(holder)
			if err != nil {
				return v, err
			}
			if alive {
				return v, fmt.Errorf("volume %s is still attached to %s", name, holder)
			}
		}
		status := map[string]string{"state": "attaching", "currentNodeID": a.Node}
		unchanged := map[string]string{"resourceVersion": v.Metadata.ResourceVersion}
		err = a.Kube.patch("volumes", name, "/status", map[string]any{"metadata": unchanged, "status": status})
		if !errors.Is(err, ErrConflict) {
			return v, err
		}
	}
	return v, err
}

// hold opens a volume that nobody uses, without mounting it, for as long as work takes.
func (a *Agent) hold(name string, may func(volume) error, work func(*Engine) error) error {
	a.mutex.Lock()
	if a.attached[name] != nil || a.held[name] {
		a.mutex.Unlock()
		return fmt.Errorf("volume %s is in use on %s", name, a.Node)
	}
	if a.held == nil {
		a.held = map[string]bool{}
	}
	a.held[name] = true
	a.mutex.Unlock()
	defer func() {
		a.mutex.Lock()
		defer a.mutex.Unlock()
		delete(a.held, name)
	}()
	engine, err := a.open(name, may, func() {})
	if err != nil {
		return err
	}
	err = work(engine)
	engine.Close()
	if freed := a.patchVolume(name, "unknown", "detached", ""); freed != nil && !errors.Is(freed, ErrNotFound) {
		err = errors.Join(err, freed)
	}
	return err
}

// awaitReplicas refuses to go on without a replica whose machine is only coming up: it may have what the others missed.
func (a *Agent) awaitReplicas(engine *Engine) error {
	for _, r := range engine.replicas {
		if !r.silent {
			continue
		}
		alive, err := a.alive(r.node)
		if err == nil && alive {
			err = fmt.Errorf("the replica of %s on %s does not answer yet", engine.Volume, r.node)
		}
		if err != nil {
			engine.Close()
			return err
		}
	}
	return nil
}

func (a *Agent) replicasOf(name string) ([]*remote, error) {
	resources, err := list[replicaResource](a.Kube, group+"replicas?labelSelector=longhornvolume="+name)
	if err != nil {
		return nil, err
	}
	generation := time.Now().UnixNano()
	var own, others []*remote
	for _, r := range resources {
		one := &remote{
			name: r.Metadata.Name, folder: r.Spec.DataDirectoryName, node: r.Spec.NodeID, address: a.Addresses[r.Spec.NodeID],
			engine: r.Spec.EngineName, generation: generation, failed: r.Spec.FailedAt != "",
		}
		if r.Spec.NodeID == a.Node {
			own = append(own, one)
		} else {
			others = append(others, one)
		}
	}
	// Reads go to the machine's own replica first.
	return append(own, others...), nil
}

// alive says whether a machine's agent was heard of lately.
func (a *Agent) alive(name string) (bool, error) {
	var n node
	if err := a.Kube.Do(http.MethodGet, group+"nodes/"+name, nil, &n); err != nil {
		return false, err
	}
	for _, c := range n.Status.Conditions {
		if at, err := time.Parse(time.RFC3339, c.LastProbeTime); err == nil && c.Type == "Ready" {
			return time.Since(at) < silence, nil
		}
	}
	return false, nil
}

func (a *Agent) detachVolume(name string) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	a.mutex.Lock()
	defer a.mutex.Unlock()
	d, ok := a.attached[name]
	if a.held[name] {
		return nil
	}
	if !ok {
		detachStale(name)
		// The API server may have refused it when the volume was detached.
		return a.letGo(name)
	}
	if err := d.detach(); err != nil {
		return err
	}
	delete(a.attached, name)
	if err := a.patchVolume(name, "unknown", "detached", ""); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

func (a *Agent) patchVolume(name, robustness, state, current string) error {
	status := map[string]string{"robustness": robustness, "state": state, "currentNodeID": current}
	if err := a.Kube.patch("volumes", name, "", map[string]any{"spec": map[string]string{"nodeID": current}}); err != nil {
		return err
	}
	return a.Kube.patch("volumes", name, "/status", map[string]any{"status": status})
}

// Run beats and scrubs until the process ends.
func (a *Agent) Run() {
	go func() {
		for range time.Tick(scrubPeriod) {
			a.mutex.Lock()
			devices := map[string]*device{}
			for name, d := range a.attached {
				devices[name] = d
			}
			a.mutex.Unlock()
			settings := a.settings()
			for name, d := range devices {
				if settings[settingIntegrity] != "disabled" {
					d.engine.Scrub()
					a.report(name)
				}
				if settings[settingRebuilds] != "0" {
					d.engine.Rebuild()
				}
				a.report(name)
			}
		}
	}()
	for ; ; time.Sleep(beatPeriod) {
		if err := a.beat(); err != nil {
			log.Printf("heartbeat: %v", err)
		}
	}
}

func (a *Agent) beat() error {
	now := time.Now().UTC().Format(time.RFC3339)
	status := map[string]any{"status": map[string]any{"conditions": []condition{{Type: "Ready", Status: "True", LastProbeTime: now}}}}
	err := a.Kube.patch("nodes", a.Node, "/status", status)
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	made := map[string]any{
		"apiVersion": "longhorn.io/v1beta2", "kind": "Node",
		"metadata": map[string]string{"name": a.Node, "namespace": Namespace},
		"spec":     map[string]any{"name": a.Node, "allowScheduling": true},
	}
	return a.Kube.Do(http.MethodPost, group+"nodes", made, nil)
}
