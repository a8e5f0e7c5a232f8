package longhorn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
)

func noise(seed int64, size int) []byte {
	content := make([]byte, size)
	_, _ = rand.New(rand.NewSource(seed)).Read(content)
	return content
}

func (s *backupStore) saved(t *testing.T, m *mounted, name string) (backupManifest, int64) {
	t.Helper()
	saved, sent, err := s.save(backupManifest{Name: name, VolumeName: "data"}, m.volume.point)
	if err != nil {
		t.Fatal(err)
	}
	return saved, sent
}

func (s *backupStore) restored(t *testing.T, name string) *mounted {
	t.Helper()
	on := newDisk()
	if err := s.restore(on, volumeSize, "data", name); err != nil {
		t.Fatal(err)
	}
	return opened(t, on)
}

// onBlocks acts before a block is stored.
func onBlocks(act func()) func(string, []byte) ([]byte, int) {
	return func(name string, content []byte) ([]byte, int) {
		if strings.HasSuffix(name, ".blk") {
			act()
		}
		return content, 0
	}
}

func TestABackupComesBackAsItWas(t *testing.T) {
	b, store := newFakeBucket(t)
	m := opened(t, newDisk())
	want := map[string][]byte{"small": []byte("x"), "large": noise(1, 700_000), "other": noise(2, 30_001)}
	for name, content := range want {
		m.make(t, name, content)
	}
	id := m.make(t, "holes", nil)
	m.put(t, id, 5*BlockSize+3, []byte("far"))
	want["holes"] = append(make([]byte, 5*BlockSize+3), "far"...)
	saved, sent := store.saved(t, m, "one")
	if saved.Size != sent || saved.Size >= volumeSize {
		t.Errorf("%d bytes were sent of a backup of %d", sent, saved.Size)
	}
	if last := b.puts[len(b.puts)-2]; last != store.manifest("data", "one") {
		t.Errorf("the last but the lock's renewal is %s, not the manifest", last)
	}
	after := store.restored(t, "one")
	for name, content := range want {
		if !bytes.Equal(after.content(t, name), content) {
			t.Errorf("%s is not what it was", name)
		}
	}
}

func TestABackupIsOfOneMoment(t *testing.T) {
	b, store := newFakeBucket(t)
	m := opened(t, newDisk())
	want := map[string][]byte{}
	for file := range 6 {
		name := fmt.Sprint("file-", file)
		want[name] = noise(int64(file), 150_000)
		m.make(t, name, want[name])
	}
	round := int64(0)
	b.onPut = onBlocks(func() {
		// All the free space is written over and over, and lasts, while the backup is made.
		for range 20 {
			round++
			for file := range 2 {
				id := m.volume.table.Entries[rootNode].Names[fmt.Sprint("file-", file)]
				m.put(t, id, 0, noise(100*round, 40_000))
			}
			if err := m.volume.Commit(); err != nil {
				t.Error(err)
			}
		}
	})
	free := m.volume.space.left()
	store.saved(t, m, "one")
	b.onPut = nil
	after := store.restored(t, "one")
	for name, content := range want {
		if !bytes.Equal(after.content(t, name), content) {
			t.Errorf("%s is not what it was at the moment of the backup", name)
		}
	}
	if err := m.volume.Commit(); err != nil || m.volume.space.left() != free {
		t.Errorf("%d blocks are free after the backup, not %d: %v", m.volume.space.left(), free, err)
	}
}

func TestAWriterIsNotRefusedSpaceForABackup(t *testing.T) {
	b, store := newFakeBucket(t)
	m := opened(t, newDisk())
	id := m.make(t, "file", noise(1, volumeSize/2))
	b.onPut = onBlocks(func() {
		for range 3 {
			m.put(t, id, 0, noise(2, volumeSize/2-64*BlockSize))
			if err := m.volume.Commit(); err != nil {
				t.Error(err)
			}
		}
	})
	_, _, err := store.save(backupManifest{Name: "one", VolumeName: "data"}, m.volume.point)
	if !errors.Is(err, errPointGone) {
		t.Errorf("the backup ended with %v", err)
	}
	if found := b.names(".cfg"); found != nil {
		t.Errorf("there is a manifest: %v", found)
	}
}

func TestADetachedVolumeEndsItsBackup(t *testing.T) {
	b, store := newFakeBucket(t)
	m := opened(t, newDisk())
	m.make(t, "file", noise(1, volumeSize/3))
	b.onPut = onBlocks(func() { _ = m.volume.Close() })
	if _, _, err := store.save(backupManifest{Name: "one", VolumeName: "data"}, m.volume.point); !errors.Is(err, errClosed) {
		t.Errorf("the backup ended with %v", err)
	}
}

func TestUnchangedBlocksAreNotSentTwice(t *testing.T) {
	b, store := newFakeBucket(t)
	m := opened(t, newDisk())
	m.make(t, "large", noise(1, 700_000))
	store.saved(t, m, "one")
	m.make(t, "small", []byte("later"))
	two, sent := store.saved(t, m, "two")
	// The block with the table, and the one with the new file.
	if sent > 2*backupBlock {
		t.Errorf("%d bytes were sent for a small file", sent)
	}
	cut, lost := store.block("data", two.Blocks[1].BlockChecksum), store.block("data", two.Blocks[2].BlockChecksum)
	b.change(cut, noise(3, len(b.objects[cut])))
	b.drop(lost)
	store.saved(t, m, "three")
	if !bytes.Equal(store.restored(t, "three").content(t, "large"), noise(1, 700_000)) {
		t.Error("blocks that the bucket had lost or changed were not sent again")
	}
}

func TestBlocksWithoutAManifestAreNoBackup(t *testing.T) {
	b, store := newFakeBucket(t)
	m := opened(t, newDisk())
	m.make(t, "large", noise(1, 700_000))
	b.onPut = func(name string, content []byte) ([]byte, int) {
		if strings.HasSuffix(name, ".blk") && len(b.names(".blk")) == 2 {
			return nil, http.StatusServiceUnavailable
		}
		return content, 0
	}
	if _, _, err := store.save(backupManifest{Name: "one", VolumeName: "data"}, m.volume.point); err == nil || b.names(".cfg") != nil {
		t.Errorf("cut off, it ended with %v and %v", err, b.names(".cfg"))
	}
	b.onPut = nil
	var refused *refusal
	if err := store.restore(newDisk(), volumeSize, "data", "one"); !errors.As(err, &refused) {
		t.Errorf("a backup without a manifest was restored: %v", err)
	}
}

func TestABucketThatForgetsIsNoticed(t *testing.T) {
	b, store := newFakeBucket(t)
	m := opened(t, newDisk())
	m.make(t, "file", noise(1, 10_000))
	b.onPut = func(name string, content []byte) ([]byte, int) {
		if strings.HasSuffix(name, ".blk") {
			return nil, 0
		}
		return content, 0
	}
	_, _, err := store.save(backupManifest{Name: "one", VolumeName: "data"}, m.volume.point)
	if err == nil || !strings.Contains(err.Error(), "does not list it") || b.names(".cfg") != nil {
		t.Errorf("it ended with %v and %v", err, b.names(".cfg"))
	}
}

func TestARestoreRefusesWhatWasNotBackedUp(t *testing.T) {
	rewrite := func(with func(*backupManifest)) func(*fakeBucket, *backupStore) {
		return func(b *fakeBucket, store *backupStore) {
			name := store.manifest("data", "one")
			var m backupManifest
			_ = json.Unmarshal(b.objects[name], &m)
			with(&m)
			text, _ := json.Marshal(m)
			b.change(name, text)
		}
	}
	for says, spoil := range map[string]func(*fakeBucket, *backupStore){
		"its checksum is":          func(b *fakeBucket, _ *backupStore) { b.rot(b.names(".blk")[1]) },
		"is missing in the bucket": func(b *fakeBucket, _ *backupStore) { b.drop(b.names(".blk")[1]) },
		"not what was backed up": func(b *fakeBucket, _ *backupStore) {
			name := b.names(".blk")[1]
			b.change(name, b.objects[name][:BlockSize])
		},
		"is of version 2":       rewrite(func(m *backupManifest) { m.Version = 2 }),
		`compressed with "lz4"`: rewrite(func(m *backupManifest) { m.CompressionMethod = "lz4" }),
		"this one has":          rewrite(func(m *backupManifest) { m.VolumeSize *= 2 }),
		"no place in a volume":  rewrite(func(m *backupManifest) { m.Blocks[0].Offset = volumeSize }),
		"a block has 0 bytes":   rewrite(func(m *backupManifest) { m.BlockSize = 0 }),
		`of volume "else"`:      rewrite(func(m *backupManifest) { m.VolumeName = "else" }),
		"no table of its files": rewrite(func(m *backupManifest) { m.Blocks = m.Blocks[1:] }),
		"cannot be read":        func(b *fakeBucket, store *backupStore) { b.change(store.manifest("data", "one"), []byte("{")) },
		"there is no backup":    func(b *fakeBucket, store *backupStore) { b.drop(store.manifest("data", "one")) },
	} {
		b, store := newFakeBucket(t)
		m := opened(t, newDisk())
		m.make(t, "file", noise(1, 700_000))
		store.saved(t, m, "one")
		spoil(b, store)
		err := store.restore(newDisk(), volumeSize, "data", "one")
		var refused *refusal
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
		if found := b.names(".lck"); found != nil {
			t.Errorf("%s: %v is left", says, found)
		}
	}
}

func TestWhatIsThereAlreadyIsNotWritten(t *testing.T) {
	on := newDisk()
	data := append(append(block("abcd"), make([]byte, 2*BlockSize)...), block("efgh")...)
	on.keep = true
	for range 2 {
		if err := writeChanged(on, 4*BlockSize, data); err != nil || !bytes.Equal(on.content[4*BlockSize:8*BlockSize], data) {
			t.Fatal(err)
		}
	}
	// Two blocks, each in the two states of a write.
	if len(on.states) != 4 {
		t.Errorf("%d states of the disk", len(on.states))
	}
}

// failing is blocks whose writes fail after some.
type failing struct {
	*disk
	left int
}

func (f *failing) write(offset int64, data []byte) error {
	if f.left--; f.left < 0 {
		return errors.New("cut off")
	}
	return f.disk.write(offset, data)
}

func TestARestoreThatWasCutOffIsMadeAgain(t *testing.T) {
	_, store := newFakeBucket(t)
	m := opened(t, newDisk())
	want := noise(1, 700_000)
	m.make(t, "file", want)
	store.saved(t, m, "one")
	// Another backup with a younger table, of which a try left everything.
	for range 3 {
		m.make(t, fmt.Sprint("later-", m.volume.sequence), []byte("x"))
		_ = m.volume.Commit()
	}
	store.saved(t, m, "two")
	for left, cut := 0, true; cut; left++ {
		fresh := newDisk()
		cut = store.restore(&failing{fresh, left}, volumeSize, "data", "one") != nil
		if cut && hasTable(fresh, volumeSize, "one") == nil {
			t.Errorf("cut off after %d writes the volume looks whole", left)
		}
		on := newDisk()
		if err := store.restore(on, volumeSize, "data", "two"); err != nil {
			t.Fatal(err)
		}
		_ = store.restore(&failing{on, left}, volumeSize, "data", "one")
		if err := store.restore(on, volumeSize, "data", "one"); err != nil {
			t.Fatal(err)
		}
		after := opened(t, on)
		if !bytes.Equal(after.content(t, "file"), want) || len(after.volume.table.Entries) != 2 {
			t.Errorf("cut off after %d writes and made again, it is not the backup", left)
		}
		if left == 1 && !cut {
			t.Error("one write is all it takes")
		}
	}
}

func TestARemovalKeepsWhatOtherBackupsNeed(t *testing.T) {
	b, store := newFakeBucket(t)
	m := opened(t, newDisk())
	m.make(t, "kept", noise(1, 700_000))
	dropped := m.make(t, "dropped", noise(2, 300_000))
	store.saved(t, m, "one")
	if status := m.Unlink(nil, &fuse.InHeader{NodeId: rootNode}, "dropped"); !status.Ok() {
		t.Fatal(status)
	}
	m.Forget(dropped, 1)
	store.saved(t, m, "two")
	before := len(b.names(".blk"))
	if err := store.remove("data", "one"); err != nil {
		t.Fatal(err)
	}
	if after := len(b.names(".blk")); after >= before {
		t.Errorf("of %d blocks none was removed", before)
	}
	if !bytes.Equal(store.restored(t, "two").content(t, "kept"), noise(1, 700_000)) {
		t.Error("the backup that was kept is not whole")
	}
	// What cannot be read may refer to every block.
	b.change(store.manifest("data", "other"), []byte("{"))
	left := len(b.names(".blk"))
	if err := store.remove("data", "two"); err != nil || len(b.names(".blk")) != left {
		t.Errorf("%d of %d blocks are left: %v", len(b.names(".blk")), left, err)
	}
	if err := store.remove("data", "other"); err != nil || b.names(".blk") != nil {
		t.Errorf("without a backup there are %v: %v", b.names(".blk"), err)
	}
}

func TestListingsOfManyObjectsAreWhole(t *testing.T) {
	b, store := newFakeBucket(t)
	for index := range 2*page + 3 {
		b.change(fmt.Sprintf("many/%05d", index), []byte("x"))
	}
	count := 0
	if err := store.bucket.each("many/", func(object) { count++ }); err != nil || count != 2*page+3 {
		t.Errorf("%d objects, %v", count, err)
	}
}
