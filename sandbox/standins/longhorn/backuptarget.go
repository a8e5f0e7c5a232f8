package longhorn

import (
	"errors"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

const targetName = "default"

// How often the bucket is looked into when the target does not say.
const defaultPoll = 5 * time.Minute

// targetState is what the manager knows of its last look into the bucket.
type targetState struct {
	at        time.Time
	url       string
	requested string
}

// syncTarget makes resources of what lies in the bucket, when it is time to: a cluster that lost its records, or was made anew,
// finds its backups again. Backups whose manifest is gone lose their resource.
func (a *Agent) syncTarget() error {
	var target backupTarget
	err := a.Kube.Do(http.MethodGet, group+"backuptargets/"+targetName, nil, &target)
	if err != nil || target.Spec.BackupTargetURL == "" {
		return ignoreGone(err)
	}
	poll, err := time.ParseDuration(target.Spec.PollInterval)
	if err != nil {
		poll = defaultPoll
	}
	begun := time.Now()
	look := targetState{begun, target.Spec.BackupTargetURL, target.Spec.SyncRequestedAt}
	last := a.backups.looked()
	if last.url == look.url && last.requested == look.requested && (poll <= 0 || begun.Sub(last.at) < poll) {
		return nil
	}
	a.backups.once("look into the backup target", func() error {
		err := a.sync(begun)
		unavailable := condition{Type: "Unavailable", Status: "False", LastProbeTime: now()}
		if err != nil {
			unavailable.Status, unavailable.Reason, unavailable.Message = "True", "Unavailable", err.Error()
		} else {
			a.backups.setLooked(look)
		}
		status := map[string]any{"available": err == nil, "conditions": []condition{unavailable}}
		if err == nil {
			status["lastSyncedAt"] = instant(begun)
		}
		return errors.Join(err, a.Kube.patch("backuptargets", targetName, "/status", map[string]any{"status": status}))
	})
	return nil
}

func (w *backupWork) looked() targetState {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.target
}

func (w *backupWork) setLooked(state targetState) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.target = state
}

// storedVolume is what lies in the bucket of one volume.
type storedVolume struct {
	backups map[string]bool
	// Bytes of its blocks.
	stored int64
}

func (a *Agent) sync(begun time.Time) error {
	store, err := a.store()
	if err != nil {
		return err
	}
	// Before the bucket: a backup that was complete by then must be found in it.
	known, err := list[backupResource](a.Kube, group+"backups")
	if err != nil {
		return err
	}
	volumes, err := store.contents()
	if err != nil {
		return err
	}
	resources := map[string]backupResource{}
	for _, b := range known {
		resources[b.Metadata.Name] = b
		lies := volumes[b.volumeOf()]
		if b.Status.State == stateCompleted && (lies == nil || !lies.backups[b.Metadata.Name]) {
			err = errors.Join(err, ignoreGone(a.Kube.Do(http.MethodDelete, group+"backups/"+b.Metadata.Name, nil, nil)))
		}
	}
	for volume, lies := range volumes {
		for _, backup := range slices.Sorted(maps.Keys(lies.backups)) {
			b, there := resources[backup]
			if !there || b.Status.State == stateError || b.found() {
				if b, err = a.adopt(store, volume, backup, there); err != nil {
					return err
				}
			}
			resources[backup] = b
		}
	}
	return errors.Join(err, a.describeVolumes(volumes, resources, begun))
}

// contents is all that lies in the bucket, by volume.
func (s *backupStore) contents() (map[string]*storedVolume, error) {
	volumes := map[string]*storedVolume{}
	err := s.bucket.each(s.prefix+volumesFolder, func(one object) {
		parts := strings.Split(strings.TrimPrefix(one.Name, s.prefix+volumesFolder), "/")
		if len(parts) < 5 {
			return
		}
		volume := parts[2]
		if volumes[volume] == nil {
			volumes[volume] = &storedVolume{backups: map[string]bool{}}
		}
		switch {
		case parts[3] == "blocks":
			volumes[volume].stored += one.Size
		case parts[3] == "backups" && path.Ext(one.Name) == ".cfg":
			volumes[volume].backups[backupName(one.Name)] = true
		}
	})
	return volumes, err
}

// adopt makes a resource of a backup that has none, or that was taken for a failed one. A manifest that cannot be read gets none.
func (a *Agent) adopt(store *backupStore, volume, backup string, there bool) (b backupResource, err error) {
	m, err := store.readManifest(volume, backup)
	var refused *refusal
	if errors.As(err, &refused) {
		return b, nil
	}
	if err != nil {
		return b, err
	}
	// It names no snapshot, as in Longhorn: one that does is to be made.
	b.APIVersion, b.Kind = "longhorn.io/v1beta2", "Backup"
	b.Metadata = objectMeta{Name: backup, Namespace: Namespace, Labels: map[string]string{backupVolumeLabel: volume}, Finalizers: []string{finalizer}}
	b.Spec.Labels = m.Labels
	if !there {
		if err := a.Kube.Do(http.MethodPost, group+"backups", b, nil); err != nil && !errors.Is(err, ErrConflict) {
			return b, err
		}
	}
	b.Status = completed(store, &m)
	return b, ignoreGone(a.patchBackup(backup, b.Status))
}

// describeVolumes keeps one BackupVolume for every volume with backups.
func (a *Agent) describeVolumes(volumes map[string]*storedVolume, resources map[string]backupResource, begun time.Time) error {
	type named struct {
		Metadata objectMeta `json:"metadata"`
	}
	found, err := list[named](a.Kube, group+"backupvolumes")
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, one := range found {
		name := one.Metadata.Name
		there[name] = true
		if volumes[name] == nil || len(volumes[name].backups) == 0 {
			err = errors.Join(err, ignoreGone(a.Kube.Do(http.MethodDelete, group+"backupvolumes/"+name, nil, nil)))
		}
	}
	for name, lies := range volumes {
		if len(lies.backups) == 0 {
			continue
		}
		if !there[name] {
			made := map[string]any{
				"apiVersion": "longhorn.io/v1beta2", "kind": "BackupVolume", "metadata": map[string]string{"name": name, "namespace": Namespace},
				"spec": map[string]string{"volumeName": name, "backupTargetName": targetName},
			}
			if failed := a.Kube.Do(http.MethodPost, group+"backupvolumes", made, nil); failed != nil && !errors.Is(failed, ErrConflict) {
				return failed
			}
		}
		last := backupResource{}
		for backup := range lies.backups {
			if b := resources[backup]; b.Status.SnapshotCreatedAt > last.Status.SnapshotCreatedAt {
				last = b
			}
		}
		status := map[string]string{
			"lastBackupName": last.Metadata.Name, "lastBackupAt": last.Status.SnapshotCreatedAt, "size": last.Status.VolumeSize,
			"dataStored": strconv.FormatInt(lies.stored, 10), "lastSyncedAt": instant(begun),
		}
		err = errors.Join(err, a.Kube.patch("backupvolumes", name, "/status", map[string]any{"status": status}))
	}
	return err
}
