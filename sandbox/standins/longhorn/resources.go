package longhorn

// The parts of longhorn.io/v1beta2 (and of what stands around it) that this stand-in reads and writes.

type objectMeta struct {
	Name              string            `json:"name"`
	Namespace         string            `json:"namespace,omitempty"`
	UID               string            `json:"uid,omitempty"`
	Labels            map[string]string `json:"labels,omitempty"`
	OwnerReferences   []owner           `json:"ownerReferences,omitempty"`
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
	} `json:"spec"`
	Status struct {
		State         string `json:"state"`
		Robustness    string `json:"robustness"`
		CurrentNodeID string `json:"currentNodeID"`
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
