package longhorn

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Where attached volumes are mounted on their machine. It is gone, with every mount, when the machine loses power.
const deviceHome = "/run/longhorn"

// What no fsync asked for lasts after this long.
const commitPeriod = time.Second

// device is an attached volume: its engine, the files on it, and where the machine sees them.
//
// No file system of the kernel's lies on an engine, so the kernel never waits for one: when the agent dies, or the machine
// with it, the kernel drops the connection and every use of the mount fails at once. The one way to a process that cannot
// end is an agent whose own thread waits for its own mount; so this process never touches it. What must look inside is a
// child's, which does not hold the connection (O_CLOEXEC).
type device struct {
	engine *Engine
	volume *fileVolume
	folder string
	done   chan struct{}
}

func deviceFolder(volume string) string { return filepath.Join(deviceHome, volume) }

// attach mounts an engine's volume.
func attach(engine *Engine) (*device, error) {
	// A machine of the lab has no such node; one that has keeps its own.
	_ = syscall.Mknod("/dev/fuse", syscall.S_IFCHR|0o600, 10<<8|229)
	d := &device{engine: engine, folder: deviceFolder(engine.Volume), done: make(chan struct{})}
	if err := detachStale(engine.Volume); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(d.folder, 0o755); err != nil {
		return nil, err
	}
	volume, err := openVolume(engine, engine.Size)
	if err != nil {
		return nil, fmt.Errorf("volume %s: %w", engine.Volume, err)
	}
	d.volume = volume
	connection, err := syscall.Open("/dev/fuse", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/fuse: %w", err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions", connection)
	if err := syscall.Mount("longhorn-"+engine.Volume, d.folder, "fuse", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOATIME, options); err != nil {
		_ = syscall.Close(connection)
		return nil, fmt.Errorf("mount %s: %w", d.folder, err)
	}
	server, err := fuse.NewServer(newMounted(volume), fmt.Sprintf("/dev/fd/%d", connection), &fuse.MountOptions{MaxWrite: 128 << 10, DisableReadDirPlus: true})
	if err != nil {
		return nil, fmt.Errorf("serve %s: %w", d.folder, err)
	}
	go server.Serve()
	go d.commitNowAndThen()
	return d, nil
}

func (d *device) commitNowAndThen() {
	tick := time.NewTicker(commitPeriod)
	defer tick.Stop()
	for {
		select {
		case <-d.done:
			return
		case <-tick.C:
			// A volume that lost its replicas says so to whoever writes.
			_ = d.volume.Commit()
		}
	}
}

// detach makes everything written last, lets go of the replicas, and takes the mount away whoever still uses it.
func (d *device) detach() error {
	if err := d.volume.Close(); err != nil {
		// Without a replica to write to there is nothing to wait for.
		log.Printf("volume %s: what was written last is lost: %v", d.engine.Volume, err)
	}
	close(d.done)
	d.engine.Close()
	return detachStale(d.engine.Volume)
}

// detachStale takes a volume's mount away, also one that an agent that died left.
func detachStale(volume string) error {
	folder := deviceFolder(volume)
	for isMounted(folder) {
		if err := command("umount", "-l", folder); err != nil {
			return err
		}
	}
	return nil
}

// mountPoints asks the kernel's table: looking at the folders themselves would be requests to this process.
func mountPoints() (points []string) {
	table, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) > 4 {
			points = append(points, fields[4])
		}
	}
	return points
}

func isMounted(folder string) bool { return slices.Contains(mountPoints(), folder) }

// podMounts is where pods of this machine have a volume.
func podMounts(volume string) (found []string) {
	for _, point := range mountPoints() {
		if strings.HasSuffix(point, "/volumes/kubernetes.io~csi/"+volume+"/mount") {
			found = append(found, point)
		}
	}
	return found
}

func command(name string, arguments ...string) error {
	if output, err := exec.Command(name, arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(arguments, " "), err, strings.TrimSpace(string(output)))
	}
	return nil
}
