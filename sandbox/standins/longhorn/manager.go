package longhorn

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"net/http"
	"sort"
	"strings"
	"time"
)

// StorageClass whose claims become volumes.
const StorageClass = "longhorn"

// Manage makes the settings there are, turns claims into volumes, gives every volume an engine and replicas, and has volumes
// restored and backed up, until the process ends.
func (a *Agent) Manage() {
	for ; ; time.Sleep(time.Second) {
		if err := errors.Join(a.ensureSettings(), a.provision(), a.complete(), a.orderBackups(), a.syncTarget()); err != nil {
			log.Printf("manager: %v", err)
		}
	}
}

// provision makes a Volume and a PersistentVolume for every claim that has none.
func (a *Agent) provision() error {
	claims, err := list[claim](a.Kube, "/api/v1/persistentvolumeclaims")
	if err != nil {
		return err
	}
	var failed error
	for _, c := range claims {
		if c.Spec.StorageClassName != StorageClass || c.Spec.VolumeName != "" || c.Metadata.DeletionTimestamp != "" {
			continue
		}
		failed = errors.Join(failed, a.provisionOne(c))
	}
	return failed
}

func (a *Agent) provisionOne(c claim) error {
	name := "pvc-" + c.Metadata.UID
	size, err := bytesOf(c.Spec.Resources.Requests["storage"])
	if err != nil {
		return fmt.Errorf("claim %s/%s: %w", c.Metadata.Namespace, c.Metadata.Name, err)
	}
	var v volume
	v.APIVersion, v.Kind, v.Metadata.Name, v.Metadata.Namespace = "longhorn.io/v1beta2", "Volume", name, Namespace
	v.Spec.Size, v.Spec.NumberOfReplicas, v.Spec.Frontend = size, 3, "blockdev"
	if err := a.Kube.Do(http.MethodPost, group+"volumes", v, nil); err != nil && !errors.Is(err, ErrConflict) {
		return err
	}
	persistent := map[string]any{
		"apiVersion": "v1", "kind": "PersistentVolume", "metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"capacity": map[string]string{"storage": fmt.Sprint(size)}, "accessModes": []string{"ReadWriteOnce"},
			"persistentVolumeReclaimPolicy": "Retain", "storageClassName": StorageClass,
			"claimRef": map[string]string{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": c.Metadata.Namespace, "name": c.Metadata.Name, "uid": c.Metadata.UID},
			"csi":      map[string]any{"driver": Driver, "volumeHandle": name, "fsType": "ext4"},
		},
	}
	if err := a.Kube.Do(http.MethodPost, "/api/v1/persistentvolumes", persistent, nil); err != nil && !errors.Is(err, ErrConflict) {
		return err
	}
	return nil
}

func bytesOf(quantity string) (int64, error) {
	var count int64
	if _, err := fmt.Sscanf(quantity, "%dMi", &count); err != nil || !strings.HasSuffix(quantity, "Mi") || count < 8 {
		return 0, fmt.Errorf("size %q: this stand-in takes whole Mi, at least 8Mi", quantity)
	}
	return count << 20, nil
}

// complete gives every volume that lacks them an engine, and replicas in folders of their own: a volume that was made again
// under the same name therefore begins empty, beside the folders of the one that was.
func (a *Agent) complete() error {
	volumes, err := list[volume](a.Kube, group+"volumes")
	if err != nil {
		return err
	}
	var failed error
	for _, v := range volumes {
		name := v.Metadata.Name
		replicas, err := list[replicaResource](a.Kube, group+"replicas?labelSelector=longhornvolume="+name)
		if err != nil || len(replicas) >= v.Spec.NumberOfReplicas || v.Metadata.DeletionTimestamp != "" {
			failed = errors.Join(failed, err)
			if err == nil && v.Metadata.DeletionTimestamp == "" {
				a.restoreWhenAsked(v)
			}
			continue
		}
		own := []owner{{APIVersion: "longhorn.io/v1beta2", Kind: "Volume", Name: name, UID: v.Metadata.UID}}
		engine, err := a.engineOf(v, own)
		if err == nil {
			err = a.addReplicas(v, engine, replicas, own)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// engineOf gives the name of a volume's engine, making one where there is none: a volume made again has another.
func (a *Agent) engineOf(v volume, own []owner) (string, error) {
	name := v.Metadata.Name
	found, err := list[engineResource](a.Kube, group+"engines?labelSelector=longhornvolume="+name)
	if err != nil {
		return "", err
	}
	for _, e := range found {
		// The engine of the volume that was is still being deleted.
		if len(e.Metadata.OwnerReferences) > 0 && e.Metadata.OwnerReferences[0].UID == v.Metadata.UID {
			return e.Metadata.Name, nil
		}
	}
	var e engineResource
	e.APIVersion, e.Kind = "longhorn.io/v1beta2", "Engine"
	e.Metadata = objectMeta{Name: name + "-e-" + identifier(), Namespace: Namespace, Labels: map[string]string{"longhornvolume": name}, OwnerReferences: own}
	e.Spec.VolumeName, e.Spec.VolumeSize = name, v.Spec.Size
	return e.Metadata.Name, a.Kube.Do(http.MethodPost, group+"engines", e, nil)
}

func (a *Agent) addReplicas(v volume, engine string, have []replicaResource, own []owner) error {
	taken := map[string]bool{}
	for _, r := range have {
		taken[r.Spec.NodeID] = true
	}
	var free []string
	for name := range a.Addresses {
		if !taken[name] {
			free = append(free, name)
		}
	}
	sort.Strings(free)
	for _, name := range free[:min(len(free), v.Spec.NumberOfReplicas-len(have))] {
		var r replicaResource
		r.APIVersion, r.Kind = "longhorn.io/v1beta2", "Replica"
		r.Metadata = objectMeta{
			Name: v.Metadata.Name + "-r-" + identifier(), Namespace: Namespace,
			Labels: map[string]string{"longhornvolume": v.Metadata.Name, "longhornnode": name}, OwnerReferences: own,
		}
		r.Spec.VolumeName, r.Spec.EngineName, r.Spec.NodeID = v.Metadata.Name, engine, name
		r.Spec.DiskPath, r.Spec.DataDirectoryName = "/data/longhorn", v.Metadata.Name+"-"+identifier()
		if err := a.Kube.Do(http.MethodPost, group+"replicas", r, nil); err != nil {
			return err
		}
	}
	return nil
}

// identifier is eight hexadecimal digits, as Longhorn puts them behind a volume's name.
func identifier() string {
	bytes := make([]byte, 4)
	_, _ = rand.Read(bytes)
	return hex.EncodeToString(bytes)
}
