// nameserver plays the Pi-hole of the platform for its one zone: a wildcard that points at the ingress, names beside it, and
// the TXT records that cert-manager writes by dynamic update (RFC 2136) to answer DNS-01 challenges. A stand-in.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"sandbox.local/standins/nameserver"
)

type hosts map[string]netip.Addr

func (h hosts) String() string { return fmt.Sprint(map[string]netip.Addr(h)) }

func (h hosts) Set(text string) error {
	name, address, _ := strings.Cut(text, "=")
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return fmt.Errorf("%q is not NAME=ADDRESS: %w", text, err)
	}
	h[name] = parsed
	return nil
}

func main() {
	named := hosts{}
	zone := flag.String("zone", "", "the zone it answers for")
	listen := flag.String("listen", "127.0.0.1:53", "address, UDP and TCP")
	wildcard := flag.String("wildcard", "", "address of every name of the zone that is not given")
	flag.Var(named, "host", "NAME=ADDRESS of one name in the zone; may be repeated")
	flag.Parse()
	ingress, err := netip.ParseAddr(*wildcard)
	if err != nil || *zone == "" {
		log.Fatalf("nameserver: give -zone NAME and -wildcard ADDRESS")
	}
	handler := nameserver.New(*zone, ingress, named)
	failed := make(chan error)
	for _, network := range []string{"udp", "tcp"} {
		server := &dns.Server{Addr: *listen, Net: network, Handler: handler, MsgAcceptFunc: nameserver.Accept}
		go func() { failed <- server.ListenAndServe() }()
	}
	log.Printf("answering for %s on %s", *zone, *listen)
	log.Fatalf("nameserver: %v", <-failed)
}
