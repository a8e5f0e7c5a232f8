package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	runnerv1 "code.gitea.io/actions-proto-go/runner/v1"
	"code.gitea.io/actions-proto-go/runner/v1/runnerv1connect"
	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"

	"sandbox.local/runner/engine"
	"sandbox.local/runner/gitea"
	"sandbox.local/runner/leftovers"
	"sandbox.local/runner/report"
)

// closing is how long the end of a job is tried to be told; after it the next start of the runner tells it.
const closing = 30 * time.Second

// killing is how long the processes of an ended job may take to go.
const killing = 10 * time.Second

// unregistered is what Gitea answers a runner that it does not know any more (it gives no code of its own).
const unregistered = "unregistered runner"

var (
	errCancelled = errors.New("the job was cancelled")
	errStopped   = errors.New("the runner was stopped")
	errTooLong   = errors.New("the job took too long")
)

type poller struct {
	credential gitea.Credential
	server     runnerv1connect.RunnerServiceClient
	home       string
	poll       time.Duration
	limit      time.Duration
	actions    map[string]string
}

func newPoller(credential gitea.Credential, home string, poll, limit time.Duration, actions map[string]string) *poller {
	server := gitea.Connect(credential)
	return &poller{credential: credential, server: server, home: home, poll: poll, limit: limit, actions: actions}
}

// running is where the state of the job lies while it runs.
func (p *poller) running() string { return filepath.Join(p.home, "running.json") }

func (p *poller) folder() string { return filepath.Join(p.home, "work") }

// work fetches jobs and runs them, one after another, until the context ends.
func (p *poller) work(ctx context.Context) error {
	if err := leftovers.Adopt(); err != nil {
		return fmt.Errorf("become the parent of what jobs leave behind: %w", err)
	}
	if err := p.declare(ctx); err != nil {
		return err
	}
	if err := p.endLost(ctx); err != nil {
		return err
	}
	log.Printf("waiting for jobs of %s with the labels %v", p.credential.Instance, p.credential.Labels)
	var version int64
	for ctx.Err() == nil {
		// Not with the context of this loop: a question that is broken off may have been answered with a job, which is lost then.
		answer, err := p.server.FetchTask(context.Background(), connect.NewRequest(&runnerv1.FetchTaskRequest{TasksVersion: version}))
		switch {
		case err != nil && strings.Contains(err.Error(), unregistered):
			return fmt.Errorf("ask for a job: %w; register it anew", err)
		case err != nil:
			log.Printf("ask for a job: %v", err)
		case answer.Msg.GetTask() == nil:
			version = answer.Msg.GetTasksVersion()
		default:
			if err := p.do(ctx, answer.Msg.GetTask()); err != nil {
				return err
			}
			// More jobs may have been waiting beside this one.
			version = 0
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(p.poll):
		}
	}
	return nil
}

func (p *poller) declare(ctx context.Context) error {
	_, err := p.server.Declare(ctx, connect.NewRequest(&runnerv1.DeclareRequest{
		Version: gitea.Version, Labels: p.credential.Labels,
	}))
	if err != nil {
		return fmt.Errorf("tell %s the labels of this runner: %w", p.credential.Instance, err)
	}
	return nil
}

// endLost tells Gitea that the job failed which this runner ran when it was killed.
func (p *poller) endLost(ctx context.Context) error {
	text, err := os.ReadFile(p.running())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	state := &runnerv1.TaskState{}
	if err == nil {
		err = protojson.Unmarshal(text, state)
	}
	if err != nil {
		return fmt.Errorf("read which job the runner left behind (%s): %w", p.running(), err)
	}
	err = report.Lost(ctx, p.server, state, "The runner was killed while this job ran; it says so now that it is back.")
	switch code := connect.CodeOf(err); {
	case err == nil:
		log.Printf("job %d was left behind by a runner that was killed: reported as failed", state.GetId())
	case code == connect.CodeUnavailable || code == connect.CodeDeadlineExceeded || code == connect.CodeCanceled:
		return fmt.Errorf("tell Gitea that job %d was left behind: %w", state.GetId(), err)
	default:
		// Gitea itself refuses: the job is no longer there, or was ended for it.
		log.Printf("job %d was left behind by a runner that was killed, and Gitea takes no report of it: %v", state.GetId(), err)
	}
	return p.clean()
}

func (p *poller) clean() error {
	return errors.Join(os.RemoveAll(p.folder()), os.RemoveAll(p.running()))
}

func (p *poller) keep(state *runnerv1.TaskState) error {
	text, err := protojson.Marshal(state)
	if err != nil {
		return err
	}
	return gitea.WriteDurably(p.running(), text)
}

// do runs one job and reports it. An error ends the runner: what it can no longer vouch for, the next start reports.
func (p *poller) do(ctx context.Context, task *runnerv1.Task) error {
	log.Printf("job %d begins", task.GetId())
	job, refused := engine.Read(task)
	options := report.Options{Task: task.GetId(), Keep: p.keep, Added: engine.Masked}
	if refused == nil {
		options.Steps, options.Masks = job.Steps(), report.NewMasks(job.Secrets()...)
	}
	told := report.New(p.server, options)
	if err := errors.Join(os.RemoveAll(p.folder()), os.MkdirAll(p.folder(), 0o700), p.keep(told.State())); err != nil {
		return fmt.Errorf("make a place for job %d: %w", task.GetId(), err)
	}
	told.Say("Runner %s, %s: the job's steps are run on this machine, by the user of the runner.", p.credential.Name, gitea.Version)
	ended := refused
	if refused == nil {
		ended = p.run(ctx, job, told)
	}
	if ended != nil {
		told.Say("%v", ended)
	}
	left, err := leftovers.End(killing)
	if err != nil {
		return err
	}
	if left > 0 {
		told.Say("%d processes that the job had left behind were ended.", left)
	}
	result := resultOf(ended, told.Result())
	if err := told.Close(context.Background(), result, closing); err != nil {
		return fmt.Errorf("tell Gitea how job %d ended: %w", task.GetId(), err)
	}
	log.Printf("job %d ended: %s", task.GetId(), told.State().GetResult())
	return p.clean()
}

// run runs a job while it is reported once a second. The error says why it did not end by itself, or not well.
func (p *poller) run(ctx context.Context, job *engine.Job, told *report.Report) error {
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	running, stop := context.WithTimeoutCause(running, p.limit, errTooLong)
	defer stop()
	done := make(chan error, 1)
	place := engine.Place{
		Instance: p.credential.Instance, Work: p.folder(), Labels: p.credential.Labels, Actions: p.actions,
	}
	go func() { done <- job.Run(running, place, told) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if running.Err() == nil {
				return err
			}
			if cause := context.Cause(running); !errors.Is(cause, context.Canceled) {
				return cause
			}
			return errStopped
		case <-tick.C:
			state, err := told.Send(context.Background())
			if err != nil {
				// Gitea may be away for a while; the rows are kept.
				log.Print(err)
			}
			if state != runnerv1.Result_RESULT_UNSPECIFIED {
				cancel(errCancelled)
			}
		}
	}
}

// resultOf is how a job ended: as the engine says only if nothing says otherwise.
func resultOf(ended error, said runnerv1.Result) runnerv1.Result {
	switch {
	case errors.Is(ended, errCancelled):
		return runnerv1.Result_RESULT_CANCELLED
	case ended != nil || said == runnerv1.Result_RESULT_UNSPECIFIED:
		return runnerv1.Result_RESULT_FAILURE
	default:
		return said
	}
}
