package longhorn

import (
	"context"
	"net"
	"os"
	"path/filepath"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Driver is the CSI driver's name, Longhorn's.
const Driver = "driver.longhorn.io"

// csiNode is the part of CSI that a kubelet calls. Volumes are made by the manager, and attached when a pod needs them.
type csiNode struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedNodeServer
	agent *Agent
}

// ServeCSI answers the kubelet on a socket below its plugins folder.
func ServeCSI(agent *Agent, socket string) error {
	return serveSocket(socket, func(server *grpc.Server) {
		csi.RegisterIdentityServer(server, &csiNode{agent: agent})
		csi.RegisterNodeServer(server, &csiNode{agent: agent})
	})
}

// serveSocket answers on a socket of its own what is registered, in the place of one that an earlier process left.
func serveSocket(socket string, register func(*grpc.Server)) error {
	if err := os.MkdirAll(filepath.Dir(socket), 0o750); err != nil {
		return err
	}
	_ = os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	register(server)
	return server.Serve(listener)
}

func (n *csiNode) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: Driver, VendorVersion: "stand-in"}, nil
}

func (n *csiNode) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	return &csi.GetPluginCapabilitiesResponse{}, nil
}

func (n *csiNode) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{}, nil
}

func (n *csiNode) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: n.agent.Node}, nil
}

func (n *csiNode) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	return &csi.NodeGetCapabilitiesResponse{}, nil
}

func (n *csiNode) NodePublishVolume(_ context.Context, q *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	mounted, err := n.agent.attachVolume(q.VolumeId)
	if err == nil && !isMounted(q.TargetPath) {
		if err = os.MkdirAll(q.TargetPath, 0o750); err == nil {
			err = command("mount", "--bind", mounted, q.TargetPath)
		}
	}
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.NodePublishVolumeResponse{}, nil
}

func (n *csiNode) NodeUnpublishVolume(_ context.Context, q *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	var err error
	if isMounted(q.TargetPath) {
		err = command("umount", "-l", q.TargetPath)
	}
	if err == nil {
		if err = os.Remove(q.TargetPath); os.IsNotExist(err) {
			err = nil
		}
	}
	// Another pod of this machine may still use the volume: the last one detaches it.
	if err == nil && len(podMounts(q.VolumeId)) == 0 {
		err = n.agent.detachVolume(q.VolumeId)
	}
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}
