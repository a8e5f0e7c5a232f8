#!/bin/sh
# Boots one machine: `boot.sh host` joins the machine's cgroups and makes its namespaces; `boot.sh machine` runs inside
# them, connects the cable, mounts the root and becomes the init. Every mount and link is made inside the machine's own
# namespaces, so the kernel takes all of it away when the init dies: that is what makes a power cut clean.
#
# From sandbox/machines/power.ts, by environment: LAB_MACHINE LAB_HOME_DIR (upper, work, data) LAB_BASE LAB_ROOT
# LAB_FORGE LAB_CABLE LAB_BRIDGE LAB_CGROUPS LAB_NETWORK (an `ip -batch` file).
# File descriptor 3 is told `ready` when the init takes over; 4 holds the host's network namespace meanwhile.
set -eu

host() {
  for cgroup in $LAB_CGROUPS; do echo $$ > "$cgroup/cgroup.procs"; done
  exec 4< /proc/self/ns/net
  # --kill-child: whoever ends this process by its pid ends the machine
  exec unshare --net --mount --propagation private --uts --ipc --pid --fork --kill-child=SIGKILL -- /bin/sh "$0" machine
}

cable() {
  sysctl="/proc/sys/net"
  echo 1 > $sysctl/ipv4/ip_forward
  for scope in all default; do
    echo 0 > $sysctl/ipv4/conf/$scope/rp_filter   # replies of pods come another way than the requests to services
    echo 1 > $sysctl/ipv6/conf/$scope/disable_ipv6   # the lab is IPv4 only
  done
  if [ -d $sysctl/bridge ]; then echo 1 > $sysctl/bridge/bridge-nf-call-iptables; fi
  # The host's end of a cable that a power cut left lives until the kernel has cleaned up behind it: make place first.
  nsenter --net=/proc/self/fd/4 ip link del "$LAB_CABLE" 2> /dev/null || true
  ip link add eth0 type veth peer name "$LAB_CABLE" netns /proc/self/fd/4
  nsenter --net=/proc/self/fd/4 ip link set "$LAB_CABLE" master "$LAB_BRIDGE" addrgenmode none up
  ip -batch "$LAB_NETWORK"
  exec 4<&-
}

devices() {   # of its own, not the host's: no disk of the host is in reach, and shared memory dies with the machine
  mount -t tmpfs -o nosuid,mode=755 dev "$1"
  mkdir "$1/pts" "$1/shm" "$1/mqueue" "$1/net"
  mknod -m 666 "$1/null" c 1 3; mknod -m 666 "$1/zero" c 1 5; mknod -m 666 "$1/full" c 1 7
  mknod -m 666 "$1/random" c 1 8; mknod -m 666 "$1/urandom" c 1 9; mknod -m 666 "$1/tty" c 5 0
  mknod -m 600 "$1/kmsg" c 1 11   # the kubelet's watcher for processes killed for want of memory reads it
  mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$1/pts"
  mount -t tmpfs -o nosuid,nodev,mode=1777 shm "$1/shm"
  mount -t mqueue mqueue "$1/mqueue"
  ln -s pts/ptmx "$1/ptmx"; ln -s /proc/self/fd "$1/fd"
  ln -s /proc/self/fd/0 "$1/stdin"; ln -s /proc/self/fd/1 "$1/stdout"; ln -s /proc/self/fd/2 "$1/stderr"
}

# The kubelet writes these settings, which belong to the whole kernel: it finds its values here and the host keeps its own.
kernel_settings() {
  mkdir -p run/lab-sysctl
  for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
    file="run/lab-sysctl/$(echo "${setting%=*}" | tr / .)"
    echo "${setting#*=}" > "$file"
    mount --bind "$file" "proc/sys/${setting%=*}"
  done
}

machine() {
  cable
  echo "$LAB_MACHINE" > /proc/sys/kernel/hostname
  mount -t overlay overlay \
    -o "lowerdir=$LAB_BASE,upperdir=$LAB_HOME_DIR/upper,workdir=$LAB_HOME_DIR/work,index=off" "$LAB_ROOT"
  cd "$LAB_ROOT"
  mount -t proc -o nosuid,nodev,noexec proc proc
  mount -t sysfs -o nosuid,nodev,noexec sysfs sys
  mount --rbind /sys/fs/cgroup sys/fs/cgroup
  devices dev
  mount -t tmpfs -o nosuid,mode=755 run run
  mount -t tmpfs -o mode=1777 tmp tmp
  mkdir -p run/lock run/sshd data opt/forge
  kernel_settings
  mount --bind "$LAB_HOME_DIR/data" data
  mount --bind "$LAB_FORGE" opt/forge
  mount -o remount,bind,ro opt/forge
  pivot_root . mnt
  umount -l /mnt
  mount --make-rshared /   # the kubelet passes mounts on to containers
  echo ready >&3
  exec 3>&-
  # With a place for a log, the init reads its own standard error: what is written there makes it look for new services
  # at once, and not up to five seconds later (library/runit_service.py).
  exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/forge/bin HOME=/root LANG=C.UTF-8 \
    runsvdir -P /etc/lab-service 'log: ................................'
}

"$1"
