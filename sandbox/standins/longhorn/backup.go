package longhorn

import (
	"encoding/json"
	"fmt"
)

// save backs a volume up: what of it is not in the store yet, and the manifest last. take gives the point that is backed up.
//
// A block that an earlier backup left is used again if the bucket still has it as it was: by its size and its checksum, which
// the bucket computed when it took it in. The manifest is written only when the bucket lists every block it names.
func (s *backupStore) save(m backupManifest, take func() (*point, error)) (saved backupManifest, sent int64, err error) {
	lock, err := s.lock(m.VolumeName)
	if err != nil {
		return m, 0, err
	}
	defer lock.release()
	known, err := s.blocks(m.VolumeName)
	if err != nil {
		return m, 0, err
	}
	p, err := take()
	if err != nil {
		return m, 0, err
	}
	defer p.letGo()
	m.SnapshotCreatedAt, m.VolumeSize, m.BlockSize = instant(p.taken), p.volume.size, backupBlock
	m.Version, m.CompressionMethod = backupVersion, noCompression
	needed := map[string]object{}
	for offset := int64(0); offset < m.VolumeSize; offset += backupBlock {
		data, err := p.read(offset, min(backupBlock, m.VolumeSize-offset))
		if err != nil {
			return m, sent, err
		}
		if data == nil {
			continue
		}
		sum := checksumOf(data)
		if there := known[sum]; there.Size != int64(len(data)) || there.CRC32C != crc32c(data) {
			if known[sum], err = s.bucket.put(s.block(m.VolumeName, sum), data); err != nil {
				return m, sent, err
			}
			sent += int64(len(data))
		}
		needed[sum] = known[sum]
		m.Blocks = append(m.Blocks, blockMapping{Offset: offset, BlockChecksum: sum})
		m.Size += int64(len(data))
	}
	if known, err = s.blocks(m.VolumeName); err != nil {
		return m, sent, err
	}
	for sum, one := range needed {
		if there := known[sum]; there.Size != one.Size || there.CRC32C != one.CRC32C {
			return m, sent, fmt.Errorf("the bucket acknowledged block %s and does not list it", sum)
		}
	}
	m.CreatedTime = now()
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return m, sent, err
	}
	// Whoever took the lock over may be removing blocks that this manifest would refer to.
	if err := lock.confirm(); err != nil {
		return m, sent, err
	}
	_, err = s.bucket.put(s.manifest(m.VolumeName, m.Name), text)
	return m, sent, err
}
