// documents is a stand-in for an app that keeps files: GET, PUT and a listing over one folder, which is a volume.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

var name = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,99}$`)

func main() {
	listen := flag.String("listen", ":8080", "address")
	folder := flag.String("folder", "/files", "where the files lie")
	flag.Parse()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /files", func(w http.ResponseWriter, _ *http.Request) {
		entries, err := os.ReadDir(*folder)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		names := []string{}
		for _, entry := range entries {
			if entry.Type().IsRegular() {
				names = append(names, entry.Name())
			}
		}
		_ = json.NewEncoder(w).Encode(names)
	})
	mux.HandleFunc("GET /files/{name}", func(w http.ResponseWriter, q *http.Request) {
		content, err := os.ReadFile(filepath.Join(*folder, filepath.Base(q.PathValue("name"))))
		switch {
		case errors.Is(err, os.ErrNotExist):
			http.NotFound(w, q)
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		default:
			_, _ = w.Write(content)
		}
	})
	mux.HandleFunc("PUT /files/{name}", func(w http.ResponseWriter, q *http.Request) {
		if !name.MatchString(q.PathValue("name")) {
			http.Error(w, "not a name for a file", http.StatusBadRequest)
			return
		}
		// Acknowledged means on the disk.
		if err := keep(filepath.Join(*folder, q.PathValue("name")), q.Body); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Printf("serving %s on %s", *folder, *listen)
	log.Fatal(server.ListenAndServe())
}

func keep(path string, content io.Reader) error {
	file, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	if _, err = io.Copy(file, io.LimitReader(content, 16<<20)); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	// The name, too.
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
