// Command dolibarr is the stand-in for the ERP: Dolibarr's REST API, and the health checks every app of the lab has.
package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"sandbox.local/standins/dolibarr"
	"sandbox.local/standins/webapp"
)

// Below the chart's grace period of 15 s.
const drain = 10 * time.Second

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	if err := run(log); err != nil {
		log.Error(err.Error())
		os.Exit(1)
	}
}

func run(log *slog.Logger) error {
	config, err := webapp.ConfigFromEnvironment(os.LookupEnv)
	if err != nil {
		return err
	}
	log = log.With("instance", config.Instance)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	readSettings, open := dolibarr.MountedSettings(config), dolibarr.LeasedDatabase(config)
	settings, err := readSettings()
	if err != nil {
		return err
	}
	// The image runs nowhere but in the chart, which mounts the volume there.
	documents, err := os.OpenRoot("/documents")
	if err != nil {
		return err
	}
	installing, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	made, err := dolibarr.Install(installing, open, config.OwnerRole, settings, documents)
	if err != nil {
		return err
	}
	if made {
		log.Info("installed into an empty database")
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", dolibarr.NewServer(config, readSettings, open, documents, log).Handler())
	mux.Handle("/", webapp.NewServer(config, log).Handler())
	server := &http.Server{Addr: config.Listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		<-ctx.Done()
		ending, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		if err := server.Shutdown(ending); err != nil {
			log.Error("not every request ended in time", "error", err)
		}
	}()
	log.Info("serving", "address", config.Listen)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	// ListenAndServe returns as soon as the shutdown begins.
	<-drained
	return nil
}
