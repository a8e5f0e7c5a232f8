package longhorn

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"time"
)

// What the bucket answers with 404 and with 412.
var (
	errNoObject = errors.New("no such object")
	errChanged  = errors.New("the object is another one by now")
)

// bucket is one bucket behind the Google Cloud Storage JSON API.
type bucket struct {
	endpoint, name string
}

// A bucket that does not answer for this long fails the request.
const bucketTime = 30 * time.Second

var bucketClient = &http.Client{Timeout: bucketTime, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}

// object is what the bucket says about an object; its checksum is that of the bytes it took in.
type object struct {
	Name       string `json:"name"`
	Size       int64  `json:"size,string"`
	CRC32C     string `json:"crc32c"`
	Generation int64  `json:"generation,string"`
}

func crc32c(content []byte) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.Checksum(content, castagnoli)))
}

func (b *bucket) objects() string { return b.endpoint + "/storage/v1/b/" + b.name + "/o" }

func (b *bucket) send(method, address, kind string, body []byte, most int64) ([]byte, error) {
	request, err := http.NewRequest(method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	answer, err := bucketClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the bucket: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, most))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the bucket: %w", err)
	case answer.StatusCode == http.StatusNotFound:
		return nil, errNoObject
	case answer.StatusCode == http.StatusPreconditionFailed:
		return nil, errChanged
	case answer.StatusCode >= 300:
		return nil, fmt.Errorf("the bucket: %s %s: %s: %.200s", method, address, answer.Status, text)
	}
	return text, nil
}

// Answers other than content are small; the largest is a page of a listing.
const largestAnswer = 16 << 20

// put stores an object, and knows that what was stored is what was sent.
func (b *bucket) put(name string, content []byte) (object, error) {
	address := b.endpoint + "/upload/storage/v1/b/" + b.name + "/o?uploadType=media&name=" + url.QueryEscape(name)
	text, err := b.send(http.MethodPost, address, "application/octet-stream", content, largestAnswer)
	return b.stored(name, content, text, err)
}

// putOver stores an object in the place of the generation it had, 0 for none. Another one there is left: errChanged.
func (b *bucket) putOver(name string, content []byte, generation int64) (object, error) {
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	about, _ := json.Marshal(map[string]string{"name": name})
	for _, part := range [][]byte{about, content} {
		kind := "application/octet-stream"
		if &part[0] == &about[0] {
			kind = "application/json"
		}
		into, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {kind}})
		if err != nil {
			return object{}, err
		}
		_, _ = into.Write(part)
	}
	_ = parts.Close()
	address := b.endpoint + "/upload/storage/v1/b/" + b.name + "/o?uploadType=multipart&ifGenerationMatch=" + strconv.FormatInt(generation, 10)
	text, err := b.send(http.MethodPost, address, "multipart/related; boundary="+parts.Boundary(), body.Bytes(), largestAnswer)
	return b.stored(name, content, text, err)
}

func (b *bucket) stored(name string, content, answer []byte, err error) (object, error) {
	var made object
	if err == nil {
		err = json.Unmarshal(answer, &made)
	}
	if err == nil && (made.Size != int64(len(content)) || made.CRC32C != crc32c(content)) {
		err = fmt.Errorf("the bucket stored something else than it was sent as %s", name)
	}
	return made, err
}

// get returns an object's content, at most this many bytes and one of it.
func (b *bucket) get(name string, most int64) ([]byte, error) {
	return b.send(http.MethodGet, b.objects()+"/"+url.PathEscape(name)+"?alt=media", "", nil, most+1)
}

// describe says what there is under a name, without its content.
func (b *bucket) describe(name string) (found object, err error) {
	text, err := b.send(http.MethodGet, b.objects()+"/"+url.PathEscape(name), "", nil, largestAnswer)
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	return found, err
}

// remove takes an object away; one that is not there is no error.
func (b *bucket) remove(name string) error {
	_, err := b.send(http.MethodDelete, b.objects()+"/"+url.PathEscape(name), "", nil, largestAnswer)
	if errors.Is(err, errNoObject) {
		return nil
	}
	return err
}

// Objects of one page of a listing.
const page = 1000

// each calls with every object whose name begins with prefix, in the order of their names. A page begins where the last one
// ended: fake-gcs-server cuts a listing off at maxResults and gives no token for the rest.
func (b *bucket) each(prefix string, act func(object)) error {
	for last := ""; ; {
		query := url.Values{"prefix": {prefix}, "maxResults": {strconv.Itoa(page)}}
		if last != "" {
			query.Set("startOffset", last)
		}
		text, err := b.send(http.MethodGet, b.objects()+"?"+query.Encode(), "", nil, largestAnswer)
		if err != nil {
			return err
		}
		var found struct {
			Items         []object `json:"items"`
			NextPageToken string   `json:"nextPageToken"`
		}
		if err := json.Unmarshal(text, &found); err != nil {
			return fmt.Errorf("the bucket: %w", err)
		}
		for _, one := range found.Items {
			if one.Name > last {
				act(one)
				last = one.Name
			}
		}
		if len(found.Items) < page && found.NextPageToken == "" {
			return nil
		}
	}
}
