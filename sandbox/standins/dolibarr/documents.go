package dolibarr

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"sandbox.local/standins/files"
)

// module is a part of Dolibarr whose objects have documents: the folder they lie in, by the object's reference.
type module struct {
	name, noun, folder, table string
	// Ids of llx_rights_def.
	read, write int
}

var (
	invoiceModule = &module{"facture", "Invoice", "facture", "facture", 11, 12}
	productModule = &module{"product", "Product", "produit", "product", 31, 32}
	// By the names a caller may use.
	modules = map[string]*module{"facture": invoiceModule, "invoice": invoiceModule, "produit": productModule, "product": productModule}
)

// Where Dolibarr keeps its documents, as its listings show it.
const documentsHome = "/var/www/documents/"

// documents answers Dolibarr's /documents: what lies on the instance's volume, indexed in llx_ecm_files.
func (s *session) documents(ctx context.Context, request *http.Request, rest []string, given object) (any, error) {
	query := request.URL.Query()
	switch request.Method + " " + strings.Join(rest, "/") {
	case "GET ":
		return s.listDocuments(ctx, query)
	case "GET download":
		return s.download(query)
	case "POST upload":
		return s.upload(ctx, given)
	case "DELETE ":
		return s.deleteDocument(query)
	}
	return nil, refuse(http.StatusMethodNotAllowed, "")
}

func moduleOf(name string) (*module, error) {
	if name == "" {
		return nil, refuse(http.StatusBadRequest, "bad value for parameter modulepart")
	}
	if found := modules[name]; found != nil {
		return found, nil
	}
	return nil, refuse(http.StatusInternalServerError, "Modulepart "+excerpt(name)+" not implemented yet.")
}

// elementOf finds the object that documents belong to. @returns its id and reference.
func (s *session) elementOf(ctx context.Context, m *module, id int, ref string) (int, string, error) {
	rows, err := s.read(ctx, fmt.Sprintf("SELECT jsonb_build_object('id', rowid, 'ref', ref) FROM llx_%s WHERE entity = 1 AND (rowid = $1::integer OR ref = $2::text)", m.table), id, ref)
	if err != nil {
		return 0, "", err
	}
	if len(rows) == 0 {
		return 0, "", refuse(http.StatusNotFound, m.noun+" not found")
	}
	found, err := strconv.Atoi(fmt.Sprint(rows[0]["id"]))
	return found, fmt.Sprint(rows[0]["ref"]), err
}

func (s *session) listDocuments(ctx context.Context, query url.Values) ([]object, error) {
	m, err := moduleOf(query.Get("modulepart"))
	if err != nil {
		return nil, err
	}
	id, err := natural(query.Get("id"), 0)
	if err != nil || id == 0 && query.Get("ref") == "" {
		return nil, refuse(http.StatusBadRequest, "bad value for parameter id or ref")
	}
	if err := s.need(m.read); err != nil {
		return nil, err
	}
	id, ref, err := s.elementOf(ctx, m, id, query.Get("ref"))
	if err != nil {
		return nil, err
	}
	folder := path.Join(m.folder, ref)
	indexed, err := s.read(ctx, `SELECT to_jsonb(t) FROM llx_ecm_files t WHERE t.filepath = $1 AND t.entity = 1`, folder)
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(s.files.FS(), folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listed := []object{}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !entry.Type().IsRegular() {
			continue
		}
		one := object{
			"name": entry.Name(), "path": documentsHome + folder, "level1name": ref, "relativename": entry.Name(),
			"fullname": documentsHome + path.Join(folder, entry.Name()), "date": info.ModTime().Unix(), "size": info.Size(),
			"perm": 33188, "type": "file", "content-type": contentType(entry.Name()),
		}
		for _, row := range indexed {
			if row["filename"] == entry.Name() {
				one["id"] = row["rowid"]
				for _, name := range []string{"ref", "label", "entity", "filepath", "filename", "src_object_type", "src_object_id"} {
					one[name] = row[name]
				}
			}
		}
		listed = append(listed, one)
	}
	if len(listed) == 0 {
		return nil, refuse(http.StatusNotFound, fmt.Sprintf("Search for modulepart %s with Id %d or Ref %s does not return any document.", m.name, id, ref))
	}
	if strings.EqualFold(query.Get("sortorder"), "desc") {
		slices.Reverse(listed)
	}
	return listed, nil
}

// named gives the path on the volume of a document that a caller names, if the caller has the right.
func (s *session) named(query url.Values, right func(*module) int) (string, error) {
	m, err := moduleOf(query.Get("modulepart"))
	if err != nil {
		return "", err
	}
	file := query.Get("original_file")
	if file == "" {
		return "", refuse(http.StatusBadRequest, "bad value for parameter original_file")
	}
	if err := s.need(right(m)); err != nil {
		return "", err
	}
	if strings.Contains(file, "..") || strings.ContainsAny(file, "<>|") {
		return "", refuse(http.StatusForbidden, "")
	}
	return path.Join(m.folder, file), nil
}

func (s *session) download(query url.Values) (any, error) {
	name, err := s.named(query, func(m *module) int { return m.read })
	if err != nil {
		return nil, err
	}
	content, err := s.files.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refuse(http.StatusNotFound, "File not found")
	}
	if err != nil {
		return nil, err
	}
	return object{
		"filename": path.Base(name), "content-type": contentType(name), "filesize": len(content),
		"content": base64.StdEncoding.EncodeToString(content), "encoding": "base64",
	}, nil
}

// upload writes a document into the folder of an object, or into the one named. @returns its name, as Dolibarr does.
func (s *session) upload(ctx context.Context, given object) (any, error) {
	field := func(name string) string {
		if value, ok := given[name]; ok && value != nil {
			return fmt.Sprint(value)
		}
		return ""
	}
	m, err := moduleOf(field("modulepart"))
	if err != nil {
		return nil, err
	}
	if err := s.need(m.write); err != nil {
		return nil, err
	}
	id, below := 0, field("subdir")
	if ref := field("ref"); ref != "" {
		if id, below, err = s.elementOf(ctx, m, 0, ref); err != nil {
			return nil, err
		}
	}
	folder, name := path.Join(m.folder, below), sanitized(field("filename"))
	if below == "" || strings.Contains(below, "..") || strings.HasPrefix(name, ".") || name == "" {
		return nil, refuse(http.StatusBadRequest, "This value of modulepart ("+m.name+") is not allowed with this value of subdir ("+excerpt(below)+")")
	}
	content := []byte(field("filecontent"))
	if field("fileencoding") == "base64" {
		if content, err = base64.StdEncoding.DecodeString(string(content)); err != nil {
			return nil, refuse(http.StatusBadRequest, "filecontent is not base64")
		}
	}
	target := path.Join(folder, name)
	if _, err := s.files.Lstat(target); err == nil && !slices.Contains([]string{"1", "true"}, field("overwriteifexists")) {
		return nil, refuse(http.StatusBadRequest, "File with name '"+name+"' already exists.")
	}
	if err := files.Keep(s.files, target, bytes.NewReader(content)); err != nil {
		return nil, err
	}
	return name, s.index(ctx, m, id, folder, name, content)
}

// index notes a document in llx_ecm_files. An id of 0 stands for no object.
func (s *session) index(ctx context.Context, m *module, id int, folder, name string, content []byte) error {
	_, err := s.Exec(ctx, `INSERT INTO llx_ecm_files (ref, label, filepath, filename, src_object_type, src_object_id, date_c)
VALUES (md5($2::text || '/' || $3::text), $1::text, $2::text, $3::text, $4::text, nullif($5::integer, 0), localtimestamp)
ON CONFLICT (filepath, filename, entity) DO UPDATE SET label = excluded.label, tms = localtimestamp`, sum(content), folder, name, m.table, id)
	return err
}

// deleteDocument takes the file away and leaves its entry in llx_ecm_files, as Dolibarr does. It asks for the right to write,
// where Dolibarr asks for the right to read alone: an account for reading must not be able to destroy.
func (s *session) deleteDocument(query url.Values) (any, error) {
	name, err := s.named(query, func(m *module) int { return m.write })
	if err != nil {
		return nil, err
	}
	if info, err := s.files.Lstat(name); err != nil || info.IsDir() {
		return nil, refuse(http.StatusNotFound, "File not found")
	}
	return object{"success": object{"code": 200, "message": "Document deleted"}}, files.Remove(s.files, name)
}

// sanitized is a name without what a file's name may not have.
func sanitized(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
}

func contentType(name string) string {
	if path.Ext(name) == ".txt" {
		return "text/plain"
	}
	if known, _, _ := strings.Cut(mime.TypeByExtension(path.Ext(name)), ";"); known != "" {
		return known
	}
	return "application/octet-stream"
}

func sum(content []byte) string {
	hash := md5.Sum(content)
	return hex.EncodeToString(hash[:])
}
