package longhorn

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"time"
)

// How long a Backup may wait for a machine that can make it.
const orderPatience = time.Minute

// young says of a Backup that it may still wait.
func (b backupResource) young() bool {
	made, err := time.Parse(time.RFC3339, b.Metadata.CreationTimestamp)
	return err != nil || time.Since(made) <= orderPatience
}

// orderBackups has every Backup made that was not begun, gives those up whose machine is gone, and removes deleted ones from
// the bucket.
func (a *Agent) orderBackups() error {
	// Any state of a moment ago will do: the API server need not ask etcd for it.
	found, err := list[backupResource](a.Kube, group+"backups?resourceVersion=0")
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	deleted := map[string][]backupResource{}
	for _, b := range found {
		switch {
		case b.Metadata.DeletionTimestamp != "":
			if slices.Contains(b.Metadata.Finalizers, finalizer) {
				deleted[b.volumeOf()] = append(deleted[b.volumeOf()], b)
			}
		case b.Status.State == "" && !b.found():
			a.backups.once("order "+b.Metadata.Name, func() error { return ignoreGone(a.order(b.Metadata.Name)) })
		case b.Status.State == stateInProgress:
			err = errors.Join(err, a.giveUpLost(b))
		}
	}
	for volume, backups := range deleted {
		a.backups.once("removal of backups of "+volume, func() error { return a.removeBackups(volume, backups) })
	}
	return err
}

// order sends a Backup to the machine that has its volume; of a volume that nobody uses, to this one.
func (a *Agent) order(backup string) error {
	var b backupResource
	if err := a.Kube.Do(http.MethodGet, group+"backups/"+backup, nil, &b); err != nil || b.Status.State != "" {
		return err
	}
	if !slices.Contains(b.Metadata.Finalizers, finalizer) {
		mark := map[string]any{"metadata": map[string]any{"finalizers": append(b.Metadata.Finalizers, finalizer)}}
		if err := a.Kube.patch("backups", backup, "", mark); err != nil {
			return err
		}
	}
	name := b.volumeOf()
	if name == "" {
		return a.failBackup(b, "it does not say of what volume: the label "+backupVolumeLabel+" is missing")
	}
	var v volume
	err := a.Kube.Do(http.MethodGet, group+"volumes/"+name, nil, &v)
	if errors.Is(err, ErrNotFound) {
		return a.failBackup(b, "there is no volume "+name)
	}
	if err != nil {
		return err
	}
	holder := v.Status.CurrentNodeID
	if holder == "" {
		holder = a.Node
	}
	err = a.send(holder, backup)
	if err != nil && !b.young() {
		return a.failBackup(b, err.Error())
	}
	return err
}

func (a *Agent) send(node, backup string) error {
	answer, err := client.Post("http://"+a.Addresses[node]+"/v1/backups/"+backup, "", nil)
	if err != nil {
		return fmt.Errorf("the storage of %s: %w", node, err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the storage of %s: %s", node, text)
	}
	return nil
}

func (a *Agent) failBackup(b backupResource, why string) error {
	log.Printf("backup %s of volume %s: %s", b.Metadata.Name, b.volumeOf(), why)
	return a.patchBackup(b.Metadata.Name, backupStatus{State: stateError, Error: why, VolumeName: b.volumeOf()})
}

// giveUpLost says of a backup that it failed when the machine that makes it is not heard of any more.
func (a *Agent) giveUpLost(b backupResource) error {
	alive, err := a.alive(b.Status.OwnerID)
	if err != nil || alive {
		return ignoreGone(err)
	}
	return ignoreGone(a.failBackup(b, fmt.Sprintf("the machine %s that made it is not heard of any more", b.Status.OwnerID)))
}

// removeBackups takes deleted Backups out of the bucket, and only then lets their resources go.
func (a *Agent) removeBackups(volume string, backups []backupResource) error {
	if volume != "" {
		store, err := a.store()
		if err != nil {
			return err
		}
		names := []string{}
		for _, b := range backups {
			names = append(names, b.Metadata.Name)
		}
		if err := store.remove(volume, names...); err != nil {
			return err
		}
	}
	var failed error
	for _, b := range backups {
		left := slices.DeleteFunc(slices.Clone(b.Metadata.Finalizers), func(one string) bool { return one == finalizer })
		free := map[string]any{"metadata": map[string]any{"finalizers": left}}
		failed = errors.Join(failed, ignoreGone(a.Kube.patch("backups", b.Metadata.Name, "", free)))
	}
	return failed
}
