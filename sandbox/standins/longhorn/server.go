package longhorn

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// How often replicas are flushed to the machine's disk.
const flushPeriod = 5 * time.Second

var replicaName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*-[0-9a-f]{8}$`)

// Server gives the engines of other machines the replicas on this machine's disk.
type Server struct {
	disk  string
	mutex sync.Mutex
	open  map[string]*replica
}

// replica is one served folder. Only the youngest engine that opened it may write: one that was cut off from the cluster
// and comes back must not.
type replica struct {
	*files
	generation int64
}

// NewServer serves the replicas below disk/replicas.
func NewServer(disk string) *Server {
	return &Server{disk: disk, open: map[string]*replica{}}
}

// Folder is where a replica's files lie.
func (s *Server) Folder(name string) string { return filepath.Join(s.disk, "replicas", name) }

// Handler answers what remote asks.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/replicas/{name}/open", s.handleOpen)
	mux.HandleFunc("POST /v1/replicas/{name}/close", s.handleClose)
	mux.HandleFunc("GET /v1/replicas/{name}/blocks", s.on(func(r *replica, w http.ResponseWriter, q *http.Request) error {
		data, err := r.read(number(q, "offset"), number(q, "length"))
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}))
	mux.HandleFunc("PUT /v1/replicas/{name}/blocks", s.on(func(r *replica, w http.ResponseWriter, q *http.Request) error {
		data, err := io.ReadAll(q.Body)
		if err != nil {
			return err
		}
		return r.write(number(q, "offset"), data, number(q, "revision"))
	}))
	mux.HandleFunc("POST /v1/replicas/{name}/sync", s.on(func(r *replica, _ http.ResponseWriter, _ *http.Request) error { return r.sync() }))
	mux.HandleFunc("POST /v1/replicas/{name}/verify", s.on(func(r *replica, w http.ResponseWriter, _ *http.Request) error {
		corrupt, sums, err := r.verify()
		if err != nil {
			return err
		}
		return json.NewEncoder(w).Encode(verified{Corrupt: corrupt, Sums: sums})
	}))
	mux.HandleFunc("POST /v1/replicas/{name}/rebuilding", s.on(func(r *replica, _ http.ResponseWriter, q *http.Request) error {
		if err := r.setRebuilding(number(q, "on") == 1); err != nil {
			return err
		}
		r.mutex.Lock()
		defer r.mutex.Unlock()
		return r.setRevision(number(q, "revision"))
	}))
	return mux
}

type verified struct {
	Corrupt []int64 `json:"corrupt"`
	Sums    []byte  `json:"sums"`
}

func (s *Server) handleOpen(w http.ResponseWriter, q *http.Request) {
	name := q.PathValue("name")
	if !replicaName.MatchString(name) {
		http.Error(w, "not the name of a replica", http.StatusBadRequest)
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	generation := number(q, "generation")
	if known, ok := s.open[name]; ok {
		if known.generation > generation {
			http.Error(w, "a younger engine has this replica", http.StatusForbidden)
			return
		}
		// Folders may have been moved while the volume was detached: what lies there now counts.
		known.close()
		delete(s.open, name)
	}
	opened, err := openFiles(s.Folder(name), q.Header.Get(engineHeader), number(q, "size"))
	if err != nil {
		fail(w, err)
		return
	}
	s.open[name] = &replica{files: opened, generation: generation}
	_ = json.NewEncoder(w).Encode(opened.info)
}

func (s *Server) handleClose(w http.ResponseWriter, q *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if known, ok := s.open[q.PathValue("name")]; ok && known.generation == number(q, "generation") {
		_ = known.sync()
		known.close()
		delete(s.open, q.PathValue("name"))
	}
}

// FlushNowAndThen flushes what was written to the machine's disk, until the process ends. A machine that loses power keeps what
// its replica server has written all the same: in the lab its disk is the host's, and only the host's own power can take it.
func (s *Server) FlushNowAndThen() {
	for range time.Tick(flushPeriod) {
		s.mutex.Lock()
		open := slices.Collect(maps.Values(s.open))
		s.mutex.Unlock()
		for _, one := range open {
			if err := one.sync(); err != nil && !errors.Is(err, os.ErrClosed) {
				log.Printf("replica %s: %v", one.folder, err)
			}
		}
	}
}

func (s *Server) on(act func(*replica, http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		s.mutex.Lock()
		known, ok := s.open[q.PathValue("name")]
		s.mutex.Unlock()
		if !ok || known.generation != number(q, "generation") {
			http.Error(w, "this engine has not opened the replica", http.StatusForbidden)
			return
		}
		if err := act(known, w, q); err != nil {
			fail(w, err)
		}
	}
}

func fail(w http.ResponseWriter, err error) {
	var damage *CorruptError
	switch {
	case errors.As(err, &damage):
		w.WriteHeader(http.StatusConflict)
		_ = json.NewEncoder(w).Encode(damage)
	case errors.As(err, new(*ForeignError)):
		http.Error(w, err.Error(), http.StatusForbidden)
	case errors.Is(err, os.ErrNotExist):
		http.Error(w, "no such replica", http.StatusNotFound)
	default:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func number(q *http.Request, name string) int64 {
	value, _ := strconv.ParseInt(q.URL.Query().Get(name), 10, 64)
	return value
}

func query(path string, values map[string]int64) string {
	text := "?"
	for name, value := range values {
		text += fmt.Sprintf("%s=%d&", name, value)
	}
	return path + text
}
