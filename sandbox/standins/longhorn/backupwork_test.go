package longhorn

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func init() { retryPause = 100 * time.Millisecond }

// cluster is three machines' replica servers, an API server, a bucket, and the agent with the manager on the first of them.
type cluster struct {
	kube   *fakeKube
	bucket *fakeBucket
	store  *backupStore
	agent  *Agent
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{}
	var kube *Kube
	c.kube, kube = newFakeKube(t)
	c.bucket, c.store = newFakeBucket(t)
	c.agent = &Agent{Node: "pi1", Kube: kube, Addresses: map[string]string{}}
	c.agent.ready.Store(true)
	for _, node := range []string{"pi1", "pi2", "pi3"} {
		served := http.NewServeMux()
		served.Handle("/v1/replicas/", NewServer(t.TempDir()).Handler())
		served.HandleFunc("POST /v1/backups/{name}", c.agent.HandleBackup)
		server := httptest.NewServer(served)
		t.Cleanup(server.Close)
		c.agent.Addresses[node] = strings.TrimPrefix(server.URL, "http://")
		c.beat(t, node)
	}
	c.kube.put(t, "backuptargets", `{"metadata":{"name":"default"},"spec":{"backupTargetURL":"gs://backups/","pollInterval":"5m0s"}}`)
	c.kube.put(t, "settings", `{"metadata":{"name":"`+settingEndpoint+`"},"value":"`+c.store.bucket.endpoint+`"}`)
	return c
}

func (c *cluster) beat(t *testing.T, node string) {
	c.kube.put(t, "nodes", `{"metadata":{"name":"`+node+`"},"status":{"conditions":[{"type":"Ready","status":"True","lastProbeTime":"`+now()+`"}]}}`)
}

func (c *cluster) makeVolume(t *testing.T, name, from string) {
	t.Helper()
	var v volume
	v.APIVersion, v.Kind, v.Metadata.Name = "longhorn.io/v1beta2", "Volume", name
	v.Spec.Size, v.Spec.NumberOfReplicas, v.Spec.FromBackup = volumeSize, 3, from
	if err := c.agent.Kube.Do(http.MethodPost, group+"volumes", v, nil); err != nil {
		t.Fatal(err)
	}
	c.manage(t)
}

func (c *cluster) makeBackup(t *testing.T, name, volume string) backupResource {
	t.Helper()
	text := fmt.Sprintf(`{"metadata":{"name":"%s","labels":{"backup-volume":"%s"}},"spec":{"snapshotName":"s","labels":{"by":"test"}}}`, name, volume)
	c.kube.put(t, "backups", text)
	c.until(t, "backup "+name+" ends", func() bool {
		state := c.backup(name).Status.State
		return state == stateCompleted || state == stateError
	})
	return c.backup(name)
}

func (c *cluster) backup(name string) (b backupResource) {
	c.kube.get("backups", name, &b)
	return b
}

func (c *cluster) volume(name string) (v volume) {
	c.kube.get("volumes", name, &v)
	return v
}

// manage has one turn of what the manager does all the time.
func (c *cluster) manage(t *testing.T) {
	t.Helper()
	for _, turn := range []func() error{c.agent.complete, c.agent.orderBackups, c.agent.syncTarget} {
		if err := turn(); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *cluster) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come to it that %s", what)
		}
		c.manage(t)
	}
}

// write puts a file into a volume that nobody uses; read gives it.
func (c *cluster) write(t *testing.T, volume, file string, content []byte) {
	t.Helper()
	c.with(t, volume, func(m *mounted) { m.make(t, file, content) })
}

func (c *cluster) read(t *testing.T, volume, file string) (content []byte) {
	t.Helper()
	c.with(t, volume, func(m *mounted) { content = m.content(t, file) })
	return content
}

func (c *cluster) with(t *testing.T, name string, act func(*mounted)) {
	t.Helper()
	err := c.agent.hold(name, func(volume) error { return nil }, func(e *Engine) error {
		v, err := openVolume(e, e.Size)
		if err == nil {
			act(newMounted(v))
			err = v.Close()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAVolumeIsBackedUpAndMadeAgain(t *testing.T) {
	c := newCluster(t)
	c.makeVolume(t, "data", "")
	c.write(t, "data", "file", noise(1, 300_000))
	b := c.makeBackup(t, "one", "data")
	if b.Status.State != stateCompleted || b.Status.URL != "gs://backups/?backup=one&volume=data" || b.Status.NewlyUploadDataSize != b.Status.Size {
		t.Fatalf("%+v", b.Status)
	}
	if v := c.volume("data"); v.Status.State != "detached" || v.Status.CurrentNodeID != "" {
		t.Errorf("after its backup the volume is %+v", v.Status)
	}
	c.makeVolume(t, "again", b.Status.URL)
	c.until(t, "the volume is restored", func() bool { v := c.volume("again"); return v.restored() })
	if !bytes.Equal(c.read(t, "again", "file"), noise(1, 300_000)) {
		t.Error("the restored volume does not hold the file")
	}
	if v := c.volume("again"); v.Status.CurrentNodeID != "" {
		t.Errorf("the restored volume is still %s's", v.Status.CurrentNodeID)
	}
}

func TestAMountedVolumeIsBackedUpWhereItIs(t *testing.T) {
	c := newCluster(t)
	c.makeVolume(t, "data", "")
	engine, err := c.agent.open("data", func(volume) error { return nil }, func() {})
	if err != nil {
		t.Fatal(err)
	}
	v, err := openVolume(engine, engine.Size)
	if err != nil {
		t.Fatal(err)
	}
	m := newMounted(v)
	m.make(t, "file", []byte("written"))
	c.agent.attached = map[string]*device{"data": {engine: engine, volume: v}}
	if b := c.makeBackup(t, "one", "data"); b.Status.State != stateCompleted || b.Status.OwnerID != "pi1" {
		t.Fatalf("%+v", b.Status)
	}
	if got := c.store.restored(t, "one").content(t, "file"); string(got) != "written" {
		t.Errorf("the backup holds %q", got)
	}
	m.put(t, m.volume.table.Entries[rootNode].Names["file"], 0, []byte("later"))
}

func TestABackupWhoseVolumeMovesWhileItWaitsIsOrderedAnew(t *testing.T) {
	c := newCluster(t)
	c.makeVolume(t, "data", "")
	other := &Agent{Node: "pi2", Kube: c.agent.Kube, Addresses: c.agent.Addresses}
	// Another volume's backup is under way here: this one was ordered when nobody used the volume, and waits.
	c.agent.backups.turn.Lock()
	c.kube.put(t, "backups", `{"metadata":{"name":"one","labels":{"backup-volume":"data"},"creationTimestamp":"`+now()+`"},"spec":{"snapshotName":"s"}}`)
	c.until(t, "it waits for its turn", func() bool { return c.backup("one").Status.State == stateInProgress })
	if _, err := other.claim("data", func(volume) error { return nil }); err != nil {
		t.Fatal(err)
	}
	c.agent.backups.turn.Unlock()
	c.until(t, "it says that another machine has the volume", func() bool {
		return strings.Contains(c.backup("one").Status.Error, "still attached to pi2")
	})
	if state := c.backup("one").Status.State; state == stateError {
		t.Fatal("it was given up")
	}
	if err := other.patchVolume("data", "unknown", "detached", ""); err != nil {
		t.Fatal(err)
	}
	c.until(t, "it is made", func() bool { return c.backup("one").Status.State == stateCompleted })
	if why := c.backup("one").Status.Error; why != "" {
		t.Errorf("a completed backup says %q", why)
	}
	// One that is as old as this is not tried again.
	if _, err := other.claim("data", func(volume) error { return nil }); err != nil {
		t.Fatal(err)
	}
	c.kube.put(t, "backups", `{"metadata":{"name":"old","labels":{"backup-volume":"data"},"creationTimestamp":"2020-01-01T00:00:00Z"},"spec":{"snapshotName":"s"}}`)
	c.until(t, "it is given up", func() bool { return c.backup("old").Status.State == stateError })
}

func TestNobodyGetsAVolumeThatIsNotRestored(t *testing.T) {
	c := newCluster(t)
	c.makeVolume(t, "data", "")
	c.write(t, "data", "file", noise(1, 300_000))
	b := c.makeBackup(t, "one", "data")
	c.bucket.rot(c.bucket.names(".blk")[1])
	c.makeVolume(t, "again", b.Status.URL)
	c.until(t, "the restore is refused", func() bool { v := c.volume("again"); return v.restoring().Reason == reasonRefused })
	v := c.volume("again")
	if v.Status.Robustness != "faulted" || !strings.Contains(v.restoring().Message, "is not what was backed up") {
		t.Errorf("%+v", v.Status)
	}
	if _, err := c.agent.attachVolume("again"); err == nil || !strings.Contains(err.Error(), "not restored from its backup") {
		t.Errorf("it was attached: %v", err)
	}
	if b := c.makeBackup(t, "two", "again"); b.Status.State != stateError || !strings.Contains(b.Status.Error, "not restored itself") {
		t.Errorf("its backup ended with %+v", b.Status)
	}
}

func TestARestoreThatFoundNoBucketIsTriedAgain(t *testing.T) {
	c := newCluster(t)
	c.makeVolume(t, "data", "")
	c.write(t, "data", "file", []byte("x"))
	b := c.makeBackup(t, "one", "data")
	c.kube.put(t, "settings", `{"metadata":{"name":"`+settingEndpoint+`"},"value":"http://127.0.0.1:1"}`)
	c.makeVolume(t, "again", b.Status.URL)
	c.until(t, "it says why it waits", func() bool {
		v := c.volume("again")
		return strings.Contains(v.restoring().Message, "tried again") && v.restoring().Reason == reasonRestoring
	})
	c.kube.put(t, "settings", `{"metadata":{"name":"`+settingEndpoint+`"},"value":"`+c.store.bucket.endpoint+`"}`)
	c.until(t, "the volume is restored", func() bool { v := c.volume("again"); return v.restored() })
}

func TestABackupThatCannotBeMadeSaysWhy(t *testing.T) {
	c := newCluster(t)
	for volume, says := range map[string]string{"missing": "there is no volume missing", "": "label backup-volume is missing"} {
		if b := c.makeBackup(t, "of-"+volume+"x", volume); b.Status.State != stateError || !strings.Contains(b.Status.Error, says) {
			t.Errorf("%q: %+v", volume, b.Status)
		}
	}
	// A machine that made one is gone, and another was started again.
	c.kube.put(t, "backups", `{"metadata":{"name":"lost"},"status":{"state":"InProgress","ownerID":"pi2"}}`)
	c.kube.put(t, "backups", `{"metadata":{"name":"begun"},"status":{"state":"InProgress","ownerID":"pi1"}}`)
	c.manage(t)
	if b := c.backup("lost"); b.Status.State != stateInProgress {
		t.Errorf("a backup of a machine that is there ended with %+v", b.Status)
	}
	c.kube.put(t, "nodes", `{"metadata":{"name":"pi2"},"status":{"conditions":[{"type":"Ready","lastProbeTime":"2020-01-01T00:00:00Z"}]}}`)
	c.manage(t)
	if err := c.agent.endLostBackups(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lost", "begun"} {
		if b := c.backup(name); b.Status.State != stateError || b.Status.Error == "" {
			t.Errorf("%s: %+v", name, b.Status)
		}
	}
}

func TestADeletedBackupIsTakenOutOfTheBucket(t *testing.T) {
	c := newCluster(t)
	c.makeVolume(t, "data", "")
	c.write(t, "data", "file", noise(1, 300_000))
	c.makeBackup(t, "one", "data")
	c.write(t, "data", "other", noise(2, 300_000))
	c.makeBackup(t, "two", "data")
	before := len(c.bucket.names(".blk"))
	if err := c.agent.Kube.Do(http.MethodDelete, group+"backups/one", nil, nil); err != nil {
		t.Fatal(err)
	}
	c.until(t, "the resource is gone", func() bool { return !c.kube.get("backups", "one", &backupResource{}) })
	if found := c.bucket.names("backup_one"); found != nil || len(c.bucket.names(".blk")) >= before {
		t.Errorf("%v and %d blocks are left", found, len(c.bucket.names(".blk")))
	}
	if got := c.store.restored(t, "two").content(t, "file"); !bytes.Equal(got, noise(1, 300_000)) {
		t.Error("the backup that was kept is not whole")
	}
}

func TestAClusterWithoutRecordsFindsItsBackups(t *testing.T) {
	c := newCluster(t)
	m := opened(t, newDisk())
	m.make(t, "file", []byte("x"))
	for _, name := range []string{"one", "two"} {
		if _, _, err := c.store.save(backupManifest{Name: name, VolumeName: "data", Labels: map[string]string{"by": "test"}}, m.volume.point); err != nil {
			t.Fatal(err)
		}
	}
	c.bucket.change(c.store.manifest("data", "torn"), []byte("{"))
	// It was taken for a failed one, and another's manifest is gone.
	c.kube.put(t, "backups", `{"metadata":{"name":"two","labels":{"backup-volume":"data"}},"spec":{"snapshotName":"s"},"status":{"state":"Error"}}`)
	c.kube.put(t, "backups", `{"metadata":{"name":"gone","labels":{"backup-volume":"data"},"finalizers":["longhorn.io"]},"status":{"state":"Completed"}}`)
	c.until(t, "the bucket was looked into", func() bool {
		return c.backup("one").Status.State == stateCompleted && c.backup("two").Status.State == stateCompleted && !c.kube.get("backups", "gone", &backupResource{})
	})
	if b := c.backup("one"); b.Status.Labels["by"] != "test" || b.Metadata.Labels[backupVolumeLabel] != "data" || b.Spec.SnapshotName != "" {
		t.Errorf("%+v", b)
	}
	if c.kube.get("backups", "torn", &backupResource{}) {
		t.Error("a manifest that cannot be read has a resource")
	}
	var described struct{ Status map[string]string }
	c.until(t, "the volume of the backups is described", func() bool { return c.kube.get("backupvolumes", "data", &described) && described.Status != nil })
	if described.Status["lastBackupName"] != "two" {
		t.Errorf("%v", described.Status)
	}
	before := c.backup("one")
	c.kube.put(t, "backuptargets", `{"metadata":{"name":"default"},"spec":{"backupTargetURL":"gs://backups/","syncRequestedAt":"`+now()+`"}}`)
	var target struct{ Status map[string]any }
	c.until(t, "it was looked into again", func() bool {
		return c.kube.get("backuptargets", "default", &target) && target.Status["available"] == true
	})
	if after := c.backup("one"); after.Metadata.ResourceVersion != before.Metadata.ResourceVersion {
		t.Error("a second look changed a backup")
	}
}

func TestAVolumeIsOneMachinesAtATime(t *testing.T) {
	c := newCluster(t)
	c.makeVolume(t, "data", "")
	other := &Agent{Node: "pi2", Kube: c.agent.Kube, Addresses: c.agent.Addresses}
	err := c.agent.hold("data", func(volume) error { return nil }, func(*Engine) error {
		if _, err := other.attachVolume("data"); err == nil || !strings.Contains(err.Error(), "still attached to pi1") {
			t.Errorf("another machine took it: %v", err)
		}
		if _, err := c.agent.attachVolume("data"); err == nil {
			t.Error("this machine mounted it")
		}
		// A pod that could not be given it goes away.
		if err := c.agent.detachVolume("data"); err != nil || c.volume("data").Status.CurrentNodeID != "pi1" {
			t.Errorf("it was let go of: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Of two that saw it free one is too late.
	late := c.volume("data")
	if _, err := other.claim("data", func(volume) error { return nil }); err != nil {
		t.Fatal(err)
	}
	stale := map[string]any{"metadata": map[string]string{"resourceVersion": late.Metadata.ResourceVersion}, "status": map[string]string{"currentNodeID": "pi1"}}
	if err := c.agent.Kube.patch("volumes", "data", "/status", stale); err == nil {
		t.Error("both claimed it")
	}
}

func TestNobodyGetsAVolumeBeforeItHasItsReplicas(t *testing.T) {
	c := newCluster(t)
	c.makeVolume(t, "data", "")
	replicas, err := list[replicaResource](c.agent.Kube, group+"replicas?labelSelector=longhornvolume=data")
	if err != nil {
		t.Fatal(err)
	}
	// The manager makes one after the other: here it is between the second and the third.
	if err := c.agent.Kube.Do(http.MethodDelete, group+"replicas/"+replicas[2].Metadata.Name, nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.agent.attachVolume("data"); err == nil || !strings.Contains(err.Error(), "only 2 of its 3 replicas yet") {
		t.Errorf("it was attached: %v", err)
	}
	if holder := c.volume("data").Status.CurrentNodeID; holder != "" {
		t.Errorf("%s has it", holder)
	}
	c.manage(t)
	c.write(t, "data", "file", []byte("content"))
}
