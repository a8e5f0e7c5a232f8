// longhorn plays Longhorn on one machine of the lab: replica server, engine of the volumes attached here, CSI driver, and, on
// one machine, the manager. A stand-in (sandbox/standins/longhorn says what it has in common with the real one).
package main

import (
	"flag"
	"log"
	"net/http"
	"path/filepath"
	"strings"

	"sandbox.local/standins/longhorn"
)

func main() {
	node := flag.String("node", "", "name of this machine")
	machines := flag.String("machines", "", "NAME=ADDRESS of every machine with a disk, comma-separated")
	port := flag.String("port", "9502", "port of every replica server")
	disk := flag.String("disk", "/data/longhorn", "folder of the replicas")
	kubelet := flag.String("kubelet", "/data/kubelet", "the kubelet's root folder")
	kubeconfig := flag.String("kubeconfig", "/etc/kubernetes/pki/kubelet.kubeconfig", "how to reach the API server")
	manage := flag.Bool("manager", false, "also make volumes out of claims, and have them backed up and restored")
	flag.Parse()
	kube, err := longhorn.NewKube(*kubeconfig)
	if err != nil {
		log.Fatalf("longhorn: %v", err)
	}
	agent := &longhorn.Agent{Node: *node, Kube: kube, Addresses: map[string]string{}}
	for _, machine := range strings.Split(*machines, ",") {
		name, address, _ := strings.Cut(machine, "=")
		agent.Addresses[name] = address + ":" + *port
	}
	own, known := agent.Addresses[*node]
	if !known {
		log.Fatalf("longhorn: -node %q is not among -machines %q", *node, *machines)
	}
	failed := make(chan error)
	server := longhorn.NewServer(*disk)
	socket := filepath.Join(*kubelet, "plugins", longhorn.Driver, "csi.sock")
	served := http.NewServeMux()
	served.Handle("/v1/replicas/", server.Handler())
	served.HandleFunc("POST /v1/backups/{name}", agent.HandleBackup)
	go func() { failed <- http.ListenAndServe(own, served) }()
	go func() { failed <- longhorn.ServeRegistration(*kubelet, socket) }()
	go func() {
		agent.ForgetLost()
		if *manage {
			go agent.Manage()
		}
		failed <- longhorn.ServeCSI(agent, socket)
	}()
	go server.FlushNowAndThen()
	go agent.Run()
	log.Printf("replicas of %s served on %s", *disk, own)
	log.Fatalf("longhorn: %v", <-failed)
}
