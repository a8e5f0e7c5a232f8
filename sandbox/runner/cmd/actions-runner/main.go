// actions-runner is a runner of Gitea Actions for this project's trials: it fetches jobs over Gitea's runner protocol, runs them
// on this machine with the engine of Gitea's own runner, and reports log and state. A stand-in for act_runner, which cannot be had
// as a Go module; it does one job at a time, in host mode, and nothing else.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"

	"sandbox.local/runner/gitea"
)

const usage = `Usage:
  actions-runner register -home DIR -instance URL -name NAME -labels LABEL,...   (the registration token comes on standard input)
  actions-runner run -home DIR [-poll 1s] [-timeout 1h] [-action OWNER/NAME@REF=FOLDER]...

DIR holds the credential (runner.json, 0600) and what the jobs need while they run.`

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	log.SetPrefix("actions-runner: ")
	// The engine's talk about itself; what it says of a job goes to Gitea.
	logrus.SetLevel(logrus.WarnLevel)
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch os.Args[1] {
	case "register":
		err = register(ctx, os.Args[2:])
	case "run":
		err = run(ctx, os.Args[2:])
	default:
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func register(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("register", flag.ExitOnError)
	home := flags.String("home", "", "folder of the runner")
	instance := flags.String("instance", "", "URL of Gitea")
	name := flags.String("name", "", "name of the runner in Gitea")
	labels := flags.String("labels", "sandbox", "what workflows ask for with runs-on, by commas")
	_ = flags.Parse(arguments)
	if *home == "" || *instance == "" || *name == "" {
		return errors.New("register: give -home, -instance and -name")
	}
	input := bufio.NewScanner(os.Stdin)
	input.Scan()
	token := strings.TrimSpace(input.Text())
	if token == "" {
		return errors.New("register: the registration token was expected on standard input")
	}
	credential, err := gitea.Register(ctx, *home, *instance, *name, token, strings.Split(*labels, ","))
	if err != nil {
		return err
	}
	log.Printf("registered as runner %d, %s", credential.ID, credential.Name)
	return nil
}

func run(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("run", flag.ExitOnError)
	home := flags.String("home", "", "folder of the runner")
	poll := flags.Duration("poll", time.Second, "pause between two questions for a job")
	limit := flags.Duration("timeout", time.Hour, "how long a job may take")
	actions := map[string]string{}
	flags.Func("action", "OWNER/NAME@REF=FOLDER of an action that a folder stands in for; may be repeated", func(text string) error {
		name, folder, found := strings.Cut(text, "=")
		if !found {
			return errors.New("give OWNER/NAME@REF=FOLDER")
		}
		actions[name] = folder
		return nil
	})
	_ = flags.Parse(arguments)
	if *home == "" {
		return errors.New("run: give -home")
	}
	credential, err := gitea.ReadCredential(*home)
	if err != nil {
		return err
	}
	if err := cleanEnvironment(*home); err != nil {
		return err
	}
	return newPoller(credential, *home, *poll, *limit, actions).work(ctx)
}

// passedOn are the variables of this process that jobs may know: the engine hands them all on.
var passedOn = []string{"PATH", "LANG", "LC_ALL", "TZ", "HOME"}

func cleanEnvironment(home string) error {
	kept := map[string]string{"HOME": filepath.Join(home, "user")}
	for _, name := range passedOn {
		if value, set := os.LookupEnv(name); set {
			kept[name] = value
		}
	}
	os.Clearenv()
	for name, value := range kept {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return os.MkdirAll(kept["HOME"], 0o700)
}
