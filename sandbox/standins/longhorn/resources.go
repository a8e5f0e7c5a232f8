package longhorn

// The parts of longhorn.io/v1beta2 (and of what stands around it) that this stand-in reads and writes.

type objectMeta struct {
	Name              string            `json:"name"`
	Namespace         string            `json:"namespace,omitempty"`
	UID               string            `json:"uid,omitempty"`
	ResourceVersion   string            `json:"resourceVersion,omitempty"`
	CreationTimestamp string            `json:"creationTimestamp,omitempty"`
	Labels            map[string]string `json:"labels,omitempty"`
	OwnerReferences   []owner           `json:"ownerReferences,omitempty"`
	Finalizers        []string          `json:"finalizers,omitempty"`
	DeletionTimestamp string            `json:"deletionTimestamp,omitempty"`
}

type owner struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
}

// Size is text in every resource of Longhorn.
type volume struct {
	APIVersion string     `json:"apiVersion,omitempty"`
	Kind       string     `json:"kind,omitempty"`
	Metadata   objectMeta `json:"metadata"`
	Spec       struct {
		Size             int64  `json:"size,string"`
		NumberOfReplicas int    `json:"numberOfReplicas"`
		Frontend         string `json:"frontend"`
		NodeID           string `json:"nodeID,omitempty"`
		// URL of the backup that the volume is made from.
		FromBackup string `json:"fromBackup,omitempty"`
	} `json:"spec"`
	Status struct {
		State            string      `json:"state"`
		Robustness       string      `json:"robustness"`
		CurrentNodeID    string      `json:"currentNodeID"`
		RestoreInitiated bool        `json:"restoreInitiated,omitempty"`
		RestoreRequired  bool        `json:"restoreRequired,omitempty"`
		Conditions       []condition `json:"conditions,omitempty"`
	} `json:"status,omitempty"`
}

type replicaResource struct {
	APIVersion string     `json:"apiVersion,omitempty"`
	Kind       string     `json:"kind,omitempty"`
	Metadata   objectMeta `json:"metadata"`
	Spec       struct {
		VolumeName        string `json:"volumeName"`
		EngineName        string `json:"engineName"`
		NodeID            string `json:"nodeID"`
		DiskPath          string `json:"diskPath"`
		DataDirectoryName string `json:"dataDirectoryName"`
		HealthyAt         string `json:"healthyAt"`
		FailedAt          string `json:"failedAt"`
		LastFailedAt      string `json:"lastFailedAt"`
	} `json:"spec"`
}

type engineResource struct {
	APIVersion string     `json:"apiVersion,omitempty"`
	Kind       string     `json:"kind,omitempty"`
	Metadata   objectMeta `json:"metadata"`
	Spec       struct {
		VolumeName string `json:"volumeName"`
		VolumeSize int64  `json:"volumeSize,string"`
		NodeID     string `json:"nodeID"`
	} `json:"spec"`
}

type node struct {
	Metadata objectMeta `json:"metadata"`
	Spec     struct {
		Name string `json:"name"`
	} `json:"spec"`
	Status struct {
		Conditions []condition `json:"conditions"`
	} `json:"status"`
}

type setting struct {
	APIVersion string     `json:"apiVersion,omitempty"`
	Kind       string     `json:"kind,omitempty"`
	Metadata   objectMeta `json:"metadata"`
	Value      string     `json:"value"`
}

type condition struct {
	Type          string `json:"type"`
	Status        string `json:"status"`
	LastProbeTime string `json:"lastProbeTime"`
	Reason        string `json:"reason,omitempty"`
	Message       string `json:"message,omitempty"`
}

type backupTarget struct {
	Spec struct {
		BackupTargetURL string `json:"backupTargetURL"`
		// How often the bucket is looked into, such as 5m0s.
		PollInterval    string `json:"pollInterval"`
		SyncRequestedAt string `json:"syncRequestedAt"`
	} `json:"spec"`
}

type backupResource struct {
	APIVersion string     `json:"apiVersion,omitempty"`
	Kind       string     `json:"kind,omitempty"`
	Metadata   objectMeta `json:"metadata"`
	Spec       struct {
		SnapshotName string            `json:"snapshotName,omitempty"`
		Labels       map[string]string `json:"labels,omitempty"`
	} `json:"spec"`
	Status backupStatus `json:"status,omitempty"`
}

// backupStatus has sizes as text, in bytes.
type backupStatus struct {
	OwnerID             string            `json:"ownerID,omitempty"`
	State               string            `json:"state,omitempty"`
	Error               string            `json:"error"`
	URL                 string            `json:"url,omitempty"`
	VolumeName          string            `json:"volumeName,omitempty"`
	VolumeSize          string            `json:"volumeSize,omitempty"`
	SnapshotName        string            `json:"snapshotName,omitempty"`
	SnapshotCreatedAt   string            `json:"snapshotCreatedAt,omitempty"`
	BackupCreatedAt     string            `json:"backupCreatedAt,omitempty"`
	Size                string            `json:"size,omitempty"`
	NewlyUploadDataSize string            `json:"newlyUploadDataSize,omitempty"`
	Labels              map[string]string `json:"labels,omitempty"`
	CompressionMethod   string            `json:"compressionMethod,omitempty"`
}

// Names and words of Longhorn around backups.
const (
	backupVolumeLabel = "backup-volume"
	finalizer         = "longhorn.io"
	stateInProgress   = "InProgress"
	stateCompleted    = "Completed"
	stateError        = "Error"
	conditionRestore  = "Restore"
	reasonRestoring   = "RestoreInProgress"
	reasonRefused     = "RestoreFailure"
)

// volumeOf is the volume that a Backup is of.
func (b *backupResource) volumeOf() string {
	if name := b.Metadata.Labels[backupVolumeLabel]; name != "" {
		return name
	}
	return b.Status.VolumeName
}

type claim struct {
	Metadata objectMeta `json:"metadata"`
	Spec     struct {
		StorageClassName string `json:"storageClassName"`
		VolumeName       string `json:"volumeName"`
		Resources        struct {
			Requests map[string]string `json:"requests"`
		} `json:"resources"`
	} `json:"spec"`
}

// found says that a Backup without a state is one of the bucket, and not one that is to be made.
func (b *backupResource) found() bool { return b.Status.State == "" && b.Spec.SnapshotName == "" }
