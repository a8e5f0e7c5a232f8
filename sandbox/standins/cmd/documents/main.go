// documents is a stand-in for an app that keeps files: GET, PUT, DELETE and listings over one folder, which is a volume.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"log"
	"net/http"
	"os"
	"time"

	"sandbox.local/standins/files"
)

// The largest file that is taken, in bytes.
const largest = 16 << 20

func main() {
	listen := flag.String("listen", ":8080", "address")
	folder := flag.String("folder", "/files", "where the files lie")
	flag.Parse()
	root, err := os.OpenRoot(*folder)
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: *listen, Handler: handler(root), ReadHeaderTimeout: 5 * time.Second}
	log.Printf("serving %s on %s", *folder, *listen)
	log.Fatal(server.ListenAndServe())
}

func handler(root *os.Root) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /files", func(w http.ResponseWriter, _ *http.Request) {
		entries, err := fs.ReadDir(root.FS(), ".")
		names := []string{}
		for _, entry := range entries {
			if entry.Type().IsRegular() {
				names = append(names, entry.Name())
			}
		}
		answer(w, names, err)
	})
	// Every file below the folder, with its hash.
	mux.HandleFunc("GET /tree", func(w http.ResponseWriter, _ *http.Request) {
		found, err := files.Tree(root)
		answer(w, found, err)
	})
	mux.HandleFunc("GET /files/{name...}", func(w http.ResponseWriter, q *http.Request) {
		content, err := root.ReadFile(q.PathValue("name"))
		if err != nil {
			fail(w, err)
			return
		}
		_, _ = w.Write(content)
	})
	mux.HandleFunc("PUT /files/{name...}", func(w http.ResponseWriter, q *http.Request) {
		if err := files.Keep(root, q.PathValue("name"), http.MaxBytesReader(w, q.Body, largest)); err != nil {
			fail(w, err)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	mux.HandleFunc("DELETE /files/{name...}", func(w http.ResponseWriter, q *http.Request) {
		if err := files.Remove(root, q.PathValue("name")); err != nil {
			fail(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func answer(w http.ResponseWriter, value any, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	_ = json.NewEncoder(w).Encode(value)
}

func fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		status = http.StatusNotFound
	case errors.Is(err, fs.ErrInvalid):
		status = http.StatusBadRequest
	case errors.As(err, &tooLarge):
		status = http.StatusRequestEntityTooLarge
	}
	http.Error(w, err.Error(), status)
}
