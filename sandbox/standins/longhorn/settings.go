package longhorn

import (
	"errors"
	"log"
	"maps"
	"net/http"
)

// Settings of Longhorn that this stand-in obeys, by their names there.
const (
	// "disabled": replicas are not verified at rest.
	settingIntegrity = "snapshot-data-integrity"
	// "0": replicas that are out of use stay so.
	settingRebuilds = "concurrent-replica-rebuild-per-node-limit"
	// Where the bucket of the backup target answers. (Longhorn reads it from the target's credentialSecret.)
	settingEndpoint = "backup-target-endpoint"
)

var defaults = map[string]string{settingIntegrity: "enabled", settingRebuilds: "5"}

// settings are those of the cluster: where they cannot be read, those read last; before that, Longhorn's defaults. What an
// operator has turned off must not be done because the API server is late once.
func (a *Agent) settings() map[string]string {
	a.known.Lock()
	defer a.known.Unlock()
	found, err := list[setting](a.Kube, group+"settings")
	if err != nil {
		log.Printf("settings: %v", err)
		if a.known.settings == nil {
			return defaults
		}
		return a.known.settings
	}
	a.known.settings = maps.Clone(defaults)
	for _, one := range found {
		a.known.settings[one.Metadata.Name] = one.Value
	}
	return a.known.settings
}

// ensureSettings makes the settings that are not there, so that an operator finds them.
func (a *Agent) ensureSettings() error {
	found, err := list[setting](a.Kube, group+"settings")
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, one := range found {
		there[one.Metadata.Name] = true
	}
	for name, value := range defaults {
		if there[name] {
			continue
		}
		made := setting{APIVersion: "longhorn.io/v1beta2", Kind: "Setting", Metadata: objectMeta{Name: name, Namespace: Namespace}, Value: value}
		if failed := a.Kube.Do(http.MethodPost, group+"settings", made, nil); !errors.Is(failed, ErrConflict) {
			err = errors.Join(err, failed)
		}
	}
	return err
}
