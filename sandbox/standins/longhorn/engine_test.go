package longhorn

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testSize = 64 * BlockSize

// rig is three machines' replica servers with one replica each.
type rig struct {
	servers []*httptest.Server
	stores  []*Server
	names   []string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{}
	for _, id := range []string{"00000001", "00000002", "00000003"} {
		store := NewServer(t.TempDir())
		server := httptest.NewServer(store.Handler())
		t.Cleanup(server.Close)
		r.servers, r.stores, r.names = append(r.servers, server), append(r.stores, store), append(r.names, "data-"+id)
	}
	return r
}

func (r *rig) engine(t *testing.T, generation int64) *Engine {
	t.Helper()
	var replicas []*remote
	for index, server := range r.servers {
		address := strings.TrimPrefix(server.URL, "http://")
		replicas = append(replicas, &remote{name: r.names[index], folder: r.names[index], address: address, engine: "data-e-00000001", generation: generation})
	}
	e, err := openEngine("data", testSize, replicas, func() {})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (r *rig) image(index int) string {
	return filepath.Join(r.stores[index].Folder(r.names[index]), headName)
}

func block(text string) []byte {
	return bytes.Repeat([]byte(text), BlockSize/len(text))
}

func flip(t *testing.T, file string, at int64) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte{0xff, 0x00, 0xff}, at); err != nil {
		t.Fatal(err)
	}
}

// holds checks that a block of every replica's image is as it was written.
func (r *rig) holds(t *testing.T, number int, text string) {
	t.Helper()
	for index := range r.names {
		content, err := os.ReadFile(r.image(index))
		if err != nil || !bytes.Equal(content[number*BlockSize:(number+1)*BlockSize], block(text)) {
			t.Errorf("replica %d does not hold the write: %v", index, err)
		}
	}
}

// newRigWithOneAhead has ten blocks of "abcd", of which two replicas were dropped as corrupt before block 7 became "efgh".
func newRigWithOneAhead(t *testing.T) (*rig, *Engine) {
	t.Helper()
	r := newRig(t)
	e := r.engine(t, 1)
	if err := e.write(0, bytes.Repeat(block("abcd"), 10)); err != nil {
		t.Fatal(err)
	}
	flip(t, r.image(0), 3*BlockSize+17)
	flip(t, r.image(1), 3*BlockSize+17)
	if dropped := e.Scrub(); dropped != 2 {
		t.Fatalf("%d replicas were dropped, not 2", dropped)
	}
	if err := e.write(7*BlockSize, block("efgh")); err != nil {
		t.Fatal(err)
	}
	return r, e
}

func TestEveryWriteLiesInEveryReplica(t *testing.T) {
	r := newRig(t)
	e := r.engine(t, 1)
	if err := e.write(8*BlockSize, block("abcd")); err != nil {
		t.Fatal(err)
	}
	r.holds(t, 8, "abcd")
}

func TestCorruptReplicasAreNoticedAndRebuilt(t *testing.T) {
	r := newRig(t)
	e := r.engine(t, 1)
	for at := range int64(10) {
		if err := e.write(at*BlockSize, block("abcd")); err != nil {
			t.Fatal(err)
		}
	}
	flip(t, r.image(0), 3*BlockSize+17)
	flip(t, r.image(1), 5*BlockSize+99)
	if dropped := e.Scrub(); dropped != 2 {
		t.Errorf("%d replicas were dropped, not 2", dropped)
	}
	e.Rebuild()
	modes, why := e.Modes()
	for name, mode := range modes {
		if mode != modeRW {
			t.Errorf("%s is %s: %s", name, mode, why[name])
		}
	}
	if dropped := e.Scrub(); dropped != 0 {
		t.Errorf("%d replicas are still corrupt", dropped)
	}
}

func TestBlocksCorruptInDifferentReplicasAreStillRead(t *testing.T) {
	r := newRig(t)
	e := r.engine(t, 1)
	if err := e.write(0, bytes.Repeat(block("abcd"), 8)); err != nil {
		t.Fatal(err)
	}
	for index := range r.names {
		flip(t, r.image(index), int64(index)*BlockSize)
	}
	data, err := e.read(0, 8*BlockSize)
	if err != nil || !bytes.Equal(data, bytes.Repeat(block("abcd"), 8)) {
		t.Fatalf("read: %v", err)
	}
}

func TestWhatWasWrittenAfterTheCorruptionIsKept(t *testing.T) {
	r, e := newRigWithOneAhead(t)
	e.Rebuild()
	if dropped := e.Scrub(); dropped != 0 {
		t.Errorf("%d replicas differ after the rebuild", dropped)
	}
	r.holds(t, 7, "efgh")
}

func TestAReplicaThatMissedAWriteIsNotReadForIt(t *testing.T) {
	r, e := newRigWithOneAhead(t)
	flip(t, r.image(2), 7*BlockSize+17)
	if data, err := e.read(7*BlockSize, BlockSize); err == nil {
		t.Errorf("the block was lost, and read as %q", data[:4])
	}
	e.Rebuild()
	modes, _ := e.Modes()
	for name, mode := range modes {
		if mode == modeRW {
			t.Errorf("%s is in use, although no replica has all of it", name)
		}
	}
	if data, err := e.read(2*BlockSize, BlockSize); err != nil || !bytes.Equal(data, block("abcd")) {
		t.Errorf("a block that the last replica still has is not read: %v", err)
	}
}

func TestAReplicaThatMissedWritesIsRebuilt(t *testing.T) {
	r := newRig(t)
	e := r.engine(t, 1)
	address := e.replicas[2].address
	e.replicas[2].address = "127.0.0.1:1"
	if err := e.write(0, block("abcd")); err != nil {
		t.Fatal(err)
	}
	if modes, _ := e.Modes(); modes[r.names[2]] != modeERR {
		t.Error("a replica that cannot be reached is still in use")
	}
	e.replicas[2].address = address
	e.Close()
	e = r.engine(t, 2)
	if modes, _ := e.Modes(); modes[r.names[2]] != modeERR {
		t.Error("a replica that missed a write is in use")
	}
	e.Rebuild()
	if modes, why := e.Modes(); modes[r.names[2]] != modeRW {
		t.Errorf("it is not rebuilt: %s", why[r.names[2]])
	}
}

func TestAnOldEngineMayNotWrite(t *testing.T) {
	r := newRig(t)
	old := r.engine(t, 1)
	r.engine(t, 2)
	if err := old.write(0, block("abcd")); err == nil {
		t.Error("an engine that was replaced still writes")
	}
}

func TestAWriteThatWasCutOffIsNotCorruption(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data-00000001")
	f, err := openFiles(folder, "data-e-00000001", testSize)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.intent.WriteAt([]byte{0, 16, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.head.WriteAt([]byte("half"), BlockSize); err != nil {
		t.Fatal(err)
	}
	f.close()
	if f, err = openFiles(folder, "data-e-00000001", 0); err != nil {
		t.Fatal(err)
	}
	if corrupt, _, err := f.verify(); err != nil || corrupt != nil {
		t.Errorf("corrupt %v, %v", corrupt, err)
	}
}

func TestAFolderOfAnotherEngineIsNotTaken(t *testing.T) {
	r := newRig(t)
	e := r.engine(t, 1)
	if err := e.write(0, block("abcd")); err != nil {
		t.Fatal(err)
	}
	owner := filepath.Join(r.stores[1].Folder(r.names[1]), ownerName)
	if err := os.WriteFile(owner, []byte("data-e-00000002\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e.Scrub()
	e.Rebuild()
	if modes, why := e.Modes(); modes[r.names[1]] != modeERR || !strings.Contains(why[r.names[1]], "data-e-00000002") {
		t.Errorf("it is %s: %s", modes[r.names[1]], why[r.names[1]])
	}
	e.Close()
	e = r.engine(t, 2)
	if modes, _ := e.Modes(); modes[r.names[1]] != modeERR {
		t.Error("it is in use after attaching again")
	}
}

func TestAReplicaWithOtherDataAndRightChecksumsIsOutvoted(t *testing.T) {
	r := newRig(t)
	e := r.engine(t, 1)
	if err := e.write(0, block("abcd")); err != nil {
		t.Fatal(err)
	}
	if err := e.replicas[0].write(0, block("efgh"), e.revision); err != nil {
		t.Fatal(err)
	}
	e.Scrub()
	e.Rebuild()
	if data, err := e.read(0, BlockSize); err != nil || !bytes.Equal(data, block("abcd")) {
		t.Errorf("the odd one out won: %v", err)
	}
}

func TestADetachedVolumeIsLeftAlone(t *testing.T) {
	r := newRig(t)
	e := r.engine(t, 1)
	if err := e.write(0, block("abcd")); err != nil {
		t.Fatal(err)
	}
	e.Close()
	// What verifies and mends volumes from time to time may have taken hold of it before it was detached.
	if dropped := e.Scrub(); dropped != 0 {
		t.Errorf("%d replicas of a detached volume were dropped", dropped)
	}
	e.Rebuild()
	if data, err := r.engine(t, 2).read(0, BlockSize); err != nil || !bytes.Equal(data, block("abcd")) {
		t.Errorf("attached again: %v", err)
	}
}

func TestReplicasAreNotMarkedWhenThereIsNoneToRebuildFrom(t *testing.T) {
	r := newRig(t)
	e := r.engine(t, 1)
	if err := e.write(0, block("abcd")); err != nil {
		t.Fatal(err)
	}
	for _, lost := range e.replicas {
		lost.close()
	}
	if e.Scrub() != 3 {
		t.Fatal("replicas that are not open any more are in use")
	}
	e.Rebuild()
	if data, err := r.engine(t, 2).read(0, BlockSize); err != nil || !bytes.Equal(data, block("abcd")) {
		t.Errorf("attached again: %v", err)
	}
}
