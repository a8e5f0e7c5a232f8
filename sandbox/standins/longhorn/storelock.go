package longhorn

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"strings"
	"sync"
	"time"
)

// How long a lock counts without being renewed, and how long is waited for one that another has. Tests shorten them.
var (
	lockTime     = 60 * time.Second
	lockPatience = 2 * time.Minute
	lockPause    = time.Second
)

// storeLock keeps a volume's folder in the backup store for one backup, restore or removal at a time, on whatever machine: a
// removal must not take away a block that a backup under way counts on. It is an object that only one can make, and that
// whoever died loses.
type storeLock struct {
	store      *backupStore
	name       string
	life       time.Duration
	mutex      sync.Mutex
	generation int64
	until      time.Time
	lost       error
	ended      chan struct{}
}

type lockContent struct {
	Holder string
	Until  time.Time
}

// errLocked says who has the lock.
type errLocked struct{ lockContent }

func (e *errLocked) Error() string {
	return fmt.Sprintf("the backups of the volume are in use by %s, until %s at least", e.Holder, instant(e.Until))
}

// lock waits for a volume's lock.
func (s *backupStore) lock(volume string) (*storeLock, error) {
	l := &storeLock{store: s, name: s.folder(volume) + "/locks/lock.lck", life: lockTime, ended: make(chan struct{})}
	for deadline := time.Now().Add(lockPatience); ; time.Sleep(lockPause) {
		err := l.take()
		if err == nil {
			go l.renewNowAndThen()
			return l, nil
		}
		var taken *errLocked
		if !errors.As(err, &taken) && !errors.Is(err, errChanged) || time.Now().After(deadline) {
			return nil, err
		}
	}
}

func (l *storeLock) take() error {
	err := l.write(0)
	if !errors.Is(err, errChanged) {
		return err
	}
	there, err := l.store.bucket.describe(l.name)
	if errors.Is(err, errNoObject) {
		return errChanged
	}
	if err != nil {
		return err
	}
	text, err := l.store.bucket.get(l.name, largestAnswer)
	if errors.Is(err, errNoObject) {
		return errChanged
	}
	var content lockContent
	if err == nil {
		err = json.Unmarshal(text, &content)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", l.name, err)
	}
	// Of a machine there is one agent at a time: what an earlier one of this machine held, nobody holds.
	machine, _, _ := strings.Cut(content.Holder, "/")
	own, _, _ := strings.Cut(l.store.holder, "/")
	if time.Now().Before(content.Until) && (machine != own || content.Holder == l.store.holder) {
		return &errLocked{content}
	}
	log.Printf("%s was left by %s", l.name, content.Holder)
	return l.write(there.Generation)
}

// write puts the lock in the place of a generation of it, 0 for none.
func (l *storeLock) write(over int64) error {
	until := time.Now().Add(l.life)
	text, err := json.Marshal(lockContent{Holder: l.store.holder, Until: until})
	if err != nil {
		return err
	}
	made, err := l.store.bucket.putOver(l.name, text, over)
	if err == nil {
		l.generation, l.until = made.Generation, until
	}
	return err
}

// confirm renews the lock, and fails when it is another's by now.
func (l *storeLock) confirm() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.lost != nil {
		return l.lost
	}
	err := l.write(l.generation)
	if errors.Is(err, errChanged) || errors.Is(err, errNoObject) {
		l.lost = fmt.Errorf("%s was taken over by another", l.name)
		return l.lost
	}
	return err
}

// held fails when the lock was lost, or could not be renewed for so long that it may be.
func (l *storeLock) held() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.lost == nil && time.Now().After(l.until) {
		l.lost = fmt.Errorf("%s could not be renewed", l.name)
	}
	return l.lost
}

func (l *storeLock) renewNowAndThen() {
	tick := time.NewTicker(l.life / 4)
	defer tick.Stop()
	for {
		select {
		case <-l.ended:
			return
		case <-tick.C:
			if err := l.confirm(); err != nil {
				log.Printf("%s: %v", l.name, err)
			}
		}
	}
}

func (l *storeLock) release() {
	close(l.ended)
	// Of one that another has by now nothing is touched.
	err := l.confirm()
	if err == nil {
		err = l.store.bucket.remove(l.name)
	}
	if err != nil {
		log.Printf("%s was not released: %v", l.name, err)
	}
}
