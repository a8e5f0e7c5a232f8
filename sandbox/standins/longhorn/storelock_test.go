package longhorn

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func shortLocks(t *testing.T) {
	t.Helper()
	keptTime, keptPatience, keptPause := lockTime, lockPatience, lockPause
	t.Cleanup(func() { lockTime, lockPatience, lockPause = keptTime, keptPatience, keptPause })
	lockTime, lockPatience, lockPause = 2*time.Second, 50*time.Millisecond, 5*time.Millisecond
}

func (s *backupStore) as(holder string) *backupStore {
	return &backupStore{bucket: s.bucket, prefix: s.prefix, holder: holder}
}

func TestALockHasOneHolder(t *testing.T) {
	shortLocks(t)
	b, store := newFakeBucket(t)
	held, err := store.lock("data")
	if err != nil {
		t.Fatal(err)
	}
	var taken *errLocked
	for _, other := range []*backupStore{store, store.as("pi2/one")} {
		if _, err := other.lock("data"); !errors.As(err, &taken) || taken.Holder != "pi1/one" {
			t.Errorf("%s: %v", other.holder, err)
		}
	}
	other, err := store.as("pi2/one").lock("else")
	if err != nil {
		t.Errorf("of another volume: %v", err)
	}
	other.release()
	held.release()
	if b.names(".lck") != nil {
		t.Errorf("%v is left", b.names(".lck"))
	}
}

func TestALockOfOneThatDiedIsTakenOver(t *testing.T) {
	shortLocks(t)
	b, store := newFakeBucket(t)
	name := store.folder("data") + "/locks/lock.lck"
	leave := func(holder string, until time.Time) {
		text, _ := json.Marshal(lockContent{Holder: holder, Until: until})
		b.change(name, text)
	}
	// An earlier agent of this machine, and one of another that did not renew it.
	for holder, until := range map[string]time.Time{"pi1/before": time.Now().Add(time.Hour), "pi2/one": time.Now().Add(-time.Second)} {
		leave(holder, until)
		l, err := store.lock("data")
		if err != nil {
			t.Fatalf("%s: %v", holder, err)
		}
		l.release()
	}
	leave("pi2/one", time.Now().Add(time.Hour))
	if _, err := store.lock("data"); err == nil {
		t.Error("a lock that counts was taken over")
	}
}

func TestWhoLostItsLockWritesNoManifestAndRemovesNothing(t *testing.T) {
	shortLocks(t)
	b, store := newFakeBucket(t)
	m := opened(t, newDisk())
	m.make(t, "file", noise(1, 300_000))
	lock := store.folder("data") + "/locks/lock.lck"
	lose := func() {
		text, _ := json.Marshal(lockContent{Holder: "pi2/one", Until: time.Now().Add(time.Hour)})
		b.change(lock, text)
	}
	b.onPut = func(name string, content []byte) ([]byte, int) {
		if strings.HasSuffix(name, ".blk") {
			lose()
		}
		return content, 0
	}
	_, _, err := store.save(backupManifest{Name: "one", VolumeName: "data"}, m.volume.point)
	if err == nil || b.names(".cfg") != nil {
		t.Errorf("it ended with %v and %v", err, b.names(".cfg"))
	}
	if b.names(".lck") == nil {
		t.Error("another's lock was released")
	}
	b.onPut = nil
	b.drop(lock)
	held, err := store.lock("data")
	if err != nil {
		t.Fatal(err)
	}
	lose()
	if err := held.confirm(); err == nil {
		t.Error("a lost lock was confirmed")
	}
	before := len(b.names(".blk"))
	if err := store.collect("data", held); err == nil || len(b.names(".blk")) != before {
		t.Errorf("%d of %d blocks are left: %v", len(b.names(".blk")), before, err)
	}
}

func TestARemovalWaitsForABackupUnderWay(t *testing.T) {
	shortLocks(t)
	lockPatience = 10 * time.Second
	b, store := newFakeBucket(t)
	m := opened(t, newDisk())
	m.make(t, "file", noise(1, 300_000))
	store.saved(t, m, "one")
	m.make(t, "later", noise(2, 300_000))
	removed := make(chan error, 1)
	begun := false
	b.onPut = func(name string, content []byte) ([]byte, int) {
		// The backup counts on blocks of the first one by now, and has no manifest yet.
		if strings.HasSuffix(name, ".blk") && !begun {
			begun = true
			go func() { removed <- store.as("pi2/one").remove("data", "one") }()
			time.Sleep(100 * time.Millisecond)
		}
		return content, 0
	}
	store.saved(t, m, "two")
	if err := <-removed; err != nil {
		t.Fatal(err)
	}
	if string(store.restored(t, "two").content(t, "file")) != string(noise(1, 300_000)) {
		t.Error("the removal took blocks of the backup that was being made")
	}
}
