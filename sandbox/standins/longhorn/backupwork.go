package longhorn

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// instant is a time in UTC, in milliseconds: as text it is ordered like the times themselves.
func instant(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

func now() string { return instant(time.Now()) }

// backupWork is what an agent has under way in the background.
type backupWork struct {
	mutex sync.Mutex
	busy  map[string]bool
	// Held while one volume of this machine is backed up: the next one waits.
	turn sync.Mutex
	// This process, as locks in the bucket name it.
	process string
	target  targetState
}

// once does a piece of work in the background unless it is being done, and not again at once when it failed.
func (w *backupWork) once(what string, work func() error) bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.busy == nil {
		w.busy = map[string]bool{}
	}
	if w.busy[what] {
		return false
	}
	w.busy[what] = true
	go func() {
		if err := work(); err != nil {
			log.Printf("%s: %v", what, err)
			time.Sleep(retryPause)
		}
		w.mutex.Lock()
		defer w.mutex.Unlock()
		delete(w.busy, what)
	}()
	return true
}

// storeAt opens a backup target as this agent.
func (a *Agent) storeAt(target string) (*backupStore, error) {
	a.backups.mutex.Lock()
	if a.backups.process == "" {
		a.backups.process = rand.Text()[:8]
	}
	holder := a.Node + "/" + a.backups.process
	a.backups.mutex.Unlock()
	return openTarget(target, a.settings()[settingEndpoint], holder)
}

// store opens the backup target of the cluster.
func (a *Agent) store() (*backupStore, error) {
	var target backupTarget
	err := a.Kube.Do(http.MethodGet, group+"backuptargets/"+targetName, nil, &target)
	if errors.Is(err, ErrNotFound) || err == nil && target.Spec.BackupTargetURL == "" {
		return nil, fmt.Errorf("there is no backup target: the BackupTarget %s has no backupTargetURL", targetName)
	}
	if err != nil {
		return nil, err
	}
	return a.storeAt(target.Spec.BackupTargetURL)
}

// HandleBackup begins the backup that a Backup resource asks for. The manager sends it to the machine that has the volume.
func (a *Agent) HandleBackup(w http.ResponseWriter, q *http.Request) {
	name := q.PathValue("name")
	// What an agent before this one left must be told from what is begun now.
	if !a.ready.Load() {
		http.Error(w, "it is starting", http.StatusServiceUnavailable)
		return
	}
	begun := make(chan error, 1)
	if !a.backups.once("backup "+name, func() error { return a.backUp(name, begun) }) {
		return
	}
	if err := <-begun; err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// backUp makes one backup and writes how it went into its resource. begun gets one value, when it is known to be under way.
func (a *Agent) backUp(name string, begun chan<- error) error {
	var b backupResource
	err := a.Kube.Do(http.MethodGet, group+"backups/"+name, nil, &b)
	if err == nil && b.Status.State != "" {
		err = fmt.Errorf("it is %s already", b.Status.State)
	}
	if err == nil {
		err = a.patchBackup(name, backupStatus{OwnerID: a.Node, State: stateInProgress, VolumeName: b.volumeOf()})
	}
	begun <- err
	if err != nil {
		return nil
	}
	a.backups.turn.Lock()
	defer a.backups.turn.Unlock()
	status, err := a.saveVolume(b)
	var unopened *notOpened
	if errors.As(err, &unopened) && b.young() {
		// Ordered anew: the volume may be another machine's by now.
		a.writeBackup(name, map[string]string{"state": "", "ownerID": "", "error": "it will be tried again: " + err.Error()})
		return err
	}
	if err != nil {
		log.Printf("backup %s of volume %s: %v", name, b.volumeOf(), err)
		status = backupStatus{State: stateError, Error: err.Error()}
	}
	a.writeBackup(name, status)
	if status.State == stateCompleted {
		last := map[string]string{"lastBackup": name, "lastBackupAt": status.SnapshotCreatedAt}
		return ignoreGone(a.Kube.patch("volumes", b.volumeOf(), "/status", map[string]any{"status": last}))
	}
	return nil
}

// writeBackup does not give up: without it nobody would know how the backup ended.
func (a *Agent) writeBackup(name string, status any) {
	for {
		err := a.patchBackup(name, status)
		if err == nil || errors.Is(err, ErrNotFound) {
			return
		}
		log.Printf("backup %s: %v", name, err)
		time.Sleep(time.Second)
	}
}

func (a *Agent) patchBackup(name string, status any) error {
	return a.Kube.patch("backups", name, "/status", map[string]any{"status": status})
}

// notOpened is why a volume could not be read: it was mounted elsewhere, or let go of, between the order and its turn, say.
type notOpened struct{ error }

func (e *notOpened) Unwrap() error { return e.error }

// saveVolume backs a volume up: the mounted one, or one that nobody uses. A *notOpened may have passed a moment later.
func (a *Agent) saveVolume(b backupResource) (backupStatus, error) {
	store, err := a.store()
	if err != nil {
		return backupStatus{}, err
	}
	name := b.volumeOf()
	asked := backupManifest{Name: b.Metadata.Name, VolumeName: name, SnapshotName: b.Spec.SnapshotName, Labels: b.Spec.Labels}
	var saved backupManifest
	var sent int64
	save := func(v *fileVolume) (err error) {
		saved, sent, err = store.save(asked, v.point)
		return err
	}
	a.mutex.Lock()
	d := a.attached[name]
	a.mutex.Unlock()
	if d != nil {
		if err = save(d.volume); errors.Is(err, errClosed) {
			err = &notOpened{err}
		}
	} else {
		final := false
		err = a.hold(name, func(v volume) error {
			if !v.restored() {
				final = true
				return fmt.Errorf("volume %s is not restored itself: %s", name, v.restoring().Message)
			}
			return nil
		}, func(engine *Engine) error {
			final = true
			v, err := openVolume(engine, engine.Size)
			if err != nil {
				return err
			}
			return save(v)
		})
		if err != nil && !final {
			err = &notOpened{err}
		}
	}
	status := completed(store, &saved)
	status.NewlyUploadDataSize = strconv.FormatInt(sent, 10)
	return status, err
}

// completed is the status of a Backup whose manifest is in the bucket.
func completed(store *backupStore, m *backupManifest) backupStatus {
	return backupStatus{
		State: stateCompleted, URL: store.url(m.VolumeName, m.Name), VolumeName: m.VolumeName, VolumeSize: strconv.FormatInt(m.VolumeSize, 10),
		SnapshotName: m.SnapshotName, SnapshotCreatedAt: m.SnapshotCreatedAt, BackupCreatedAt: m.CreatedTime,
		Size: strconv.FormatInt(m.Size, 10), Labels: m.Labels, CompressionMethod: m.CompressionMethod,
	}
}

// endLostBackups says of the backups that an agent of this machine was making when it ended that they failed.
func (a *Agent) endLostBackups() error {
	found, err := list[backupResource](a.Kube, group+"backups")
	if errors.Is(err, ErrNotFound) {
		// The resource itself is not defined yet.
		return nil
	}
	for _, b := range found {
		if b.Status.State == stateInProgress && b.Status.OwnerID == a.Node {
			why := fmt.Sprintf("the storage of %s was started again while it was made", a.Node)
			err = errors.Join(err, a.patchBackup(b.Metadata.Name, backupStatus{State: stateError, Error: why}))
		}
	}
	return err
}
