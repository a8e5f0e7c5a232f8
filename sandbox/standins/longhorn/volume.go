package longhorn

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
	"syscall"
	"time"
)

// blocks is what a volume's files lie on: the engine, in whole blocks.
type blocks interface {
	read(offset, length int64) ([]byte, error)
	write(offset int64, data []byte) error
}

const rootNode = 1

// entry is a file, folder or symbolic link of a volume. Blocks counts from 0 in the file; a 0 in it is a hole.
type entry struct {
	Mode, UID, GID uint32
	Size           int64
	Modified       time.Time
	Blocks         []uint32
	Names          map[string]uint64
	Target         string
	// Its name was removed while the kernel knew it.
	nameless bool
}

func (e *entry) isFolder() bool { return e.Mode&syscall.S_IFMT == syscall.S_IFDIR }

// table is everything a volume knows about its files. It is written whole, never changed in place.
type table struct {
	Entries map[uint64]*entry
	Next    uint64
}

// fileVolume keeps files on blocks, without a kernel's file system: nothing of the kernel's ever waits for a volume.
//
// The first blocks are two slots for the table, used in turn, and a table counts only with its checksum. Blocks that the
// last written table refers to are not overwritten, so after a power cut the volume is what it was at its last commit.
type fileVolume struct {
	mutex    sync.Mutex
	blocks   blocks
	size     int64
	table    table
	sequence uint64
	dirty    bool
	closed   bool
	// How often the kernel knows an entry: one that lost its name is kept until the kernel forgets it.
	known map[uint64]uint64
	space *space
	// What is being backed up.
	points map[*point]bool
}

var errClosed = errors.New("the volume is detached")

// slotBlocks is the size of one slot, header included.
func slotBlocks(size int64) int64 { return max(16, size/BlockSize/64) }

const (
	slotMagic  = "LHSTANDI"
	slotHeader = 8 + 8 + 8 + 4
)

// openVolume reads a volume's table. One on which nothing was ever written gets an empty root folder.
func openVolume(on blocks, size int64) (*fileVolume, error) {
	v := &fileVolume{blocks: on, size: size, known: map[uint64]uint64{}, points: map[*point]bool{}}
	blank := true
	for slot := range int64(2) {
		found, sequence, err := v.readSlot(slot)
		if err != nil {
			return nil, err
		}
		if sequence > 0 {
			blank = false
		}
		if found != nil && sequence > v.sequence {
			v.table, v.sequence = *found, sequence
		}
	}
	if v.sequence == 0 {
		if !blank {
			return nil, errors.New("neither of the volume's tables has its checksum")
		}
		root := &entry{Mode: syscall.S_IFDIR | 0o755, Modified: time.Now(), Names: map[string]uint64{}}
		v.table = table{Entries: map[uint64]*entry{rootNode: root}, Next: rootNode + 1}
		v.dirty = true
	}
	v.dropNameless()
	v.space = newSpace(size/BlockSize, 2*slotBlocks(size), v.table.Entries)
	return v, v.commit()
}

// readSlot gives a slot's table, nil when it was cut off, and its number, 0 when nothing was written there.
func (v *fileVolume) readSlot(slot int64) (*table, uint64, error) {
	at := slot * slotBlocks(v.size) * BlockSize
	first, err := v.blocks.read(at, BlockSize)
	if err != nil {
		return nil, 0, fmt.Errorf("table %d of the volume: %w", slot, err)
	}
	if string(first[:8]) != slotMagic {
		if bytes.Equal(first, make([]byte, BlockSize)) {
			return nil, 0, nil
		}
		return nil, 1, nil
	}
	sequence, length := binary.LittleEndian.Uint64(first[8:]), int64(binary.LittleEndian.Uint64(first[16:]))
	if length < 0 || length > slotBlocks(v.size)*BlockSize-slotHeader {
		return nil, sequence, nil
	}
	whole, err := v.blocks.read(at, wholeBlocks(slotHeader+length))
	if err != nil {
		return nil, 0, fmt.Errorf("table %d of the volume: %w", slot, err)
	}
	text := whole[slotHeader : slotHeader+length]
	if crc32.Checksum(append(bytes.Clone(whole[:24]), text...), castagnoli) != binary.LittleEndian.Uint32(whole[24:]) {
		return nil, sequence, nil
	}
	var found table
	if err := gob.NewDecoder(bytes.NewReader(text)).Decode(&found); err != nil {
		return nil, 0, fmt.Errorf("table %d of the volume: %w", slot, err)
	}
	for _, one := range found.Entries {
		if one.isFolder() && one.Names == nil {
			one.Names = map[string]uint64{}
		}
	}
	return &found, sequence, nil
}

// commit writes the table, so that what was written so far is the volume's state. The lock is held.
func (v *fileVolume) commit() error {
	if !v.dirty {
		return nil
	}
	var text bytes.Buffer
	if err := gob.NewEncoder(&text).Encode(v.table); err != nil {
		return err
	}
	if int64(text.Len()) > slotBlocks(v.size)*BlockSize-slotHeader {
		return syscall.ENOSPC
	}
	// Data came first: a table never refers to blocks that the replicas do not have.
	sequence := v.sequence + 1
	whole := make([]byte, wholeBlocks(slotHeader+int64(text.Len())))
	copy(whole, slotMagic)
	binary.LittleEndian.PutUint64(whole[8:], sequence)
	binary.LittleEndian.PutUint64(whole[16:], uint64(text.Len()))
	copy(whole[slotHeader:], text.Bytes())
	sum := crc32.Checksum(append(bytes.Clone(whole[:24]), text.Bytes()...), castagnoli)
	binary.LittleEndian.PutUint32(whole[24:], sum)
	if err := v.blocks.write(int64(sequence%2)*slotBlocks(v.size)*BlockSize, whole); err != nil {
		return err
	}
	v.sequence, v.dirty = sequence, false
	v.space.settle()
	return nil
}

// Commit makes everything written so far last.
func (v *fileVolume) Commit() error {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.closed {
		return errClosed
	}
	return v.commit()
}

// Close commits and refuses whatever comes later: from then on another machine may have the volume.
func (v *fileVolume) Close() error {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	err := v.commit()
	v.closed = true
	return err
}

// readAt fills into from a file and returns how much of the file there was.
func (v *fileVolume) readAt(e *entry, into []byte, offset int64) (int, error) {
	length := min(int64(len(into)), e.Size-offset)
	if length <= 0 {
		return 0, nil
	}
	for at := offset; at < offset+length; {
		index, within := at/BlockSize, at%BlockSize
		count := int64(1)
		if index < int64(len(e.Blocks)) && e.Blocks[index] != 0 {
			count = runLength(e.Blocks[index:], (offset+length-at+within+BlockSize-1)/BlockSize)
			data, err := v.blocks.read(int64(e.Blocks[index])*BlockSize, count*BlockSize)
			if err != nil {
				return 0, err
			}
			copy(into[at-offset:length], data[within:])
		} else {
			clear(into[at-offset : min(length, at-offset+BlockSize-within)])
		}
		at += count*BlockSize - within
	}
	return int(length), nil
}

// runLength is how many blocks, most at most, lie one after another on the volume.
func runLength(blocks []uint32, most int64) int64 {
	count := int64(1)
	for count < most && count < int64(len(blocks)) && blocks[count] == blocks[0]+uint32(count) {
		count++
	}
	return count
}

// writeAt puts data into a file, in blocks that no written table refers to.
func (v *fileVolume) writeAt(e *entry, data []byte, offset int64) error {
	end := offset + int64(len(data))
	first, last := offset/BlockSize, (end+BlockSize-1)/BlockSize
	whole := make([]byte, (last-first)*BlockSize)
	for _, edge := range []int64{first, last - 1} {
		if offset <= edge*BlockSize && end >= (edge+1)*BlockSize {
			continue
		}
		if _, err := v.readAt(e, whole[(edge-first)*BlockSize:][:BlockSize], edge*BlockSize); err != nil {
			return err
		}
	}
	copy(whole[offset-first*BlockSize:], data)
	if v.space.left() < last-first {
		// What was freed since the last commit is free after the next one.
		if err := v.commit(); err != nil {
			return err
		}
		if v.space.left() < last-first {
			v.takeBack()
		}
		if v.space.left() < last-first {
			return syscall.ENOSPC
		}
	}
	for int64(len(e.Blocks)) < last {
		e.Blocks = append(e.Blocks, 0)
	}
	for index := first; index < last; index++ {
		e.Blocks[index] = v.space.replace(e.Blocks[index])
	}
	v.dirty = true
	for index := first; index < last; {
		count := runLength(e.Blocks[index:], last-index)
		if err := v.blocks.write(int64(e.Blocks[index])*BlockSize, whole[(index-first)*BlockSize:][:count*BlockSize]); err != nil {
			return err
		}
		index += count
	}
	e.Size, e.Modified = max(e.Size, end), time.Now()
	return nil
}

// resize cuts a file, or lengthens it by a hole.
func (v *fileVolume) resize(e *entry, size int64) error {
	if size < e.Size {
		if rest := size % BlockSize; rest != 0 && size/BlockSize < int64(len(e.Blocks)) {
			// What follows in the last block must read as nothing when the file grows again.
			zeros := make([]byte, min(BlockSize-rest, e.Size-size))
			if err := v.writeAt(e, zeros, size); err != nil {
				return err
			}
		}
		keep := min(int64(len(e.Blocks)), (size+BlockSize-1)/BlockSize)
		v.space.release(e.Blocks[keep:])
		e.Blocks = e.Blocks[:keep]
	}
	e.Size, e.Modified, v.dirty = size, time.Now(), true
	return nil
}

// dropNameless removes entries that no folder names: a power cut came between their removal and the kernel's forgetting.
func (v *fileVolume) dropNameless() {
	named := map[uint64]bool{rootNode: true}
	for _, one := range v.table.Entries {
		for _, id := range one.Names {
			named[id] = true
		}
	}
	for id := range v.table.Entries {
		if !named[id] {
			delete(v.table.Entries, id)
			v.dirty = true
		}
	}
}

func wholeBlocks(length int64) int64 { return (length + BlockSize - 1) / BlockSize * BlockSize }
