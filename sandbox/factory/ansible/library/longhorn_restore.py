#!/usr/bin/python
"""A volume of Longhorn of which nothing is left, made again and filled from its newest backup."""
import time
import urllib.parse
from datetime import datetime, timezone

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: longhorn_restore
short_description: Restore a volume that is missing from its newest backup, or from one that is named
options:
  kubeconfig: {required: true, type: path}
  volume: {description: "Which one, if it is missing or still to be filled; empty for none", type: str, default: ''}
  backup: {description: Name of the backup; empty for the newest, type: str, default: ''}
  replicas: {description: How many the volume gets, type: int, default: 3}
  timeout: {description: Seconds that filling it may take, type: int, default: 240}
"""

GROUP, VERSION, NAMESPACE = "longhorn.io", "v1beta2", "longhorn-system"
# Between two looks, and for how long Longhorn may look into its backup target, in seconds.
PAUSE, LOOK = 0.2, 30


class Refused(Exception):
    """A sentence for the operator."""


class Longhorn:
    def __init__(self, kubeconfig):
        from kubernetes import client, config  # only where the module runs: the operator's side

        config.load_kube_config(kubeconfig)
        self.refusal, self.api = client.ApiException, client.CustomObjectsApi()

    def get(self, plural, name):
        try:
            return self.api.get_namespaced_custom_object(GROUP, VERSION, NAMESPACE, plural, name)
        except self.refusal as error:
            if error.status == 404:
                return None
            raise

    def backups(self, volume):
        found = self.api.list_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "backups")["items"]
        whole = [one for one in found if one.get("status", {}).get("state") == "Completed" and "deletionTimestamp" not in one["metadata"]]
        return {one["metadata"]["name"]: one["status"] for one in whole if one["status"].get("volumeName") == volume}

    def look_into_target(self):
        """Has Longhorn read what lies in the bucket now: the cluster's own records may be older than that."""
        asked = datetime.now(timezone.utc).replace(microsecond=0)
        body = {"spec": {"syncRequestedAt": asked.strftime("%Y-%m-%dT%H:%M:%SZ")}}
        self.api.patch_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "backuptargets", "default", body)
        deadline = time.monotonic() + LOOK
        while time.monotonic() < deadline:
            seen = (self.get("backuptargets", "default") or {}).get("status", {}).get("lastSyncedAt")
            if seen and datetime.fromisoformat(seen.replace("Z", "+00:00")) >= asked:
                return
            time.sleep(PAUSE)
        raise Refused(f"Longhorn has not looked into its backup target within {LOOK} s")

    def make(self, volume, backup, replicas):
        spec = {"size": backup["volumeSize"], "numberOfReplicas": replicas, "frontend": "blockdev", "fromBackup": backup["url"]}
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Volume", "metadata": {"name": volume, "namespace": NAMESPACE}, "spec": spec}
        self.api.create_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "volumes", body)

    def remove(self, volume, deadline):
        self.api.delete_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "volumes", volume)
        while self.get("volumes", volume) is not None:
            if time.monotonic() > deadline:
                raise Refused("it could not be deleted")
            time.sleep(PAUSE)


def restore_of(volume):
    """Whether a volume holds what it was made from, whether its backup was refused, and what Longhorn says about it."""
    status = volume.get("status", {})
    said = next((one for one in status.get("conditions") or [] if one["type"] == "Restore"), {})
    done = not volume["spec"].get("fromBackup") or (status.get("restoreInitiated", False) and not status.get("restoreRequired", False))
    return done, said.get("reason") == "RestoreFailure", said.get("message", "")


def chosen(backups, wanted):
    if not backups:
        raise Refused("there is no backup of it")
    if wanted and wanted not in backups:
        raise Refused(f"there is no backup {wanted} of it, but {', '.join(sorted(backups))}")
    return wanted or max(backups, key=lambda name: backups[name]["snapshotCreatedAt"])


def restore(longhorn, p):
    """Makes the volume unless it is being filled already, and waits until it is whole. The backup's name and its status."""
    volume, deadline = p["volume"], time.monotonic() + p["timeout"]
    longhorn.look_into_target()
    backups = longhorn.backups(volume)
    there = longhorn.get("volumes", volume)
    if there is not None and restore_of(there)[1]:
        # Its backup was refused.
        longhorn.remove(volume, deadline)
        there = None
    if there is None:
        name = chosen(backups, p["backup"])
        longhorn.make(volume, backups[name], p["replicas"])
    else:
        # Begun by an earlier try.
        name = chosen(backups, urllib.parse.parse_qs(urllib.parse.urlsplit(there["spec"]["fromBackup"]).query)["backup"][0])
    while True:
        now = longhorn.get("volumes", volume)
        if now is None:
            raise Refused("it was deleted meanwhile")
        done, refused, said = restore_of(now)
        if done:
            return name, backups[name]
        if refused:
            older = ", ".join(sorted(other for other in backups if other != name)) or "none"
            raise Refused(f"Longhorn refuses backup {name}: {said}. With -e backup=NAME another one is taken: {older}")
        if time.monotonic() > deadline:
            raise Refused(f"it is not filled after {p['timeout']} s: {said}")
        time.sleep(PAUSE)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            kubeconfig=dict(type="path", required=True), volume=dict(type="str", default=""), backup=dict(type="str", default=""),
            replicas=dict(type="int", default=3), timeout=dict(type="int", default=240)),
        supports_check_mode=True)
    p = module.params
    if not p["volume"]:
        module.exit_json(changed=False, said="no volume was asked for: name it with -e volume=NAME")
    longhorn = Longhorn(p["kubeconfig"])
    there = longhorn.get("volumes", p["volume"])
    if there is not None and restore_of(there)[0]:
        module.exit_json(changed=False, said=f"{p['volume']} is there: nothing is restored")
    if module.check_mode:
        module.exit_json(changed=True, said=f"{p['volume']} would be restored")
    try:
        name, backup = restore(longhorn, p)
    except (Refused, longhorn.refusal) as error:
        module.fail_json(msg=f"Could not restore volume {p['volume']}: {error}. Next: kubectl -n {NAMESPACE} describe volumes.longhorn.io,backuptargets.longhorn.io shows what Longhorn says.")
    module.exit_json(
        changed=True, said=f"{p['volume']}: restored from the backup of {backup['snapshotCreatedAt']}, {name}; what was written later is lost")


if __name__ == "__main__":
    main()
