// Package gitea speaks to Gitea as one of its runners: registration, and the credential it leaves.
package gitea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	runnerv1 "code.gitea.io/actions-proto-go/runner/v1"
	"code.gitea.io/actions-proto-go/runner/v1/runnerv1connect"
	"connectrpc.com/connect"
)

// Version is what Gitea shows of this runner.
const Version = "stand-in 1"

// timeout bounds one request: a Gitea that hangs must not hang its runner.
const timeout = 15 * time.Second

// Credential is what a registration leaves; its file is readable to the runner's user alone.
type Credential struct {
	Instance string   `json:"instance"`
	Name     string   `json:"name"`
	Labels   []string `json:"labels"`
	ID       int64    `json:"id"`
	UUID     string   `json:"uuid"`
	Token    string   `json:"token"`
}

func file(home string) string { return filepath.Join(home, "runner.json") }

// ReadCredential reads the credential of a runner that was registered before.
func ReadCredential(home string) (Credential, error) {
	var credential Credential
	text, err := os.ReadFile(file(home))
	if err == nil {
		err = json.Unmarshal(text, &credential)
	}
	if err == nil && (credential.UUID == "" || credential.Token == "" || credential.Instance == "") {
		err = errors.New("it lacks instance, uuid or token")
	}
	if err != nil {
		return credential, fmt.Errorf("read the runner's credential %s: %w; register it (actions-runner register)", file(home), err)
	}
	return credential, nil
}

// Register makes this a runner of what the registration token is for (an instance, an organisation, a repository), and keeps
// the credential below `home`.
func Register(ctx context.Context, home, instance, name, token string, labels []string) (Credential, error) {
	credential := Credential{Instance: strings.TrimSuffix(instance, "/"), Name: name, Labels: labels}
	if address, err := url.Parse(credential.Instance); err != nil || address.Host == "" || !strings.HasPrefix(address.Scheme, "http") {
		return credential, fmt.Errorf("register a runner: %q is not the URL of a Gitea", instance)
	}
	answer, err := Connect(credential).Register(ctx, connect.NewRequest(&runnerv1.RegisterRequest{
		Name: name, Token: token, Version: Version, Labels: labels,
	}))
	if err != nil {
		return credential, fmt.Errorf("register the runner %s with %s: %w", name, credential.Instance, err)
	}
	runner := answer.Msg.GetRunner()
	credential.ID, credential.UUID, credential.Token = runner.GetId(), runner.GetUuid(), runner.GetToken()
	text, err := json.Marshal(credential)
	if err != nil {
		return credential, err
	}
	return credential, WriteDurably(file(home), text)
}

// WriteDurably writes a file that only its owner may read, whole or not at all, and on the disk when this returns.
func WriteDurably(path string, content []byte) error {
	fresh, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fresh.Write(content)
	if err := errors.Join(err, fresh.Sync(), fresh.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Connect is Gitea's runner service, asked with this credential.
func Connect(credential Credential) runnerv1connect.RunnerServiceClient {
	identify := connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
			if credential.UUID != "" {
				request.Header().Set("x-runner-uuid", credential.UUID)
				request.Header().Set("x-runner-token", credential.Token)
			}
			return next(ctx, request)
		}
	})
	// No proxy: what this runner reaches is its Gitea and nothing else.
	client := &http.Client{Timeout: timeout, Transport: &http.Transport{Proxy: nil}}
	return runnerv1connect.NewRunnerServiceClient(client, credential.Instance+"/api/actions", connect.WithInterceptors(identify))
}
