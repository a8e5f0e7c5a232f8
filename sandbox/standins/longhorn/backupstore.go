package longhorn

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
)

const (
	// backupBlock is how much of a volume one object of a backup holds, in bytes. Longhorn's are 2 MiB; volumes of the lab are
	// small.
	backupBlock = 64 * BlockSize
	// The largest that is read back.
	largestBackupBlock = 16 << 20
	backupVersion      = 1
	noCompression      = "none"
)

// backupStore lays a bucket out as Longhorn does: below backupstore/volumes a folder for every volume, in it the blocks of all
// its backups under the names of their checksums, and for each backup a manifest. Blocks without a manifest are no backup.
type backupStore struct {
	bucket *bucket
	// Where in the bucket: empty, or a path and a slash.
	prefix string
	// Who writes, as it stands in locks: the machine, and its agent since it was started.
	holder string
}

// backupManifest is backup_<name>.cfg: Longhorn's fields, and behind them what its reader does not know.
type backupManifest struct {
	Name              string
	VolumeName        string
	SnapshotName      string
	SnapshotCreatedAt string
	CreatedTime       string
	// Bytes of all blocks.
	Size              int64 `json:",string"`
	Labels            map[string]string
	CompressionMethod string
	Blocks            []blockMapping
	Version           int
	VolumeSize        int64 `json:",string"`
	BlockSize         int64
}

// blockMapping says which block lies where in the volume.
type blockMapping struct {
	Offset        int64
	BlockChecksum string
}

// refusal is a restore that will not go better when it is tried again.
type refusal struct{ why string }

func (r *refusal) Error() string { return r.why }

func refuse(format string, values ...any) error { return &refusal{fmt.Sprintf(format, values...)} }

// openTarget takes gs://BUCKET/PATH, reached at endpoint.
func openTarget(target, endpoint, holder string) (*backupStore, error) {
	read, err := url.Parse(target)
	if err != nil || read.Scheme != "gs" || read.Host == "" {
		return nil, fmt.Errorf("the backup target %q is not gs://BUCKET/", target)
	}
	if endpoint == "" {
		return nil, fmt.Errorf("the setting %s does not say where the backup target %s is", settingEndpoint, target)
	}
	prefix := strings.Trim(read.Path, "/")
	if prefix != "" {
		prefix += "/"
	}
	return &backupStore{&bucket{strings.TrimRight(endpoint, "/"), read.Host}, prefix, holder}, nil
}

// url is how a Volume names the backup it is to be made from, in Longhorn's form.
func (s *backupStore) url(volume, backup string) string {
	return "gs://" + s.bucket.name + "/" + s.prefix + "?" + url.Values{"backup": {backup}, "volume": {volume}}.Encode()
}

// parseBackupURL takes such a URL apart.
func parseBackupURL(text string) (target, volume, backup string, err error) {
	read, err := url.Parse(text)
	if err != nil {
		return "", "", "", refuse("%q is not the URL of a backup", text)
	}
	volume, backup = read.Query().Get("volume"), read.Query().Get("backup")
	if volume == "" || backup == "" || strings.Contains(volume+backup, "/") {
		return "", "", "", refuse("%q is not the URL of a backup: gs://BUCKET/?backup=NAME&volume=NAME", text)
	}
	read.RawQuery = ""
	return read.String(), volume, backup, nil
}

const volumesFolder = "backupstore/volumes/"

// folder of a volume: Longhorn spreads them by the SHA-512 of their names.
func (s *backupStore) folder(volume string) string {
	sum := sha512.Sum512([]byte(volume))
	layers := hex.EncodeToString(sum[:2])
	return s.prefix + volumesFolder + layers[:2] + "/" + layers[2:] + "/" + volume
}

func (s *backupStore) manifest(volume, backup string) string {
	return s.folder(volume) + "/backups/backup_" + backup + ".cfg"
}

func (s *backupStore) block(volume, sum string) string {
	return s.folder(volume) + "/blocks/" + sum[:2] + "/" + sum[2:4] + "/" + sum + ".blk"
}

func checksumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// blocks gives every block of a volume's backups by its checksum.
func (s *backupStore) blocks(volume string) (map[string]object, error) {
	found := map[string]object{}
	err := s.bucket.each(s.folder(volume)+"/blocks/", func(one object) {
		found[strings.TrimSuffix(path.Base(one.Name), ".blk")] = one
	})
	return found, err
}

// backups gives the names of a volume's backups.
func (s *backupStore) backups(volume string) (names []string, err error) {
	err = s.bucket.each(s.folder(volume)+"/backups/", func(one object) {
		names = append(names, backupName(one.Name))
	})
	return names, err
}

func backupName(manifest string) string {
	return strings.TrimSuffix(strings.TrimPrefix(path.Base(manifest), "backup_"), ".cfg")
}

// readManifest gives a backup's manifest. One that cannot be used is refused.
func (s *backupStore) readManifest(volume, backup string) (m backupManifest, err error) {
	name := s.manifest(volume, backup)
	text, err := s.bucket.get(name, largestAnswer)
	switch {
	case errors.Is(err, errNoObject):
		return m, refuse("there is no backup %s of volume %s: the bucket has no %s", backup, volume, name)
	case err != nil:
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, refuse("the manifest %s cannot be read: %v", name, err)
	}
	switch {
	case m.VolumeName != volume || m.Name != backup:
		return m, refuse("the manifest %s is that of backup %q of volume %q", name, m.Name, m.VolumeName)
	case m.Version != backupVersion:
		return m, refuse("the manifest %s is of version %d; this storage reads version %d", name, m.Version, backupVersion)
	case m.CompressionMethod != noCompression:
		return m, refuse("the blocks of backup %s are compressed with %q; this storage reads none", backup, m.CompressionMethod)
	case m.BlockSize <= 0 || m.BlockSize%BlockSize != 0 || m.BlockSize > largestBackupBlock:
		return m, refuse("the manifest %s says that a block has %d bytes", name, m.BlockSize)
	}
	return m, nil
}

// readBlock gives a block of a backup, if it is what the manifest says.
func (s *backupStore) readBlock(m *backupManifest, one blockMapping) ([]byte, error) {
	length := min(m.BlockSize, m.VolumeSize-one.Offset)
	if one.Offset < 0 || one.Offset%m.BlockSize != 0 || length <= 0 || len(one.BlockChecksum) != 2*sha256.Size {
		return nil, refuse("backup %s has block %.70q at %d, which is no place in a volume of %d bytes", m.Name, one.BlockChecksum, one.Offset, m.VolumeSize)
	}
	data, err := s.bucket.get(s.block(m.VolumeName, one.BlockChecksum), m.BlockSize)
	switch {
	case errors.Is(err, errNoObject):
		return nil, refuse("block %s of backup %s, at %d in the volume, is missing in the bucket", one.BlockChecksum, m.Name, one.Offset)
	case err != nil:
		return nil, err
	case checksumOf(data) != one.BlockChecksum || int64(len(data)) != length:
		return nil, refuse("block %s of backup %s, at %d in the volume, is not what was backed up: its checksum is %s", one.BlockChecksum, m.Name, one.Offset, checksumOf(data))
	}
	return data, nil
}

// restore fills a volume that nobody uses from a backup. What it was cut off from can be begun again from the start; whether
// it came to its end is for the caller to keep.
func (s *backupStore) restore(on blocks, size int64, volume, backup string) error {
	lock, err := s.lock(volume)
	if err != nil {
		return err
	}
	defer lock.release()
	m, err := s.readManifest(volume, backup)
	if err != nil {
		return err
	}
	if m.VolumeSize != size {
		return refuse("backup %s is of a volume of %d bytes, this one has %d", backup, m.VolumeSize, size)
	}
	tables := 2 * slotBlocks(size) * BlockSize
	// An earlier try may have left a table.
	for slot := range int64(2) {
		if err := on.write(slot*tables/2, make([]byte, BlockSize)); err != nil {
			return err
		}
	}
	// The table last: without it the volume holds nothing.
	for _, last := range []bool{false, true} {
		for _, one := range m.Blocks {
			from, to := max(one.Offset, tables), min(one.Offset+m.BlockSize, size)
			if last {
				from, to = one.Offset, min(one.Offset+m.BlockSize, tables)
			}
			if from >= to && one.Offset < size {
				continue
			}
			data, err := s.readBlock(&m, one)
			if err == nil {
				err = writeChanged(on, from, data[from-one.Offset:to-one.Offset])
			}
			if err != nil {
				return err
			}
		}
	}
	return hasTable(on, size, backup)
}

// writeChanged writes what is not there yet: what was never written stays a hole of the replicas.
func writeChanged(on blocks, offset int64, data []byte) error {
	there, err := on.read(offset, int64(len(data)))
	if err != nil {
		return err
	}
	differs := func(at int) bool { return !bytes.Equal(there[at:at+BlockSize], data[at:at+BlockSize]) }
	for at := 0; at < len(data); at += BlockSize {
		from := at
		for at < len(data) && differs(at) {
			at += BlockSize
		}
		if at > from {
			if err := on.write(offset+int64(from), data[from:at]); err != nil {
				return err
			}
		}
	}
	return nil
}

func hasTable(on blocks, size int64, backup string) error {
	v := &fileVolume{blocks: on, size: size}
	for slot := range int64(2) {
		found, _, err := v.readSlot(slot)
		if err != nil || found != nil {
			return err
		}
	}
	return refuse("backup %s has no table of its files", backup)
}

// remove takes backups of a volume away, and then the blocks that no other backup of it refers to.
func (s *backupStore) remove(volume string, backups ...string) error {
	lock, err := s.lock(volume)
	if err != nil {
		return err
	}
	defer lock.release()
	for _, name := range backups {
		if err := s.bucket.remove(s.manifest(volume, name)); err != nil {
			return err
		}
	}
	return s.collect(volume, lock)
}

// collect removes what no manifest refers to. While there is a manifest that cannot be read, every block may be its.
func (s *backupStore) collect(volume string, lock *storeLock) error {
	left, err := s.backups(volume)
	if err != nil {
		return err
	}
	unused, err := s.blocks(volume)
	if err != nil {
		return err
	}
	for _, name := range left {
		m, err := s.readManifest(volume, name)
		var refused *refusal
		if errors.As(err, &refused) {
			log.Printf("no block of volume %s is removed from the bucket: %v", volume, err)
			return nil
		}
		if err != nil {
			return err
		}
		for _, one := range m.Blocks {
			delete(unused, one.BlockChecksum)
		}
	}
	for _, sum := range slices.Sorted(maps.Keys(unused)) {
		if err := lock.held(); err != nil {
			return err
		}
		if err := s.bucket.remove(unused[sum].Name); err != nil {
			return err
		}
	}
	return nil
}
