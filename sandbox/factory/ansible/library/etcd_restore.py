#!/usr/bin/python
"""etcd's data directory from the newest backup of the bucket, when etcd cannot serve what it has."""
import json
import os
import subprocess
import tempfile
import time
import urllib.error

from ansible.module_utils.backup_bucket import BackupBucket, Refused, opener
from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: etcd_restore
short_description: Restore etcd from the newest backup, unless it serves
options:
  endpoint: {description: URL of the bucket's API, required: true, type: str}
  bucket: {description: Name of the bucket, required: true, type: str}
  etcdutl: {description: Path of etcdutl, required: true, type: path}
  data_dir: {description: etcd's data directory, required: true, type: path}
  health: {description: URL that says whether etcd serves, required: true, type: str}
  writers: {description: Supervised services that end before etcd does and start after it, type: list, elements: str, default: []}
"""

# Kubernetes' controllers watch from a revision on. Restored, etcd goes on far above every revision that was ever seen, and
# says of older ones that they are gone: whoever watched looks at everything anew.
REVISIONS = ["--bump-revision", "1000000000", "--mark-compacted"]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{' '.join(command[:4])}: {(done.stderr or done.stdout).strip()[-600:]}")


def serves(url):
    try:
        with opener.open(url, timeout=5) as answer:
            return json.loads(answer.read()).get("health") == "true"
    except (OSError, ValueError):
        return False


def down(*names):
    for name in names:
        service = f"/etc/lab-service/{name}"
        # Without its etcd an API server waits a minute for requests that cannot end. It holds nothing itself.
        subprocess.run(["sv", "-w", "5", "force-stop", service], capture_output=True, check=False)
        run("sv", "-w", "30", "down", service)


def up(*names):
    for name in names:
        # A service that ended over and over is seen to be down while runsv still waits: what it is told then may be lost.
        for _ in range(3):
            done = subprocess.run(["sv", "-w", "8", "up", f"/etc/lab-service/{name}"], capture_output=True, check=False)
            if done.returncode == 0:
                break
        else:
            run("sv", "-w", "8", "up", f"/etc/lab-service/{name}")


def restore(p, work, bucket):
    folder, manifest = bucket.newest("etcd")
    snapshot, fresh = os.path.join(work, "etcd.snapshot"), os.path.join(work, "etcd")
    with open(snapshot, "wb") as file:
        file.write(bucket.fetch_whole(folder, "etcd.snapshot", manifest["objects"]["etcd.snapshot"]))
    # Nothing is stopped or moved before the backup has proved to be whole.
    run(p["etcdutl"], "snapshot", "restore", snapshot, "--data-dir", fresh, *REVISIONS)
    down(*p["writers"], "etcd")
    damaged = time.strftime(f"{p['data_dir']}.damaged-%Y%m%dT%H%M%SZ", time.gmtime())
    if os.path.exists(p["data_dir"]):
        os.rename(p["data_dir"], damaged)
    os.rename(fresh, p["data_dir"])
    up("etcd", *reversed(p["writers"]))
    return f"etcd is as at {manifest['taken']}; what was changed later is lost. What it had lies in {damaged}"


def main():
    module = AnsibleModule(
        argument_spec=dict(
            endpoint=dict(type="str", required=True), bucket=dict(type="str", required=True), etcdutl=dict(type="path", required=True),
            data_dir=dict(type="path", required=True), health=dict(type="str", required=True), writers=dict(type="list", elements="str", default=[])),
        supports_check_mode=True)
    p = module.params
    if serves(p["health"]):
        module.exit_json(changed=False, said="etcd serves: nothing is restored")
    if module.check_mode:
        module.exit_json(changed=True, said="etcd would be restored")
    try:
        # Beside the data directory: a folder is moved within one file system only.
        with tempfile.TemporaryDirectory(dir=os.path.dirname(p["data_dir"])) as work:
            said = restore(p, work, BackupBucket(p["endpoint"], p["bucket"]))
        deadline = time.monotonic() + 60
        while not serves(p["health"]):
            if time.monotonic() > deadline:
                raise Refused("it was restored and does not serve after 60 s")
            time.sleep(0.2)
    except (Refused, urllib.error.URLError, OSError) as error:
        module.fail_json(msg=f"Could not restore etcd: {error}. Next: look at the bucket and at its log in /data/log/etcd.")
    module.exit_json(changed=True, said=said)


if __name__ == "__main__":
    main()
