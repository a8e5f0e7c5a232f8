package longhorn

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fakeBucket is a bucket behind the part of the JSON API that is used, with what a test does to it.
type fakeBucket struct {
	mutex      sync.Mutex
	objects    map[string][]byte
	said       map[string]object
	generation int64
	// Names of what was put, in order.
	puts []string
	// Called, unlocked, before an object is stored: it may change it, refuse it, or drop it by returning nil.
	onPut func(name string, content []byte) ([]byte, int)
}

func newFakeBucket(t *testing.T) (*fakeBucket, *backupStore) {
	t.Helper()
	b := &fakeBucket{objects: map[string][]byte{}, said: map[string]object{}}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	return b, &backupStore{bucket: &bucket{endpoint: server.URL, name: "backups"}, holder: "pi1/one"}
}

func (b *fakeBucket) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	_, escaped, named := strings.Cut(q.URL.EscapedPath(), "/o/")
	name, _ := url.PathUnescape(escaped)
	switch {
	case q.Method == http.MethodPost:
		b.put(w, q)
	case !named:
		b.list(w, q.URL.Query())
	case q.Method == http.MethodDelete:
		b.mutex.Lock()
		defer b.mutex.Unlock()
		if _, there := b.objects[name]; !there {
			w.WriteHeader(http.StatusNotFound)
		}
		delete(b.objects, name)
	default:
		b.mutex.Lock()
		defer b.mutex.Unlock()
		content, there := b.objects[name]
		switch {
		case !there:
			w.WriteHeader(http.StatusNotFound)
		case q.URL.Query().Get("alt") == "media":
			_, _ = w.Write(content)
		default:
			_ = json.NewEncoder(w).Encode(b.said[name])
		}
	}
}

func (b *fakeBucket) put(w http.ResponseWriter, q *http.Request) {
	content, _ := io.ReadAll(q.Body)
	name := q.URL.Query().Get("name")
	if q.URL.Query().Get("uploadType") == "multipart" {
		_, values, _ := mime.ParseMediaType(q.Header.Get("Content-Type"))
		parts := multipart.NewReader(bytes.NewReader(content), values["boundary"])
		var about struct{ Name string }
		first, _ := parts.NextPart()
		_ = json.NewDecoder(first).Decode(&about)
		second, _ := parts.NextPart()
		content, _ = io.ReadAll(second)
		name = about.Name
	}
	said := object{Name: name, Size: int64(len(content)), CRC32C: crc32c(content)}
	kept := content
	if b.onPut != nil {
		var status int
		if kept, status = b.onPut(name, content); status != 0 {
			w.WriteHeader(status)
			return
		}
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if wanted := q.URL.Query().Get("ifGenerationMatch"); wanted != "" {
		there := int64(0)
		if _, known := b.objects[name]; known {
			there = b.said[name].Generation
		}
		if strconv.FormatInt(there, 10) != wanted {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
	}
	b.generation++
	said.Generation = b.generation
	b.puts = append(b.puts, name)
	if kept != nil {
		b.objects[name], b.said[name] = kept, said
	}
	_ = json.NewEncoder(w).Encode(said)
}

// list cuts a page off without a token, as fake-gcs-server does.
func (b *fakeBucket) list(w http.ResponseWriter, query url.Values) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	var found []object
	for name := range b.objects {
		if strings.HasPrefix(name, query.Get("prefix")) && name >= query.Get("startOffset") {
			found = append(found, b.said[name])
		}
	}
	slices.SortFunc(found, func(one, other object) int { return strings.Compare(one.Name, other.Name) })
	if most, _ := strconv.Atoi(query.Get("maxResults")); most > 0 && len(found) > most {
		found = found[:most]
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"items": found})
}

// names gives what lies in the bucket with this in its name.
func (b *fakeBucket) names(part string) (found []string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for name := range b.objects {
		if strings.Contains(name, part) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// rot changes an object behind the bucket's back: what it says of it stays.
func (b *fakeBucket) rot(name string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.objects[name] = bytes.Clone(b.objects[name])
	b.objects[name][17] ^= 0xff
}

func (b *fakeBucket) change(name string, content []byte) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.generation++
	b.objects[name] = content
	b.said[name] = object{Name: name, Size: int64(len(content)), CRC32C: crc32c(content), Generation: b.generation}
}

func (b *fakeBucket) drop(name string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	delete(b.objects, name)
}
