package longhorn

import (
	"bytes"
	"fmt"
	"math/rand"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
)

const volumeSize = 2 << 20

// disk is blocks in memory. It can keep every state it had: a power cut goes back to any of them.
type disk struct {
	content []byte
	keep    bool
	states  [][]byte
}

func newDisk() *disk { return &disk{content: make([]byte, volumeSize)} }

func (d *disk) read(offset, length int64) ([]byte, error) {
	return bytes.Clone(d.content[offset : offset+length]), nil
}

func (d *disk) write(offset int64, data []byte) error {
	if len(data) == 0 || len(data)%BlockSize != 0 || offset%BlockSize != 0 {
		return fmt.Errorf("a write of %d at %d", len(data), offset)
	}
	if d.keep {
		// A write can also be cut off in its middle.
		copy(d.content[offset:], data[:len(data)/2/BlockSize*BlockSize])
		d.states = append(d.states, bytes.Clone(d.content))
	}
	copy(d.content[offset:], data)
	if d.keep {
		d.states = append(d.states, bytes.Clone(d.content))
	}
	return nil
}

func opened(t *testing.T, on blocks) *mounted {
	t.Helper()
	v, err := openVolume(on, volumeSize)
	if err != nil {
		t.Fatal(err)
	}
	return newMounted(v)
}

func (m *mounted) make(t *testing.T, name string, content []byte) uint64 {
	t.Helper()
	var out fuse.CreateOut
	header := fuse.InHeader{NodeId: rootNode}
	if status := m.Create(nil, &fuse.CreateIn{InHeader: header, Mode: 0o600}, name, &out); !status.Ok() {
		t.Fatal(status)
	}
	m.put(t, out.NodeId, 0, content)
	return out.NodeId
}

func (m *mounted) put(t *testing.T, id uint64, offset int, content []byte) {
	t.Helper()
	in := fuse.WriteIn{InHeader: fuse.InHeader{NodeId: id}, Offset: uint64(offset)}
	if _, status := m.Write(nil, &in, content); !status.Ok() {
		t.Fatal(status)
	}
}

func (m *mounted) content(t *testing.T, name string) []byte {
	t.Helper()
	id, there := m.volume.table.Entries[rootNode].Names[name]
	if !there {
		return nil
	}
	into := make([]byte, m.volume.table.Entries[id].Size)
	in := fuse.ReadIn{InHeader: fuse.InHeader{NodeId: id}, Size: uint32(len(into))}
	result, status := m.Read(nil, &in, into)
	if !status.Ok() {
		t.Fatal(status)
	}
	read, _ := result.Bytes(nil)
	return read
}

func TestFilesReadAsTheyWereWritten(t *testing.T) {
	on := newDisk()
	m := opened(t, on)
	random := rand.New(rand.NewSource(1))
	want := []byte{}
	id := m.make(t, "file", []byte("x"))
	want = append(want, 'x')
	for range 400 {
		offset, content := random.Intn(200_000), make([]byte, 1+random.Intn(20_000))
		if random.Intn(5) == 0 {
			size := random.Intn(len(want) + 5_000)
			in := fuse.SetAttrIn{SetAttrInCommon: fuse.SetAttrInCommon{InHeader: fuse.InHeader{NodeId: id}, Valid: fuse.FATTR_SIZE, Size: uint64(size)}}
			if status := m.SetAttr(nil, &in, &fuse.AttrOut{}); !status.Ok() {
				t.Fatal(status)
			}
			want = append(want[:min(size, len(want))], make([]byte, max(0, size-len(want)))...)
			continue
		}
		_, _ = random.Read(content)
		m.put(t, id, offset, content)
		want = append(want, make([]byte, max(0, offset+len(content)-len(want)))...)
		copy(want[offset:], content)
		if random.Intn(10) == 0 {
			if err := m.volume.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(m.content(t, "file"), want) {
			t.Fatal("the file is not what was written")
		}
	}
	if err := m.volume.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(opened(t, on).content(t, "file"), want) {
		t.Error("the file is not what was written after attaching again")
	}
}

func TestAfterAPowerCutAVolumeIsWhatItWasAtACommit(t *testing.T) {
	on := newDisk()
	m := opened(t, on)
	id := m.make(t, "kept", bytes.Repeat([]byte("0"), 3*BlockSize))
	commits := map[string]bool{}
	for round := range 30 {
		if err := m.volume.Commit(); err != nil {
			t.Fatal(err)
		}
		commits[string(m.content(t, "kept"))] = true
		on.keep = true
		m.put(t, id, round%3*1_000, bytes.Repeat([]byte{byte('A' + round)}, 2*BlockSize))
		m.make(t, fmt.Sprintf("other-%d", round), []byte("other"))
		if status := m.Unlink(nil, &fuse.InHeader{NodeId: rootNode}, fmt.Sprintf("other-%d", round)); !status.Ok() {
			t.Fatal(status)
		}
	}
	for index, state := range on.states {
		after := opened(t, &disk{content: state})
		if !commits[string(after.content(t, "kept"))] {
			t.Fatalf("cut off after step %d of %d: the file is none that was committed", index, len(on.states))
		}
	}
}

func TestSpaceComesBack(t *testing.T) {
	m := opened(t, newDisk())
	content := make([]byte, volumeSize/4)
	left := m.volume.space.left()
	for round := range 40 {
		id := m.make(t, "file", content)
		if status := m.Unlink(nil, &fuse.InHeader{NodeId: rootNode}, "file"); !status.Ok() {
			t.Fatal(status)
		}
		// Open files are read and written without a name.
		m.put(t, id, 0, []byte("still"))
		m.Forget(id, 1)
		if round%7 == 0 {
			if err := m.volume.Commit(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := m.volume.Commit(); err != nil {
		t.Fatal(err)
	}
	if now := m.volume.space.left(); now != left {
		t.Errorf("%d blocks are free, not %d", now, left)
	}
	m.make(t, "large", zeros(volumeSize/2))
	var out fuse.CreateOut
	if status := m.Create(nil, &fuse.CreateIn{InHeader: fuse.InHeader{NodeId: rootNode}}, "larger", &out); !status.Ok() {
		t.Fatal(status)
	}
	in := fuse.WriteIn{InHeader: fuse.InHeader{NodeId: out.NodeId}}
	if _, status := m.Write(nil, &in, zeros(volumeSize/2)); status != fuse.Status(syscall.ENOSPC) {
		t.Errorf("more than the volume holds: %v", status)
	}
}

func zeros(size int) []byte { return make([]byte, size) }

func TestNames(t *testing.T) {
	m := opened(t, newDisk())
	root := fuse.InHeader{NodeId: rootNode}
	m.make(t, "one", []byte("1"))
	m.make(t, "two", []byte("2"))
	rename := func(old, name string, flags uint32) fuse.Status {
		return m.Rename(nil, &fuse.RenameIn{InHeader: root, Newdir: rootNode, Flags: flags}, old, name)
	}
	if status := rename("one", "two", 1); status != fuse.Status(syscall.EEXIST) {
		t.Error(status)
	}
	if status := rename("one", "two", 0); !status.Ok() || string(m.content(t, "two")) != "1" || m.content(t, "one") != nil {
		t.Errorf("renamed: %v", status)
	}
	var folder fuse.EntryOut
	if status := m.Mkdir(nil, &fuse.MkdirIn{InHeader: root, Mode: 0o700}, "folder", &folder); !status.Ok() {
		t.Fatal(status)
	}
	if status := m.Rename(nil, &fuse.RenameIn{InHeader: root, Newdir: folder.NodeId}, "two", "deep"); !status.Ok() {
		t.Error(status)
	}
	if status := m.Rmdir(nil, &root, "folder"); status != fuse.Status(syscall.ENOTEMPTY) {
		t.Error(status)
	}
	if status := m.Unlink(nil, &root, "folder"); status != fuse.Status(syscall.EISDIR) {
		t.Error(status)
	}
	if status := m.Unlink(nil, &fuse.InHeader{NodeId: folder.NodeId}, "deep"); !status.Ok() {
		t.Error(status)
	}
	if status := m.Rmdir(nil, &root, "folder"); !status.Ok() {
		t.Error(status)
	}
}
