// Command webapp is the one stand-in application every instance of the lab runs.
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

	"sandbox.local/standins/webapp"
)

// Below Kubernetes' default grace period of 30 s, above the longest health check.
const drain = 10 * time.Second

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	config, err := webapp.ConfigFromEnvironment(os.LookupEnv)
	if err != nil {
		log.Error(err.Error())
		os.Exit(2)
	}
	log = log.With("instance", config.Instance)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	server := &http.Server{
		Addr:              config.Listen,
		Handler:           webapp.NewServer(config, log).Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      config.Timeout + 5*time.Second,
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		<-ctx.Done()
		log.Info("stopping: open requests get time to end")
		ending, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		if err := server.Shutdown(ending); err != nil {
			log.Error("not every request ended in time", "error", err)
		}
	}()
	log.Info("serving", "address", config.Listen)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Error("cannot serve", "error", err)
		os.Exit(1)
	}
	// ListenAndServe returns as soon as the shutdown begins.
	<-drained
}
