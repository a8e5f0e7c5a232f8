// Package longhorn is the lab's stand-in for Longhorn: volumes whose every write lies in replica files on several machines.
// What it has in common with the real one: the resources of longhorn.io/v1beta2, the CSI driver's name, and the folders and
// metadata of replicas on disk. What it has not: snapshots, iSCSI, the UI, its code.
package longhorn

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// BlockSize is the unit of checksums and of what goes to a replica, in bytes.
const BlockSize = 4096

const (
	headName     = "volume-head-000.img"
	metaName     = "volume.meta"
	headMetaName = headName + ".meta"
	sumsName     = headName + ".checksum"
	counterName  = "revision.counter"
	intentName   = "write.intent"
	ownerName    = "engine.id"
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	zeroSum    = crc32.Checksum(make([]byte, BlockSize), castagnoli)
)

// CorruptError says which blocks of a replica do not have the checksum they were written with.
type CorruptError struct{ Blocks []int64 }

func (e *CorruptError) Error() string { return fmt.Sprintf("corrupt blocks %v", e.Blocks) }

// ForeignError says that a replica's folder belongs to another engine: what lies in it is another volume's, or was this
// one's before it was made again.
type ForeignError struct{ Owner string }

func (e *ForeignError) Error() string {
	return fmt.Sprintf("its folder belongs to engine %q", e.Owner)
}

// volumeMeta is Longhorn's volume.meta.
type volumeMeta struct {
	Size            int64
	Head            string
	Dirty           bool
	Rebuilding      bool
	Error           string
	Parent          string
	SectorSize      int64
	BackingFilePath string
}

// Info is what a replica says about itself.
type Info struct {
	Size       int64 `json:"size"`
	Revision   int64 `json:"revision"`
	Rebuilding bool  `json:"rebuilding"`
}

// files is one replica's folder, open. Every block has a checksum beside it; a write is recorded before it is made, so that
// one cut off by a power failure is known and not taken for corruption.
type files struct {
	mutex               sync.Mutex
	folder, engine      string
	info                Info
	head, sums, counter *os.File
	intent              *os.File
	// Written since the last flush to the machine's disk.
	unflushed bool
}

// openFiles opens a replica's folder for the engine of this name and, when it is not there, makes an empty replica of size
// bytes in it.
func openFiles(folder, engine string, size int64) (*files, error) {
	if _, err := os.Stat(filepath.Join(folder, metaName)); errors.Is(err, os.ErrNotExist) {
		if size <= 0 {
			return nil, os.ErrNotExist
		}
		if err := makeFiles(folder, engine, size); err != nil {
			return nil, err
		}
	}
	var meta volumeMeta
	text, err := os.ReadFile(filepath.Join(folder, metaName))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &meta); err != nil {
		return nil, fmt.Errorf("%s in %s: %w", metaName, folder, err)
	}
	f := &files{folder: folder, engine: engine, info: Info{Size: meta.Size, Rebuilding: meta.Rebuilding}}
	if err := f.checkOwner(); err != nil {
		return nil, err
	}
	for name, file := range map[string]**os.File{headName: &f.head, sumsName: &f.sums, counterName: &f.counter, intentName: &f.intent} {
		if *file, err = os.OpenFile(filepath.Join(folder, name), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			f.close()
			return nil, err
		}
	}
	counter, err := os.ReadFile(filepath.Join(folder, counterName))
	if err == nil {
		f.info.Revision, err = strconv.ParseInt(strings.TrimSpace(string(counter)), 10, 64)
	}
	if err == nil {
		err = f.finishIntent()
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func makeFiles(folder, engine string, size int64) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	head, err := os.Create(filepath.Join(folder, headName))
	if err == nil {
		err = errors.Join(head.Truncate(size), head.Close())
	}
	if err != nil {
		return err
	}
	sums := make([]byte, size/BlockSize*4)
	for at := 0; at < len(sums); at += 4 {
		binary.LittleEndian.PutUint32(sums[at:], zeroSum)
	}
	if err := os.WriteFile(filepath.Join(folder, sumsName), sums, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, counterName), []byte(fmt.Sprintf("%020d\n", 0)), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, ownerName), []byte(engine+"\n"), 0o600); err != nil {
		return err
	}
	headMeta := `{"Name":"` + headName + `","Parent":"","Removed":false,"UserCreated":false,"Labels":null}`
	if err := os.WriteFile(filepath.Join(folder, headMetaName), []byte(headMeta), 0o600); err != nil {
		return err
	}
	return writeMeta(folder, volumeMeta{Size: size, Head: headName, SectorSize: 512})
}

// writeMeta comes last when a replica is made: a folder without it is no replica.
func writeMeta(folder string, meta volumeMeta) error {
	text, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	temporary := filepath.Join(folder, metaName+".tmp")
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, filepath.Join(folder, metaName))
}

// checkOwner reads the name of the engine that the folder belongs to. (Longhorn itself keeps it in the Replica resource alone.)
func (f *files) checkOwner() error {
	text, err := os.ReadFile(filepath.Join(f.folder, ownerName))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if owner := strings.TrimSpace(string(text)); owner != f.engine {
		return &ForeignError{Owner: owner}
	}
	return nil
}

func (f *files) close() {
	for _, file := range []*os.File{f.head, f.sums, f.counter, f.intent} {
		if file != nil {
			_ = file.Close()
		}
	}
}

// read returns length bytes at offset (both whole blocks), or a CorruptError.
func (f *files) read(offset, length int64) ([]byte, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	data := make([]byte, length)
	if _, err := f.head.ReadAt(data, offset); err != nil {
		return nil, err
	}
	wanted := make([]byte, length/BlockSize*4)
	if _, err := f.sums.ReadAt(wanted, offset/BlockSize*4); err != nil {
		return nil, err
	}
	var corrupt []int64
	for block := range length / BlockSize {
		if checksum(data[block*BlockSize:(block+1)*BlockSize]) != binary.LittleEndian.Uint32(wanted[block*4:]) {
			corrupt = append(corrupt, offset/BlockSize+block)
		}
	}
	if corrupt != nil {
		return nil, &CorruptError{Blocks: corrupt}
	}
	return data, nil
}

// write puts whole blocks at offset and makes revision the replica's.
func (f *files) write(offset int64, data []byte, revision int64) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.unflushed = true
	intent := make([]byte, 16)
	binary.LittleEndian.PutUint64(intent, uint64(offset))
	binary.LittleEndian.PutUint64(intent[8:], uint64(len(data)))
	if _, err := f.intent.WriteAt(intent, 0); err != nil {
		return err
	}
	if _, err := f.head.WriteAt(data, offset); err != nil {
		return err
	}
	if err := f.writeSums(offset, data); err != nil {
		return err
	}
	if err := f.setRevision(revision); err != nil {
		return err
	}
	_, err := f.intent.WriteAt(make([]byte, 16), 0)
	return err
}

func (f *files) writeSums(offset int64, data []byte) error {
	sums := make([]byte, len(data)/BlockSize*4)
	for at := 0; at < len(data); at += BlockSize {
		binary.LittleEndian.PutUint32(sums[at/BlockSize*4:], checksum(data[at:at+BlockSize]))
	}
	_, err := f.sums.WriteAt(sums, offset/BlockSize*4)
	return err
}

func (f *files) setRevision(revision int64) error {
	f.info.Revision = revision
	_, err := f.counter.WriteAt([]byte(fmt.Sprintf("%020d\n", revision)), 0)
	return err
}

// finishIntent takes what a cut-off write left for what it is: the other replicas decide what stays.
func (f *files) finishIntent() error {
	intent := make([]byte, 16)
	if n, _ := f.intent.ReadAt(intent, 0); n < 16 {
		return nil
	}
	offset, length := int64(binary.LittleEndian.Uint64(intent)), int64(binary.LittleEndian.Uint64(intent[8:]))
	if length == 0 || offset+length > f.info.Size {
		return nil
	}
	data := make([]byte, length)
	if _, err := f.head.ReadAt(data, offset); err != nil {
		return err
	}
	if err := f.writeSums(offset, data); err != nil {
		return err
	}
	_, err := f.intent.WriteAt(make([]byte, 16), 0)
	return err
}

// sync flushes to the machine's disk what was written before it was called. Reads and writes go on meanwhile.
func (f *files) sync() error {
	f.mutex.Lock()
	needed := f.unflushed
	f.unflushed = false
	f.mutex.Unlock()
	if !needed {
		return nil
	}
	return errors.Join(f.head.Sync(), f.sums.Sync(), f.counter.Sync())
}

// setRebuilding marks a replica that must not be read from until it is whole.
func (f *files) setRebuilding(rebuilding bool) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.info.Rebuilding = rebuilding
	return writeMeta(f.folder, volumeMeta{Size: f.info.Size, Head: headName, SectorSize: 512, Dirty: true, Rebuilding: rebuilding})
}

// verify reads the whole replica and returns the blocks that are not as they were written, and all checksums. What was never
// written is a hole of the file and is not read: its blocks must have the checksum of nothing.
func (f *files) verify() (corrupt []int64, sums []byte, err error) {
	if err := f.checkOwner(); err != nil {
		return nil, nil, err
	}
	const chunk = 256 * BlockSize
	for offset := int64(0); offset < f.info.Size; {
		from, to, err := f.written(offset)
		if err != nil {
			return nil, nil, err
		}
		empty, err := f.notEmpty(offset, from)
		if err != nil {
			return nil, nil, err
		}
		corrupt = append(corrupt, empty...)
		for offset = from; offset < to; offset += chunk {
			_, err := f.read(offset, min(chunk, to-offset))
			var damage *CorruptError
			if errors.As(err, &damage) {
				corrupt = append(corrupt, damage.Blocks...)
			} else if err != nil {
				return nil, nil, err
			}
		}
		offset = to
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	sums = make([]byte, f.info.Size/BlockSize*4)
	_, err = f.sums.ReadAt(sums, 0)
	return corrupt, sums, err
}

// written gives the next part of the file that is no hole, at or after offset, in whole blocks; an empty one at the end when
// there is none.
func (f *files) written(offset int64) (from, to int64, err error) {
	from, err = unix.Seek(int(f.head.Fd()), offset, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) {
		return f.info.Size, f.info.Size, nil
	}
	if err == nil {
		to, err = unix.Seek(int(f.head.Fd()), from, unix.SEEK_HOLE)
	}
	return max(offset, from/BlockSize*BlockSize), min(f.info.Size, wholeBlocks(to)), err
}

// notEmpty gives the blocks of a hole whose checksums say that something was written there.
func (f *files) notEmpty(from, to int64) (blocks []int64, err error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	sums := make([]byte, (to-from)/BlockSize*4)
	if _, err := f.sums.ReadAt(sums, from/BlockSize*4); err != nil {
		return nil, err
	}
	for at := 0; at < len(sums); at += 4 {
		if binary.LittleEndian.Uint32(sums[at:]) != zeroSum {
			blocks = append(blocks, from/BlockSize+int64(at/4))
		}
	}
	return blocks, nil
}

func checksum(block []byte) uint32 { return crc32.Checksum(block, castagnoli) }
