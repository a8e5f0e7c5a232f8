package longhorn

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// mounted answers the kernel for one volume. Node numbers of the kernel are numbers of entries.
type mounted struct {
	fuse.RawFileSystem
	volume *fileVolume
	// Folders being listed: what they held when they were opened, so that removing while listing skips nothing.
	mutex    sync.Mutex
	listings map[uint64][]fuse.DirEntry
	handle   uint64
}

// The kernel may believe names and attributes for this long: nobody but its machine changes an attached volume.
const believe = time.Second

func newMounted(volume *fileVolume) *mounted {
	return &mounted{RawFileSystem: fuse.NewDefaultRawFileSystem(), volume: volume, listings: map[uint64][]fuse.DirEntry{}}
}

func (m *mounted) String() string { return "longhorn" }

// on runs an act on an entry with the volume locked, and says what became of it as the kernel wants it said.
func (m *mounted) on(id uint64, act func(v *fileVolume, e *entry) error) fuse.Status {
	v := m.volume
	v.mutex.Lock()
	defer v.mutex.Unlock()
	e, there := v.table.Entries[id]
	if v.closed || !there {
		return fuse.Status(syscall.ESTALE)
	}
	err := act(v, e)
	var number syscall.Errno
	switch {
	case err == nil:
		return fuse.OK
	case errors.As(err, &number):
		return fuse.Status(number)
	}
	return fuse.EIO
}

func describe(id uint64, e *entry, out *fuse.Attr) {
	links := uint32(1)
	if e.isFolder() {
		links = 2
	}
	out.Ino, out.Size, out.Mode, out.Nlink, out.Blksize = id, uint64(e.Size), e.Mode, links, BlockSize
	out.Uid, out.Gid, out.Blocks = e.UID, e.GID, uint64(len(e.Blocks))*(BlockSize/512)
	out.SetTimes(&e.Modified, &e.Modified, &e.Modified)
}

func (v *fileVolume) hand(id uint64, out *fuse.EntryOut) {
	v.known[id]++
	out.NodeId, out.Generation = id, 1
	describe(id, v.table.Entries[id], &out.Attr)
	out.SetEntryTimeout(believe)
	out.SetAttrTimeout(believe)
}

func (m *mounted) Lookup(_ <-chan struct{}, header *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	return m.on(header.NodeId, func(v *fileVolume, e *entry) error {
		id, there := e.Names[name]
		if !there {
			return syscall.ENOENT
		}
		v.hand(id, out)
		return nil
	})
}

func (m *mounted) Forget(id, count uint64) {
	v := m.volume
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.known[id] -= min(count, v.known[id]); v.known[id] == 0 {
		delete(v.known, id)
		v.dropIfNameless(id)
	}
}

// dropIfNameless removes an entry that has no name any more and that the kernel does not know.
func (v *fileVolume) dropIfNameless(id uint64) {
	e, there := v.table.Entries[id]
	if there && e.nameless && v.known[id] == 0 {
		v.space.release(e.Blocks)
		delete(v.table.Entries, id)
		v.dirty = true
	}
}

func (m *mounted) GetAttr(_ <-chan struct{}, input *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	return m.on(input.NodeId, func(_ *fileVolume, e *entry) error {
		describe(input.NodeId, e, &out.Attr)
		out.SetTimeout(believe)
		return nil
	})
}

func (m *mounted) SetAttr(_ <-chan struct{}, input *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	return m.on(input.NodeId, func(v *fileVolume, e *entry) error {
		if size, given := input.GetSize(); given {
			if err := v.resize(e, int64(size)); err != nil {
				return err
			}
		}
		if mode, given := input.GetMode(); given {
			e.Mode = e.Mode&syscall.S_IFMT | mode&^syscall.S_IFMT
		}
		if uid, given := input.GetUID(); given {
			e.UID = uid
		}
		if gid, given := input.GetGID(); given {
			e.GID = gid
		}
		if at, given := input.GetMTime(); given {
			e.Modified = at
		}
		v.dirty = true
		describe(input.NodeId, e, &out.Attr)
		out.SetTimeout(believe)
		return nil
	})
}

// add makes an entry in a folder, owned by who asked.
func (m *mounted) add(header *fuse.InHeader, name string, made *entry, out *fuse.EntryOut) fuse.Status {
	return m.on(header.NodeId, func(v *fileVolume, e *entry) error {
		if _, there := e.Names[name]; there {
			return syscall.EEXIST
		}
		made.UID, made.GID, made.Modified = header.Uid, header.Gid, time.Now()
		if e.Mode&syscall.S_ISGID != 0 {
			made.GID = e.GID
			if made.isFolder() {
				made.Mode |= syscall.S_ISGID
			}
		}
		id := v.table.Next
		v.table.Next++
		v.table.Entries[id], e.Names[name], e.Modified, v.dirty = made, id, made.Modified, true
		v.hand(id, out)
		return nil
	})
}

func (m *mounted) Mkdir(_ <-chan struct{}, input *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return m.add(&input.InHeader, name, &entry{Mode: syscall.S_IFDIR | input.Mode&^syscall.S_IFMT, Names: map[string]uint64{}}, out)
}

func (m *mounted) Mknod(_ <-chan struct{}, input *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	if kind := input.Mode & syscall.S_IFMT; kind != syscall.S_IFREG && kind != 0 {
		return fuse.EPERM
	}
	return m.add(&input.InHeader, name, &entry{Mode: syscall.S_IFREG | input.Mode&^syscall.S_IFMT}, out)
}

func (m *mounted) Symlink(_ <-chan struct{}, header *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	return m.add(header, name, &entry{Mode: syscall.S_IFLNK | 0o777, Target: target, Size: int64(len(target))}, out)
}

func (m *mounted) Readlink(_ <-chan struct{}, header *fuse.InHeader) (target []byte, status fuse.Status) {
	status = m.on(header.NodeId, func(_ *fileVolume, e *entry) error {
		target = []byte(e.Target)
		return nil
	})
	return target, status
}

func (m *mounted) Create(_ <-chan struct{}, input *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	return m.add(&input.InHeader, name, &entry{Mode: syscall.S_IFREG | input.Mode&^syscall.S_IFMT}, &out.EntryOut)
}

// remove takes a name out of a folder; the entry stays until the kernel has forgotten it.
func (v *fileVolume) remove(folder *entry, name string) {
	id := folder.Names[name]
	delete(folder.Names, name)
	folder.Modified, v.dirty = time.Now(), true
	v.table.Entries[id].nameless = true
	v.dropIfNameless(id)
}

func (m *mounted) Unlink(_ <-chan struct{}, header *fuse.InHeader, name string) fuse.Status {
	return m.take(header, name, func(e *entry) error {
		if e.isFolder() {
			return syscall.EISDIR
		}
		return nil
	})
}

func (m *mounted) Rmdir(_ <-chan struct{}, header *fuse.InHeader, name string) fuse.Status {
	return m.take(header, name, func(e *entry) error {
		switch {
		case !e.isFolder():
			return syscall.ENOTDIR
		case len(e.Names) > 0:
			return syscall.ENOTEMPTY
		}
		return nil
	})
}

func (m *mounted) take(header *fuse.InHeader, name string, may func(*entry) error) fuse.Status {
	return m.on(header.NodeId, func(v *fileVolume, folder *entry) error {
		id, there := folder.Names[name]
		if !there {
			return syscall.ENOENT
		}
		if err := may(v.table.Entries[id]); err != nil {
			return err
		}
		v.remove(folder, name)
		return nil
	})
}

func (m *mounted) Rename(_ <-chan struct{}, input *fuse.RenameIn, old, name string) fuse.Status {
	return m.on(input.NodeId, func(v *fileVolume, from *entry) error {
		to, there := v.table.Entries[input.Newdir]
		id, known := from.Names[old]
		const noReplace = 1
		switch {
		case !there || !known:
			return syscall.ENOENT
		case input.Flags&^noReplace != 0:
			return syscall.EINVAL
		}
		if replaced, taken := to.Names[name]; taken {
			other, moved := v.table.Entries[replaced], v.table.Entries[id]
			switch {
			case replaced == id:
				return nil
			case input.Flags&noReplace != 0:
				return syscall.EEXIST
			case other.isFolder() && !moved.isFolder():
				return syscall.EISDIR
			case !other.isFolder() && moved.isFolder():
				return syscall.ENOTDIR
			case len(other.Names) > 0:
				return syscall.ENOTEMPTY
			}
			v.remove(to, name)
		}
		delete(from.Names, old)
		to.Names[name] = id
		from.Modified, to.Modified, v.dirty = time.Now(), time.Now(), true
		return nil
	})
}

func (m *mounted) Open(_ <-chan struct{}, input *fuse.OpenIn, _ *fuse.OpenOut) fuse.Status {
	return m.on(input.NodeId, func(v *fileVolume, e *entry) error {
		if input.Flags&syscall.O_TRUNC != 0 {
			return v.resize(e, 0)
		}
		return nil
	})
}

func (m *mounted) Read(_ <-chan struct{}, input *fuse.ReadIn, into []byte) (fuse.ReadResult, fuse.Status) {
	read := 0
	status := m.on(input.NodeId, func(v *fileVolume, e *entry) (err error) {
		read, err = v.readAt(e, into[:input.Size], int64(input.Offset))
		return err
	})
	return fuse.ReadResultData(into[:read]), status
}

func (m *mounted) Write(_ <-chan struct{}, input *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	status := m.on(input.NodeId, func(v *fileVolume, e *entry) error {
		if len(data) == 0 {
			return nil
		}
		return v.writeAt(e, data, int64(input.Offset))
	})
	if !status.Ok() {
		return 0, status
	}
	return uint32(len(data)), status
}

func (m *mounted) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status { return fuse.OK }

func (m *mounted) Fsync(_ <-chan struct{}, input *fuse.FsyncIn) fuse.Status {
	return m.on(input.NodeId, func(v *fileVolume, _ *entry) error { return v.commit() })
}

func (m *mounted) FsyncDir(cancel <-chan struct{}, input *fuse.FsyncIn) fuse.Status {
	return m.Fsync(cancel, input)
}

func (m *mounted) OpenDir(_ <-chan struct{}, input *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	return m.on(input.NodeId, func(v *fileVolume, e *entry) error {
		listing := []fuse.DirEntry{{Name: ".", Mode: syscall.S_IFDIR, Ino: input.NodeId}, {Name: "..", Mode: syscall.S_IFDIR, Ino: rootNode}}
		for _, name := range slices.Sorted(maps.Keys(e.Names)) {
			id := e.Names[name]
			listing = append(listing, fuse.DirEntry{Name: name, Mode: v.table.Entries[id].Mode, Ino: id})
		}
		m.mutex.Lock()
		defer m.mutex.Unlock()
		m.handle++
		m.listings[m.handle], out.Fh = listing, m.handle
		return nil
	})
}

func (m *mounted) ReadDir(_ <-chan struct{}, input *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	listing := m.listings[input.Fh]
	for at := input.Offset; at < uint64(len(listing)); at++ {
		one := listing[at]
		one.Off = at + 1
		if !out.AddDirEntry(one) {
			break
		}
	}
	return fuse.OK
}

func (m *mounted) ReleaseDir(input *fuse.ReleaseIn) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	delete(m.listings, input.Fh)
}

func (m *mounted) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	v := m.volume
	v.mutex.Lock()
	defer v.mutex.Unlock()
	out.Bsize, out.Frsize, out.NameLen = BlockSize, BlockSize, 255
	out.Blocks, out.Bfree, out.Bavail = uint64(len(v.space.used)), uint64(v.space.left()), uint64(v.space.left())
	out.Files, out.Ffree = uint64(len(v.table.Entries)), 1<<16
	return fuse.OK
}
