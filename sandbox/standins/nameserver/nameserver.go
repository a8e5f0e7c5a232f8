// Package nameserver answers for one zone: given names, a wildcard, and challenge records kept by dynamic update.
package nameserver

import (
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

const (
	// Short: a name that moves must be seen at its new address within a drill.
	ttl = 5
	// The only names a dynamic update may touch.
	challengeLabel = "_acme-challenge."
)

// Zone is one zone's records; safe for concurrent use.
type Zone struct {
	origin   string
	wildcard netip.Addr
	hosts    map[string]netip.Addr
	mutex    sync.Mutex
	texts    map[string][]string
}

// New returns a zone in which every name has the wildcard's address except those in hosts (names relative to the zone).
func New(zone string, wildcard netip.Addr, hosts map[string]netip.Addr) *Zone {
	absolute := map[string]netip.Addr{}
	origin := dns.CanonicalName(zone)
	for name, address := range hosts {
		absolute[dns.CanonicalName(name+"."+origin)] = address
	}
	return &Zone{origin: origin, wildcard: wildcard, hosts: absolute, texts: map[string][]string{}}
}

// Accept lets queries and dynamic updates in; the library's default refuses updates.
func Accept(header dns.Header) dns.MsgAcceptAction {
	if opcode := int(header.Bits>>11) & 0xF; opcode == dns.OpcodeUpdate {
		return dns.MsgAccept
	}
	return dns.DefaultMsgAcceptFunc(header)
}

// ServeDNS implements dns.Handler.
func (z *Zone) ServeDNS(w dns.ResponseWriter, request *dns.Msg) {
	reply := new(dns.Msg).SetReply(request)
	reply.Authoritative = true
	switch {
	case len(request.Question) != 1:
		reply.Rcode = dns.RcodeFormatError
	case !dns.IsSubDomain(z.origin, request.Question[0].Name):
		// Not a resolver: there is nowhere to ask.
		reply.Rcode = dns.RcodeRefused
	case request.Opcode == dns.OpcodeUpdate:
		reply.Rcode = z.update(request.Ns)
	default:
		reply.Answer = z.answer(request.Question[0])
		if len(reply.Answer) == 0 {
			reply.Ns = []dns.RR{z.soa()}
		}
	}
	_ = w.WriteMsg(reply)
}

func (z *Zone) answer(question dns.Question) []dns.RR {
	name := dns.CanonicalName(question.Name)
	header := dns.RR_Header{Name: question.Name, Rrtype: question.Qtype, Class: dns.ClassINET, Ttl: ttl}
	apex := name == z.origin
	switch {
	case question.Qtype == dns.TypeSOA && apex:
		return []dns.RR{z.soa()}
	case question.Qtype == dns.TypeNS && apex:
		return []dns.RR{&dns.NS{Hdr: header, Ns: "ns." + z.origin}}
	case question.Qtype == dns.TypeTXT:
		z.mutex.Lock()
		defer z.mutex.Unlock()
		var records []dns.RR
		for _, text := range z.texts[name] {
			records = append(records, &dns.TXT{Hdr: header, Txt: []string{text}})
		}
		return records
	case question.Qtype == dns.TypeA && !apex && !strings.HasPrefix(name, challengeLabel):
		address, given := z.hosts[name]
		if !given {
			address = z.wildcard
		}
		return []dns.RR{&dns.A{Hdr: header, A: address.AsSlice()}}
	}
	return nil
}

func (z *Zone) soa() dns.RR {
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: z.origin, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl},
		Ns:  "ns." + z.origin, Mbox: "operator." + z.origin, Serial: 1, Refresh: 60, Retry: 60, Expire: 600, Minttl: 1,
	}
}

// update applies the records of a dynamic update (RFC 2136, section 3.4) and returns the answer's code.
func (z *Zone) update(records []dns.RR) int {
	z.mutex.Lock()
	defer z.mutex.Unlock()
	for _, record := range records {
		header := record.Header()
		name := dns.CanonicalName(header.Name)
		if !strings.HasPrefix(name, challengeLabel) || (header.Rrtype != dns.TypeTXT && header.Rrtype != dns.TypeANY) {
			return dns.RcodeRefused
		}
		text := ""
		if txt, ok := record.(*dns.TXT); ok {
			text = strings.Join(txt.Txt, "")
		}
		switch header.Class {
		case dns.ClassINET:
			if !slices.Contains(z.texts[name], text) {
				z.texts[name] = append(z.texts[name], text)
			}
		case dns.ClassNONE:
			z.texts[name] = slices.DeleteFunc(z.texts[name], func(kept string) bool { return kept == text })
		case dns.ClassANY:
			delete(z.texts, name)
		default:
			return dns.RcodeFormatError
		}
	}
	return dns.RcodeSuccess
}
