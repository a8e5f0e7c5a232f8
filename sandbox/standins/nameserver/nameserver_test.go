package nameserver

import (
	"net"
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

type recorder struct {
	dns.ResponseWriter
	answer *dns.Msg
}

func (r *recorder) WriteMsg(message *dns.Msg) error { r.answer = message; return nil }
func (r *recorder) RemoteAddr() net.Addr            { return &net.UDPAddr{} }

func exchange(zone *Zone, message *dns.Msg) *dns.Msg {
	writer := &recorder{}
	zone.ServeDNS(writer, message)
	return writer.answer
}

func newZone() *Zone {
	return New("arcodange.lab", netip.MustParseAddr("10.43.0.40"), map[string]netip.Addr{"gitea": netip.MustParseAddr("10.77.0.202")})
}

func TestNamesOfTheZone(t *testing.T) {
	zone := newZone()
	for name, wanted := range map[string]string{"erp.arcodange.lab.": "10.43.0.40", "Gitea.arcodange.lab.": "10.77.0.202"} {
		answer := exchange(zone, new(dns.Msg).SetQuestion(name, dns.TypeA)).Answer
		if len(answer) != 1 || answer[0].(*dns.A).A.String() != wanted {
			t.Errorf("%s: %v, wanted %s", name, answer, wanted)
		}
	}
	if refused := exchange(zone, new(dns.Msg).SetQuestion("example.org.", dns.TypeA)); refused.Rcode != dns.RcodeRefused {
		t.Errorf("another zone: %s", dns.RcodeToString[refused.Rcode])
	}
}

func TestChallengesByDynamicUpdate(t *testing.T) {
	zone := newZone()
	record, _ := dns.NewRR(`_acme-challenge.erp.arcodange.lab. 60 IN TXT "proof"`)
	add := new(dns.Msg).SetUpdate("arcodange.lab.")
	add.Insert([]dns.RR{record})
	if code := exchange(zone, add).Rcode; code != dns.RcodeSuccess {
		t.Fatalf("insert: %s", dns.RcodeToString[code])
	}
	ask := func() int {
		return len(exchange(zone, new(dns.Msg).SetQuestion("_acme-challenge.erp.arcodange.lab.", dns.TypeTXT)).Answer)
	}
	if ask() != 1 {
		t.Error("the challenge is not answered")
	}
	remove := new(dns.Msg).SetUpdate("arcodange.lab.")
	remove.Remove([]dns.RR{record})
	exchange(zone, remove)
	if ask() != 0 {
		t.Error("the challenge is still answered")
	}
	other, _ := dns.NewRR(`erp.arcodange.lab. 60 IN A 10.1.1.1`)
	update := new(dns.Msg).SetUpdate("arcodange.lab.")
	update.Insert([]dns.RR{other})
	if code := exchange(zone, update).Rcode; code != dns.RcodeRefused {
		t.Errorf("an address by update: %s", dns.RcodeToString[code])
	}
}
