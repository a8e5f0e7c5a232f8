package longhorn

import (
	"encoding/binary"
	"errors"
	"time"
)

// point is a volume as a commit left it, to be read while the volume is written to: no block that it refers to is overwritten
// until it is let go of. Only a volume that has no other space left takes them back, because a backup must not be what an
// app's write fails for.
type point struct {
	volume *fileVolume
	taken  time.Time
	// Of every block, whether the point's files lie on it.
	used []bool
	// Its table, and the block at which that began: the next commits overwrite it.
	table []byte
	first int64
	// The volume took the blocks back. Its lock guards this.
	gone bool
}

var errPointGone = errors.New("the volume needed the space of what was being backed up: there is too little left of it")

// point commits a volume and holds on to what it is then.
func (v *fileVolume) point() (*point, error) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.closed {
		return nil, errClosed
	}
	if err := v.commit(); err != nil {
		return nil, err
	}
	p := &point{volume: v, taken: time.Now(), used: make([]bool, v.size/BlockSize), first: int64(v.sequence%2) * slotBlocks(v.size)}
	head, err := v.blocks.read(p.first*BlockSize, BlockSize)
	if err != nil {
		return nil, err
	}
	length := int64(binary.LittleEndian.Uint64(head[16:]))
	if binary.LittleEndian.Uint64(head[8:]) != v.sequence || length > slotBlocks(v.size)*BlockSize-slotHeader {
		return nil, errors.New("the volume's last table is not where it was written")
	}
	if p.table, err = v.blocks.read(p.first*BlockSize, wholeBlocks(slotHeader+length)); err != nil {
		return nil, err
	}
	for _, one := range v.table.Entries {
		for _, block := range one.Blocks {
			if block != 0 {
				p.used[block] = true
			}
		}
	}
	v.points[p] = true
	v.space.pinned = func(block uint32) bool {
		for one := range v.points {
			if one.used[block] {
				return true
			}
		}
		return false
	}
	return p, nil
}

// read gives length bytes at offset (whole blocks) as they were, zeros where nothing was; nil when nothing was in any of it.
func (p *point) read(offset, length int64) ([]byte, error) {
	var data []byte
	place := func(at int64, content []byte) {
		if data == nil {
			data = make([]byte, length)
		}
		from := max(0, offset-at)
		copy(data[at+from-offset:], content[min(from, int64(len(content))):])
	}
	for first, last := offset/BlockSize, (offset+length)/BlockSize; first < last; {
		count := int64(1)
		if p.used[first] {
			for first+count < last && p.used[first+count] {
				count++
			}
			content, err := p.volume.blocks.read(first*BlockSize, count*BlockSize)
			if err != nil {
				return nil, errors.Join(err, p.lost())
			}
			place(first*BlockSize, content)
		}
		first += count
	}
	if begin := p.first * BlockSize; begin < offset+length && offset < begin+int64(len(p.table)) {
		place(begin, p.table)
	}
	// What was read after the volume took its blocks back may be anything.
	return data, p.lost()
}

func (p *point) lost() error {
	p.volume.mutex.Lock()
	defer p.volume.mutex.Unlock()
	switch {
	case p.gone:
		return errPointGone
	case p.volume.closed:
		return errClosed
	}
	return nil
}

// letGo gives the point's blocks back.
func (p *point) letGo() {
	v := p.volume
	v.mutex.Lock()
	defer v.mutex.Unlock()
	delete(v.points, p)
	if len(v.points) == 0 {
		v.space.unpin()
	}
}

// takeBack ends every point of a volume whose space is needed. The lock is held.
func (v *fileVolume) takeBack() {
	for p := range v.points {
		p.gone = true
	}
	clear(v.points)
	v.space.unpin()
}
