package longhorn

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"gopkg.in/yaml.v3"
)

// ErrNotFound and ErrConflict are the API server's answers 404 and 409.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("conflict")
)

// Kube talks to the API server as the kubelet of this machine does.
type Kube struct {
	server string
	http   *http.Client
}

type kubeconfig struct {
	Clusters []struct {
		Cluster struct {
			Server string `yaml:"server"`
			CA     string `yaml:"certificate-authority-data"`
		} `yaml:"cluster"`
	} `yaml:"clusters"`
	Users []struct {
		User struct {
			Certificate string `yaml:"client-certificate-data"`
			Key         string `yaml:"client-key-data"`
		} `yaml:"user"`
	} `yaml:"users"`
}

// NewKube reads a kubeconfig with one cluster and one user, certificates embedded.
func NewKube(path string) (*Kube, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var config kubeconfig
	if err := yaml.Unmarshal(text, &config); err != nil || len(config.Clusters) != 1 || len(config.Users) != 1 {
		return nil, fmt.Errorf("%s is not a kubeconfig with one cluster and one user: %v", path, err)
	}
	decode := func(text string) []byte {
		data, _ := base64.StdEncoding.DecodeString(text)
		return data
	}
	pair, err := tls.X509KeyPair(decode(config.Users[0].User.Certificate), decode(config.Users[0].User.Key))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(decode(config.Clusters[0].Cluster.CA))
	transport := &http.Transport{TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots}}
	return &Kube{server: config.Clusters[0].Cluster.Server, http: &http.Client{Timeout: 10 * time.Second, Transport: transport}}, nil
}

// Do sends body (nil for none) and decodes the answer into out (nil to drop it).
func (k *Kube) Do(method, path string, body, out any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, k.server+path, content)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	answer, err := k.http.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return err
	case answer.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s %s: %w", method, path, ErrNotFound)
	case answer.StatusCode == http.StatusConflict:
		return fmt.Errorf("%s %s: %w", method, path, ErrConflict)
	case answer.StatusCode >= 300:
		return fmt.Errorf("%s %s: %s: %.300s", method, path, answer.Status, text)
	case out == nil:
		return nil
	}
	return json.Unmarshal(text, out)
}

const group = "/apis/longhorn.io/v1beta2/namespaces/" + Namespace + "/"

// Namespace of every resource of Longhorn.
const Namespace = "longhorn-system"

func list[T any](k *Kube, path string) ([]T, error) {
	var found struct {
		Items []T `json:"items"`
	}
	err := k.Do(http.MethodGet, path, nil, &found)
	return found.Items, err
}

// patch merges fields into a resource of Longhorn; where is "" or "/status".
func (k *Kube) patch(plural, name, where string, fields any) error {
	return k.Do(http.MethodPatch, group+plural+"/"+name+where, fields, nil)
}
