package longhorn

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeKube is an API server for resources of Longhorn, as far as an agent asks it.
type fakeKube struct {
	mutex   sync.Mutex
	objects map[string]map[string]any
	version int
}

func newFakeKube(t *testing.T) (*fakeKube, *Kube) {
	t.Helper()
	k := &fakeKube{objects: map[string]map[string]any{}}
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	return k, &Kube{server: server.URL, http: server.Client()}
}

func (k *fakeKube) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	plural, name, _ := strings.Cut(strings.TrimPrefix(q.URL.Path, group), "/")
	name, status, _ := strings.Cut(name, "/")
	key := plural + "/" + name
	found, there := k.objects[key]
	var body map[string]any
	_ = json.NewDecoder(q.Body).Decode(&body)
	switch {
	case q.Method == http.MethodGet && name == "":
		_ = json.NewEncoder(w).Encode(map[string]any{"items": k.list(plural, q.URL.Query().Get("labelSelector"))})
		return
	case q.Method == http.MethodPost:
		key = plural + "/" + meta(body)["name"].(string)
		if _, there := k.objects[key]; there {
			w.WriteHeader(http.StatusConflict)
			return
		}
		delete(body, "status")
		meta(body)["uid"], meta(body)["creationTimestamp"] = fmt.Sprint("uid-", k.version), time.Now().UTC().Format(time.RFC3339)
	case !there:
		w.WriteHeader(http.StatusNotFound)
		return
	case q.Method == http.MethodGet:
		_ = json.NewEncoder(w).Encode(found)
		return
	case q.Method == http.MethodDelete:
		if list, _ := meta(found)["finalizers"].([]any); len(list) == 0 {
			delete(k.objects, key)
			return
		}
		meta(found)["deletionTimestamp"] = now()
		body = found
	default:
		asked, _ := body["metadata"].(map[string]any)
		if wanted := asked["resourceVersion"]; wanted != nil && wanted != meta(found)["resourceVersion"] {
			w.WriteHeader(http.StatusConflict)
			return
		}
		if status != "" {
			body = map[string]any{"status": body["status"]}
		} else {
			delete(body, "status")
		}
		merge(found, body)
		body = found
	}
	k.version++
	meta(body)["resourceVersion"] = fmt.Sprint(k.version)
	if list, _ := meta(body)["finalizers"].([]any); len(list) == 0 && meta(body)["deletionTimestamp"] != nil {
		delete(k.objects, key)
	} else {
		k.objects[key] = body
	}
	_ = json.NewEncoder(w).Encode(body)
}

func meta(object map[string]any) map[string]any { return object["metadata"].(map[string]any) }

func merge(into, from map[string]any) {
	for key, value := range from {
		below, deep := value.(map[string]any)
		own, there := into[key].(map[string]any)
		switch {
		case value == nil:
			delete(into, key)
		case deep && there:
			merge(own, below)
		default:
			into[key] = value
		}
	}
}

func (k *fakeKube) list(plural, selector string) (found []map[string]any) {
	label, value, _ := strings.Cut(selector, "=")
	for key, object := range k.objects {
		labels, _ := meta(object)["labels"].(map[string]any)
		if strings.HasPrefix(key, plural+"/") && (selector == "" || labels[label] == value) {
			found = append(found, object)
		}
	}
	slices.SortFunc(found, func(one, other map[string]any) int {
		return strings.Compare(meta(one)["name"].(string), meta(other)["name"].(string))
	})
	return found
}

// put makes an object of a plural from JSON, status and all.
func (k *fakeKube) put(t *testing.T, plural, text string) {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.version++
	meta(object)["resourceVersion"], meta(object)["uid"] = fmt.Sprint(k.version), fmt.Sprint("uid-", k.version)
	k.objects[plural+"/"+meta(object)["name"].(string)] = object
}

// get decodes an object; false when it is not there.
func (k *fakeKube) get(plural, name string, into any) bool {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	object, there := k.objects[plural+"/"+name]
	text, _ := json.Marshal(object)
	return there && json.Unmarshal(text, into) == nil
}
