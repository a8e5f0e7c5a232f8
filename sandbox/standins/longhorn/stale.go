package longhorn

import (
	"errors"
	"log"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ForgetLost finishes what an agent that died, or a machine that lost power, left: volumes that the resources still show as
// attached here are not, a backup made here was not finished, and pods that still have their dead mounts must be made again
// (Longhorn does the same).
func (a *Agent) ForgetLost() {
	lost := map[string]bool{}
	for _, point := range mountPoints() {
		if filepath.Dir(point) == deviceHome {
			for _, uid := range dropMounts(filepath.Base(point)) {
				lost[uid] = true
			}
		}
	}
	for {
		err := errors.Join(a.letGo(), a.endLostBackups(), a.deletePods(lost))
		if err == nil {
			a.ready.Store(true)
			return
		}
		log.Printf("volumes that were attached here: %v", err)
		time.Sleep(time.Second)
	}
}

// letGo says of the volumes that were attached here, or of one of them, that they are not.
func (a *Agent) letGo(names ...string) error {
	volumes, err := list[volume](a.Kube, group+"volumes")
	for _, v := range volumes {
		if v.Status.CurrentNodeID == a.Node && (len(names) == 0 || slices.Contains(names, v.Metadata.Name)) {
			err = errors.Join(err, a.patchVolume(v.Metadata.Name, "unknown", "detached", ""))
		}
	}
	return err
}

// dropMounts takes a volume's dead mounts away and returns the identifiers of the pods that had it.
func dropMounts(volume string) (pods []string) {
	for _, target := range podMounts(volume) {
		if err := command("umount", "-l", target); err != nil {
			log.Printf("volume %s: %v", volume, err)
		}
		_, of, _ := strings.Cut(target, "/pods/")
		uid, _, _ := strings.Cut(of, "/")
		pods = append(pods, uid)
	}
	if err := detachStale(volume); err != nil {
		log.Printf("volume %s: %v", volume, err)
	}
	return pods
}

func (a *Agent) deletePods(lost map[string]bool) error {
	if len(lost) == 0 {
		return nil
	}
	pods, err := list[struct {
		Metadata objectMeta `json:"metadata"`
	}](a.Kube, "/api/v1/pods?fieldSelector=spec.nodeName="+a.Node)
	for _, pod := range pods {
		if lost[pod.Metadata.UID] {
			log.Printf("pod %s/%s is made again: its volume was lost", pod.Metadata.Namespace, pod.Metadata.Name)
			gone := a.Kube.Do(http.MethodDelete, "/api/v1/namespaces/"+pod.Metadata.Namespace+"/pods/"+pod.Metadata.Name, nil, nil)
			if !errors.Is(gone, ErrNotFound) {
				err = errors.Join(err, gone)
			}
		}
	}
	return err
}
