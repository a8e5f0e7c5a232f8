package longhorn

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"sync"
	"syscall"
)

// Engine keeps the replicas of one attached volume equal: a write is done when every replica in use has it.
type Engine struct {
	Volume   string
	Size     int64
	mutex    sync.Mutex
	replicas []*remote
	revision int64
	// The volume is detached: whoever still holds this engine must leave the replicas to the next one.
	closed bool
	// Called, without the lock, after a replica changed its mode.
	changed func()
}

// openEngine opens a volume's replicas, finds the youngest data among them, and takes those that lack some of it out of use.
func openEngine(volume string, size int64, replicas []*remote, changed func()) (*Engine, error) {
	e := &Engine{Volume: volume, Size: size, replicas: replicas, changed: changed}
	found := make([]Info, len(replicas))
	whole := 0
	for index, r := range replicas {
		info, err := r.open(size)
		if err == nil && info.Size != size {
			err = fmt.Errorf("its size is %d", info.Size)
		}
		found[index] = info
		switch {
		case err != nil:
			r.mode, r.trouble = modeERR, err.Error()
		case info.Rebuilding:
			r.mode, r.trouble = modeERR, "its rebuild did not end"
		default:
			r.mode, r.trouble = modeRW, ""
			if !r.failed {
				whole++
			}
		}
	}
	for index, r := range replicas {
		// One that is known to have missed something counts only when there is no other.
		if r.mode == modeRW && r.failed && whole > 0 {
			r.mode, r.trouble = modeERR, "it missed writes"
		}
		if r.mode == modeRW {
			e.revision = max(e.revision, found[index].Revision)
		}
	}
	usable := 0
	for index, r := range replicas {
		if r.mode != modeRW {
			continue
		}
		if found[index].Revision < e.revision {
			r.mode, r.trouble = modeERR, "it missed writes"
			continue
		}
		usable++
	}
	if usable == 0 {
		return nil, fmt.Errorf("volume %s: no replica can be used: %s", volume, troubles(replicas))
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.inspect()
	return e, nil
}

func troubles(replicas []*remote) string {
	text := ""
	for _, r := range replicas {
		text += r.folder + ": " + r.trouble + "; "
	}
	return text
}

// read returns whole blocks from the first replica that has them as they were written.
func (e *Engine) read(offset, length int64) ([]byte, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.readLocked(offset, length)
}

func (e *Engine) readLocked(offset, length int64) ([]byte, error) {
	for _, r := range e.replicas {
		if r.mode != modeRW {
			continue
		}
		data, err := r.read(offset, length)
		if err == nil {
			return data, nil
		}
		e.drop(r, err)
	}
	// No replica has the whole of it; block by block several may have it together.
	if length > BlockSize {
		var whole []byte
		for at := offset; at < offset+length; at += BlockSize {
			data, err := e.anyBlock(at)
			if err != nil {
				return nil, err
			}
			whole = append(whole, data...)
		}
		return whole, nil
	}
	return e.anyBlock(offset)
}

// anyBlock reads one block from any replica that holds the volume's youngest data, also one dropped for other blocks.
func (e *Engine) anyBlock(offset int64) ([]byte, error) {
	for _, r := range e.replicas {
		if r.mode == modeRW || r.damaged() {
			if data, err := r.read(offset, BlockSize); err == nil {
				return data, nil
			}
		}
	}
	return nil, syscall.EIO
}

// write puts whole blocks on every replica in use. It fails only when none has them. What every replica has written counts as
// written, as with Longhorn, whose engine passes no flush on to its replicas (longhorn/longhorn#8662).
func (e *Engine) write(offset int64, data []byte) error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.revision++
	if err := e.onEach(func(r *remote) error { return r.write(offset, data, e.revision) }); err != nil {
		return err
	}
	for _, r := range e.replicas {
		r.behind = r.behind || r.mode != modeRW
	}
	return nil
}

// onEach acts on every replica in use at once, and drops those on which it fails. It fails only when none is left.
func (e *Engine) onEach(act func(*remote) error) error {
	failed := make([]error, len(e.replicas))
	var group sync.WaitGroup
	for index, r := range e.replicas {
		if r.mode == modeRW {
			group.Add(1)
			go func() {
				defer group.Done()
				failed[index] = act(r)
			}()
		}
	}
	group.Wait()
	left := 0
	for index, r := range e.replicas {
		if r.mode != modeRW {
			continue
		}
		if failed[index] != nil {
			e.drop(r, failed[index])
		} else {
			left++
		}
	}
	if left == 0 {
		return syscall.EIO
	}
	return nil
}

func (e *Engine) drop(r *remote, why error) {
	r.mode, r.trouble = modeERR, why.Error()
	var damage *CorruptError
	if errors.As(why, &damage) {
		r.trouble = "corrupt: " + why.Error()
	}
	log.Printf("volume %s: replica %s is out of use: %v", e.Volume, r.name, why)
	go e.changed()
}

// damaged says that a replica was dropped for blocks that do not have their checksum, and that it lacks nothing else.
func (r *remote) damaged() bool {
	return r.mode == modeERR && !r.behind && len(r.trouble) > 8 && r.trouble[:8] == "corrupt:"
}

// Scrub verifies every replica in use, drops those that are corrupt or differ, and returns how many it dropped.
func (e *Engine) Scrub() int {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.inspect()
}

func (e *Engine) inspect() int {
	if e.closed {
		return 0
	}
	dropped := 0
	sums := map[*remote][]byte{}
	for _, r := range e.replicas {
		if r.mode != modeRW {
			continue
		}
		found, err := r.verify()
		if err == nil && len(found.Corrupt) > 0 {
			err = &CorruptError{Blocks: found.Corrupt}
		}
		if err != nil {
			e.drop(r, err)
			dropped++
			continue
		}
		sums[r] = found.Sums
	}
	reference := mostCommon(e.replicas, sums)
	for _, r := range e.replicas {
		if own, there := sums[r]; there && !bytes.Equal(reference, own) {
			// A write cut off by a power failure reached some replicas: any of their states is right, but it must be one.
			e.drop(r, errors.New("it differs from another replica"))
			dropped++
		}
	}
	return dropped
}

// mostCommon is what most replicas have, and of as many the first replica's.
func mostCommon(replicas []*remote, sums map[*remote][]byte) (best []byte) {
	most := 0
	for _, r := range replicas {
		own, there := sums[r]
		if !there {
			continue
		}
		count := 0
		for _, other := range sums {
			if bytes.Equal(own, other) {
				count++
			}
		}
		if count > most {
			most, best = count, own
		}
	}
	return best
}

// Rebuild makes every dropped replica that answers equal to those in use. Writes wait for it: volumes of the lab are small.
func (e *Engine) Rebuild() {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.closed {
		return
	}
	for _, r := range e.replicas {
		if r.mode != modeERR {
			continue
		}
		if err := e.rebuild(r); err != nil {
			r.mode = modeERR
			if !r.damaged() {
				r.trouble = err.Error()
			}
			continue
		}
		r.mode, r.trouble, r.behind = modeRW, "", false
		log.Printf("volume %s: replica %s is rebuilt", e.Volume, r.name)
		go e.changed()
	}
}

func (e *Engine) rebuild(r *remote) error {
	damaged := r.damaged()
	// Those in use are equal: one whole read of a volume is enough while its writers wait.
	var reference []byte
	for _, other := range e.replicas {
		if other.mode == modeRW {
			if whole, err := other.verify(); err == nil {
				reference = whole.Sums
				break
			}
		}
	}
	if reference == nil && !damaged {
		return errors.New("no replica in use to rebuild from")
	}
	if _, err := r.open(e.Size); err != nil {
		return err
	}
	// While it is the only one with some of the blocks, it must not be marked as one that is not whole.
	if !damaged {
		if err := r.rebuilding(true, 0); err != nil {
			return err
		}
	}
	found, err := r.verify()
	if err != nil {
		return err
	}
	corrupt := map[int64]bool{}
	for _, block := range found.Corrupt {
		corrupt[block] = true
	}
	for block := range e.Size / BlockSize {
		equal := reference == nil || bytes.Equal(reference[block*4:block*4+4], found.Sums[block*4:block*4+4])
		if equal && !corrupt[block] {
			continue
		}
		data, err := e.anyBlock(block * BlockSize)
		if err == nil {
			err = r.write(block*BlockSize, data, e.revision)
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(r.sync(), r.rebuilding(false, e.revision))
}

// Modes gives the mode of every replica by its resource's name, and why it is not in use.
func (e *Engine) Modes() (modes, troubles map[string]string) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	modes, troubles = map[string]string{}, map[string]string{}
	for _, r := range e.replicas {
		modes[r.name], troubles[r.name] = r.mode, r.trouble
	}
	return modes, troubles
}

// Close syncs and lets go of every replica.
func (e *Engine) Close() {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.closed = true
	for _, r := range e.replicas {
		r.close()
	}
}
