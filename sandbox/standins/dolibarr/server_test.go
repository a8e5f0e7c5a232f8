package dolibarr

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"sandbox.local/standins/webapp"
)

// rig is a server on a real database that the environment names; without one these tests say that they were not run.
type rig struct {
	*testing.T
	server *httptest.Server
}

func newRig(t *testing.T) rig {
	place := os.Getenv("DOLIBARR_TEST_DATABASE")
	if place == "" {
		t.Skip("DOLIBARR_TEST_DATABASE names no throw-away database")
	}
	options, err := pgx.ParseConfig(place)
	if err != nil {
		t.Fatal(err)
	}
	options.DefaultQueryExecMode = pgx.QueryExecModeExec
	open := func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, options.Copy()) }
	settings := Settings{UniqueID: "test-id", Keys: map[string]string{"admin": "admin-key", "ai_agent": "agent-key"}}
	folder, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Install(t.Context(), open, options.User, settings, folder); err != nil {
		t.Fatal(err)
	}
	config := webapp.Config{Instance: "erp-test", OwnerRole: options.User, Timeout: 3 * time.Second}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	server := httptest.NewServer(NewServer(config, func() (Settings, error) { return settings, nil }, open, folder, log).Handler())
	t.Cleanup(server.Close)
	return rig{t, server}
}

func (r rig) call(key, method, path string, body any) (int, any) {
	r.Helper()
	var content bytes.Buffer
	if body != nil {
		_ = json.NewEncoder(&content).Encode(body)
	}
	request, _ := http.NewRequestWithContext(r.Context(), method, r.server.URL+"/api/index.php"+path, &content)
	request.Header.Set("DOLAPIKEY", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.Fatal(err)
	}
	defer response.Body.Close()
	var answer any
	_ = json.NewDecoder(response.Body).Decode(&answer)
	return response.StatusCode, answer
}

func (r rig) must(wanted int, key, method, path string, body any) any {
	r.Helper()
	status, answer := r.call(key, method, path, body)
	if status != wanted {
		r.Fatalf("%s %s gave %d %.300v, expected %d", method, path, status, fmt.Sprint(answer), wanted)
	}
	return answer
}

func TestAnInvoiceFromDraftToPaid(t *testing.T) {
	r := newRig(t)
	lines := []object{{"desc": "Conseil", "qty": "2", "subprice": "100.10", "tva_tx": "20"}, {"desc": "Livre", "qty": 1, "subprice": 30, "tva_tx": 5.5}}
	id := fmt.Sprint(r.must(200, "admin-key", "POST", "/invoices", object{"socid": 1, "date": "2026-11-02", "lines": lines}))
	draft := r.must(200, "admin-key", "GET", "/invoices/"+id, nil).(object)
	if draft["ref"] != "(PROV"+id+")" || draft["status"] != "0" || draft["total_ttc"] != "271.89000000" {
		t.Errorf("draft: %v", draft)
	}
	validated := r.must(200, "admin-key", "POST", "/invoices/"+id+"/validate", object{}).(object)
	if validated["status"] != "1" || validated["ref"].(string)[:7] != "FA2611-" {
		t.Errorf("validated: %v", validated)
	}
	r.must(304, "admin-key", "POST", "/invoices/"+id+"/validate", object{})
	r.must(403, "admin-key", "DELETE", "/invoices/"+id, nil)
	r.must(200, "admin-key", "POST", "/invoices/"+id+"/payments", object{"closepaidinvoices": "yes", "num_payment": "VIR"})
	paid := r.must(200, "admin-key", "GET", "/invoices/"+id+"/payments", nil).([]any)
	if len(paid) != 1 || paid[0].(object)["amount"] != "271.89000000" {
		t.Errorf("payments: %v", paid)
	}
	supplier := fmt.Sprint(r.must(200, "admin-key", "POST", "/supplierinvoices", object{"socid": 3, "ref_supplier": "X-" + id, "lines": lines}))
	r.must(200, "admin-key", "POST", "/supplierinvoices/"+supplier+"/validate", nil)
}

func TestThirdPartiesAreCreatedChangedAndDeleted(t *testing.T) {
	r := newRig(t)
	id := fmt.Sprint(r.must(200, "admin-key", "POST", "/thirdparties", object{"name": "L'Été & Co", "client": 1}))
	changed := r.must(200, "admin-key", "PUT", "/thirdparties/"+id, object{"town": "Lyon"}).(object)
	if changed["town"] != "Lyon" || changed["name"] != "L'Été & Co" {
		t.Errorf("changed: %v", changed)
	}
	r.must(400, "admin-key", "PUT", "/thirdparties/"+id, object{"rowid = 1; --": "x"})
	r.must(400, "admin-key", "POST", "/thirdparties", object{"client": 1})
	r.must(400, "admin-key", "PUT", "/thirdparties/"+id, object{"client": "many"})
	r.must(409, "admin-key", "POST", "/products", object{"ref": "PRD-0001", "label": "again"})
	r.must(200, "admin-key", "DELETE", "/thirdparties/"+id, nil)
	r.must(404, "admin-key", "GET", "/thirdparties/"+id, nil)
	r.must(409, "admin-key", "DELETE", "/thirdparties/1", nil)
}

func TestListsAreFilteredSortedAndPaged(t *testing.T) {
	r := newRig(t)
	filter := url.QueryEscape("(t.fk_statut:=:2) and (t.ref:like:'FA25%')")
	page := r.must(200, "agent-key", "GET", "/invoices?limit=5&page=1&sortfield=t.ref&sortorder=DESC&sqlfilters="+filter, nil).([]any)
	if len(page) != 5 {
		t.Fatalf("%d invoices", len(page))
	}
	for _, one := range page {
		if one.(object)["status"] != "2" {
			t.Errorf("not paid: %v", one)
		}
	}
	for _, wrong := range []string{"sqlfilters=1%3D1", "limit=-1", "limit=99999", "page=x", "sortfield=rowid%3Bdrop", "sortorder=sideways",
		"sqlfilters=" + url.QueryEscape("(t.fk_statut:=:'many')")} {
		r.must(400, "agent-key", "GET", "/invoices?"+wrong, nil)
	}
}

func TestKeysAndRights(t *testing.T) {
	r := newRig(t)
	r.must(200, "agent-key", "GET", "/status", nil)
	r.must(401, "", "GET", "/status", nil)
	r.must(401, "nobody's", "GET", "/status", nil)
	r.must(403, "agent-key", "POST", "/thirdparties", object{"name": "x"})
	r.must(403, "agent-key", "PUT", "/thirdparties/1", object{"town": "x"})
	r.must(403, "agent-key", "DELETE", "/thirdparties/1", nil)
	r.must(403, "agent-key", "POST", "/invoices/1500/validate", nil)
	r.must(404, "admin-key", "GET", "/nothing", nil)
	r.must(405, "admin-key", "PATCH", "/invoices/1", nil)
	r.must(400, "admin-key", "GET", "/invoices/0x1", nil)
}

func TestDocumentsAreUploadedListedReadAndDeleted(t *testing.T) {
	r := newRig(t)
	invoice := r.must(200, "agent-key", "GET", "/invoices?limit=1&sqlfilters="+url.QueryEscape("(t.fk_statut:>:0)"), nil).([]any)[0].(object)
	ref := invoice["ref"].(string)
	query := "?modulepart=invoice&original_file=" + url.QueryEscape(ref+"/note.txt")
	_, _ = r.call("admin-key", "DELETE", "/documents"+query, nil)
	given := object{"filename": "note.txt", "modulepart": "invoice", "ref": ref, "filecontent": "w6l0w6k=", "fileencoding": "base64"}
	r.must(403, "agent-key", "POST", "/documents/upload", given)
	if name := r.must(200, "admin-key", "POST", "/documents/upload", given); name != "note.txt" {
		t.Errorf("uploaded as %v", name)
	}
	r.must(400, "admin-key", "POST", "/documents/upload", given)
	given["overwriteifexists"] = 1
	r.must(200, "admin-key", "POST", "/documents/upload", given)
	listed := r.must(200, "agent-key", "GET", "/documents?modulepart=invoice&ref="+url.QueryEscape(ref), nil).([]any)
	if one := listed[len(listed)-1].(object); one["name"] != "note.txt" || one["size"] != 5.0 || one["src_object_type"] != "facture" {
		t.Errorf("listed: %v", one)
	}
	read := r.must(200, "agent-key", "GET", "/documents/download"+query, nil).(object)
	if read["content"] != "w6l0w6k=" || read["encoding"] != "base64" || read["filesize"] != 5.0 || read["content-type"] != "text/plain" {
		t.Errorf("read: %v", read)
	}
	r.must(403, "agent-key", "DELETE", "/documents"+query, nil)
	r.must(200, "admin-key", "DELETE", "/documents"+query, nil)
	r.must(404, "admin-key", "DELETE", "/documents"+query, nil)
	r.must(404, "agent-key", "GET", "/documents/download"+query, nil)
	r.must(403, "agent-key", "GET", "/documents/download?modulepart=invoice&original_file=..%2F..%2Fetc%2Fpasswd", nil)
	r.must(400, "agent-key", "GET", "/documents?modulepart=invoice", nil)
	r.must(500, "agent-key", "GET", "/documents?modulepart=rocket&id=1", nil)
	r.must(404, "agent-key", "GET", "/documents?modulepart=invoice&ref=none", nil)
}
