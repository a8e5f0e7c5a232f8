package longhorn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A replica that does not answer for this long is taken out of the volume: writes must not wait for a dead machine.
const answerTime = 3 * time.Second

var client = &http.Client{Timeout: answerTime, Transport: &http.Transport{MaxIdleConnsPerHost: 8}}

// engineHeader names the engine that asks.
const engineHeader = "X-Longhorn-Engine"

// remote is a replica as its engine sees it, on whatever machine it is.
type remote struct {
	// Name of the Replica resource, its folder, and the machine's replica server.
	name, folder, node, address string
	// Name of the Engine resource, and when it was attached: of two with one name the younger may write.
	engine     string
	generation int64
	// The Replica resource says that it missed something.
	failed bool
	mode   string
	// Why it is not in use, and whether that is because its machine did not answer.
	trouble string
	silent  bool
	// A write was acknowledged that it does not have.
	behind bool
}

// Modes of a replica in an engine, Longhorn's words.
const (
	modeRW  = "RW"
	modeWO  = "WO"
	modeERR = "ERR"
)

func (r *remote) call(method, action string, values map[string]int64, body []byte) ([]byte, error) {
	if values == nil {
		values = map[string]int64{}
	}
	values["generation"] = r.generation
	url := fmt.Sprintf("http://%s/v1/replicas/%s/%s", r.address, r.folder, query(action, values))
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set(engineHeader, r.engine)
	answer, err := client.Do(request)
	if r.silent = err != nil; err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusConflict {
		damage := &CorruptError{}
		if json.Unmarshal(text, damage) == nil {
			return nil, damage
		}
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("replica %s at %s: %s", r.folder, r.address, strings.TrimSpace(string(text)))
	}
	return text, nil
}

func (r *remote) open(size int64) (info Info, err error) {
	text, err := r.call(http.MethodPost, "open", map[string]int64{"size": size}, nil)
	if err == nil {
		err = json.Unmarshal(text, &info)
	}
	return info, err
}

func (r *remote) close() { _, _ = r.call(http.MethodPost, "close", nil, nil) }

func (r *remote) read(offset, length int64) ([]byte, error) {
	return r.call(http.MethodGet, "blocks", map[string]int64{"offset": offset, "length": length}, nil)
}

func (r *remote) write(offset int64, data []byte, revision int64) error {
	_, err := r.call(http.MethodPut, "blocks", map[string]int64{"offset": offset, "revision": revision}, data)
	return err
}

func (r *remote) sync() error {
	_, err := r.call(http.MethodPost, "sync", nil, nil)
	return err
}

func (r *remote) verify() (found verified, err error) {
	text, err := r.call(http.MethodPost, "verify", nil, nil)
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	return found, err
}

func (r *remote) rebuilding(on bool, revision int64) error {
	flag := int64(0)
	if on {
		flag = 1
	}
	_, err := r.call(http.MethodPost, "rebuilding", map[string]int64{"on": flag, "revision": revision}, nil)
	return err
}
