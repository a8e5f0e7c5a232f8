// Package engine runs one job of a workflow with the engine that Gitea's own runner uses (gitea.com/gitea/act), in host mode:
// its steps are programs of this machine, run by this process's user.
package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	runnerv1 "code.gitea.io/actions-proto-go/runner/v1"
	"github.com/nektos/act/pkg/common"
	"github.com/nektos/act/pkg/model"
	"github.com/nektos/act/pkg/runner"
	"github.com/sirupsen/logrus"
)

// hostMode is the engine's name for a platform that is this machine itself.
const hostMode = "-self-hosted"

// Job is one job as Gitea hands it out.
type Job struct {
	task     *runnerv1.Task
	workflow *model.Workflow
	id       string
}

// Read reads a task. A job that needs what this runner does not do is refused: better no job than half of one.
func Read(task *runnerv1.Task) (*Job, error) {
	workflow, err := model.ReadWorkflow(bytes.NewReader(task.GetWorkflowPayload()))
	if err != nil {
		return nil, fmt.Errorf("read the workflow: %w", err)
	}
	ids := workflow.GetJobIDs()
	if len(ids) != 1 {
		return nil, fmt.Errorf("read the workflow: one job was expected, there are %d", len(ids))
	}
	job := workflow.GetJob(ids[0])
	switch {
	case len(task.GetNeeds()) > 0:
		return nil, errors.New("this runner does not fill in what other jobs left (`needs`)")
	case job.Container() != nil || len(job.Services) > 0:
		return nil, errors.New("this runner has no containers: leave `container` and `services` out")
	}
	return &Job{task: task, workflow: workflow, id: ids[0]}, nil
}

// Steps is how many steps the job has.
func (j *Job) Steps() int { return len(j.workflow.GetJob(j.id).Steps) }

// Repository is whose job it is: OWNER/NAME.
func (j *Job) Repository() string { return j.text("repository") }

// Secrets are the values that must not be seen in the log.
func (j *Job) Secrets() []string {
	values := []string{j.text("token"), j.text("gitea_runtime_token")}
	for _, value := range j.task.GetSecrets() {
		values = append(values, value)
	}
	return values
}

func (j *Job) text(field string) string {
	return j.task.GetContext().GetFields()[field].GetStringValue()
}

// Place says where a job runs.
type Place struct {
	// Instance is the address of Gitea, as this machine reaches it.
	Instance string
	// Work is a folder of this runner's own; the job's is made below it and removed.
	Work string
	// Labels are those of the runner.
	Labels []string
	// Actions are folders that stand in for actions of other repositories, by OWNER/NAME@REF. No other is to be had.
	Actions map[string]string
}

// Run runs the job to its end; the hook is told what happens. An error says that the job failed or was cancelled.
func (j *Job) Run(ctx context.Context, place Place, hook logrus.Hook) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = fmt.Errorf("the engine broke down: %v", thrown)
		}
	}()
	planner, err := model.NewSingleWorkflowPlanner("workflow.yml", bytes.NewReader(j.task.GetWorkflowPayload()))
	if err != nil {
		return fmt.Errorf("plan the workflow: %w", err)
	}
	plan, err := planner.PlanJob(j.id)
	if err != nil {
		return fmt.Errorf("plan the job %s: %w", j.id, err)
	}
	config, err := j.config(place)
	if err != nil {
		return err
	}
	engine, err := runner.New(config)
	if err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	ctx = runner.WithJobLoggerFactory(common.WithLoggerHook(ctx, hook), silent{})
	return engine.NewPlanExecutor(plan)(ctx)
}

func (j *Job) config(place Place) (*runner.Config, error) {
	event := j.task.GetContext().GetFields()["event"].GetStructValue().AsMap()
	eventJSON, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("write the event down: %w", err)
	}
	return &runner.Config{
		Workdir:        filepath.Join(place.Work, "workspace"),
		ActionCacheDir: filepath.Join(place.Work, "engine"),
		LogOutput:      true,
		AutoRemove:     true,
		NoSkipCheckout: true,
		EventName:      j.text("event_name"),
		EventJSON:      string(eventJSON),
		Secrets:        j.task.GetSecrets(),
		Vars:           j.task.GetVars(),
		Token:          j.text("token"),
		Env:            map[string]string{"GITEA_ACTIONS": "true"},
		ActionCache: &runner.LocalRepositoryCache{
			Parent: none{}, LocalRepositories: place.Actions, CacheDirCache: map[string]string{},
		},
		GitHubInstance:        place.Instance,
		DefaultActionInstance: place.Instance,
		PresetGitHubContext:   j.context(event),
		PlatformPicker: func(wanted []string) string {
			for _, label := range wanted {
				if !slices.Contains(place.Labels, label) {
					return ""
				}
			}
			return hostMode
		},
	}, nil
}

func (j *Job) context(event map[string]any) *model.GithubContext {
	return &model.GithubContext{
		Event:           event,
		RunID:           j.text("run_id"),
		RunNumber:       j.text("run_number"),
		RunAttempt:      j.text("run_attempt"),
		Actor:           j.text("actor"),
		Repository:      j.text("repository"),
		EventName:       j.text("event_name"),
		Sha:             j.text("sha"),
		Ref:             j.text("ref"),
		RefName:         j.text("ref_name"),
		RefType:         j.text("ref_type"),
		HeadRef:         j.text("head_ref"),
		BaseRef:         j.text("base_ref"),
		Token:           j.text("token"),
		RepositoryOwner: j.text("repository_owner"),
		RetentionDays:   j.text("retention_days"),
	}
}

// none fetches no action from anywhere: what a workflow of this project uses, its repository or this runner has.
type none struct{}

func (none) Fetch(_ context.Context, action, _, ref, _ string) (string, error) {
	return "", fmt.Errorf("this runner fetches no actions; %s@%s is none of those it has (-action)", action, ref)
}

func (none) GetTarArchive(_ context.Context, action, ref, _ string) (io.ReadCloser, error) {
	return nil, fmt.Errorf("this runner has no action %s@%s", action, ref)
}

// Masked are the values that the job itself asked to hide so far.
func Masked(ctx context.Context) []string { return *runner.Masks(ctx) }

// silent keeps the engine from writing the job's log anywhere but to the hook.
type silent struct{}

func (silent) WithJobLogger() *logrus.Logger {
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	return logger
}
