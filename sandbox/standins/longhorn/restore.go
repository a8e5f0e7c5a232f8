package longhorn

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"
)

// After a restore, a removal or a look into the bucket that could not be made. Tests shorten it.
var retryPause = 5 * time.Second

// restored says that a volume holds what it was to be made from. Until then nobody may use it.
func (v *volume) restored() bool {
	return v.Spec.FromBackup == "" || v.Status.RestoreInitiated && !v.Status.RestoreRequired
}

// restoring is the volume's condition about its restore.
func (v *volume) restoring() condition {
	for _, one := range v.Status.Conditions {
		if one.Type == conditionRestore {
			return one
		}
	}
	return condition{Type: conditionRestore, Message: "it has not begun"}
}

// restoreWhenAsked fills a volume that was made with the URL of a backup, in the background. One whose backup was refused stays
// as it is, faulted: it is made again with another backup.
func (a *Agent) restoreWhenAsked(v volume) {
	if v.restored() || v.restoring().Reason == reasonRefused {
		return
	}
	a.backups.once("restore "+v.Metadata.Name, func() error { return a.restore(v) })
}

func (a *Agent) restore(v volume) error {
	name := v.Metadata.Name
	begun := map[string]any{"restoreInitiated": true, "restoreRequired": true}
	if err := a.patchSame(v, restoreStatus(begun, "True", reasonRestoring, "it is being filled from "+v.Spec.FromBackup)); err != nil {
		return ignoreGone(err)
	}
	err := a.hold(name, func(now volume) error {
		if now.Metadata.UID != v.Metadata.UID {
			return ErrNotFound
		}
		return nil
	}, func(engine *Engine) error { return a.fill(engine, v.Spec.FromBackup) })
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		log.Printf("volume %s is not restored: %v", name, err)
		return ignoreGone(a.patchSame(v, restoreStatus(map[string]any{"robustness": "faulted"}, "False", reasonRefused, refused.why)))
	case err != nil:
		_ = a.patchSame(v, restoreStatus(map[string]any{}, "True", reasonRestoring, "it will be tried again: "+err.Error()))
		return ignoreGone(fmt.Errorf("volume %s is not restored yet: %w", name, err))
	}
	log.Printf("volume %s is restored from %s", name, v.Spec.FromBackup)
	return ignoreGone(a.patchSame(v, restoreStatus(map[string]any{"restoreRequired": false}, "False", "", "")))
}

func (a *Agent) fill(engine *Engine, from string) error {
	target, volume, backup, err := parseBackupURL(from)
	if err != nil {
		return err
	}
	store, err := a.storeAt(target)
	if err != nil {
		return err
	}
	return store.restore(engine, engine.Size, volume, backup)
}

func restoreStatus(status map[string]any, value, reason, message string) map[string]any {
	status["conditions"] = []condition{{
		Type: conditionRestore, Status: value, Reason: reason, Message: message, LastProbeTime: now(),
	}}
	return status
}

// patchSame merges fields into the status of the very volume that was meant, and not of one made again under its name.
func (a *Agent) patchSame(v volume, status map[string]any) error {
	var err error
	for range 10 {
		var found volume
		if err = a.Kube.Do(http.MethodGet, group+"volumes/"+v.Metadata.Name, nil, &found); err != nil {
			return err
		}
		if found.Metadata.UID != v.Metadata.UID {
			return ErrNotFound
		}
		unchanged := map[string]string{"resourceVersion": found.Metadata.ResourceVersion}
		err = a.Kube.patch("volumes", v.Metadata.Name, "/status", map[string]any{"metadata": unchanged, "status": status})
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return err
}

// ignoreGone passes over what was deleted meanwhile.
func ignoreGone(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
