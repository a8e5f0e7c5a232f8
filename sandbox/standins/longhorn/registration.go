package longhorn

import (
	"context"
	"log"
	"path/filepath"

	"google.golang.org/grpc"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// registrar tells the kubelet which driver answers on which socket.
type registrar struct {
	registration.UnimplementedRegistrationServer
	endpoint string
}

// ServeRegistration answers the kubelet's plugin watcher below kubelet's folder.
func ServeRegistration(kubelet, endpoint string) error {
	socket := filepath.Join(kubelet, "plugins_registry", Driver+"-reg.sock")
	return serveSocket(socket, func(server *grpc.Server) {
		registration.RegisterRegistrationServer(server, &registrar{endpoint: endpoint})
	})
}

func (r *registrar) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{Type: registration.CSIPlugin, Name: Driver, Endpoint: r.endpoint, SupportedVersions: []string{"1.0.0"}}, nil
}

func (r *registrar) NotifyRegistrationStatus(_ context.Context, status *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	if !status.PluginRegistered {
		log.Fatalf("the kubelet refused the driver: %s", status.Error)
	}
	return &registration.RegistrationStatusResponse{}, nil
}
