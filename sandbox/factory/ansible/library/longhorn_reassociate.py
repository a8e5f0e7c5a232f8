#!/usr/bin/python3
"""Gives a volume's replica the folder with its data.

After a volume was made again under the same name, Longhorn's replicas have new folders and a new engine; the data lies beside
them in folders that nothing refers to. The one with the most writes becomes the replica's, and the engine's.
"""
import json
import os
import re

from ansible.module_utils.basic import AnsibleModule


def revision(folder):
    """How many writes a replica has seen; -1 for a folder that is no whole replica."""
    try:
        with open(os.path.join(folder, "volume.meta"), encoding="utf-8") as file:
            meta = json.load(file)
        with open(os.path.join(folder, "revision.counter"), encoding="utf-8") as file:
            count = int(file.read().strip())
    except (OSError, ValueError):
        return -1
    return -1 if meta.get("Rebuilding") else count


def orphan(home, volume, wanted):
    """The folder of a volume with the most writes that is not the wanted one; None when none was written to."""
    pattern = re.compile(re.escape(volume) + "-[0-9a-f]{8}$")
    names = os.listdir(home) if volume and os.path.isdir(home) else []
    found = [name for name in names if pattern.fullmatch(name) and name != wanted]
    best = max(found, key=lambda name: revision(os.path.join(home, name)), default=None)
    return best if best is not None and revision(os.path.join(home, best)) > 0 else None


def reassociate(disk, volume, wanted, engine, check):
    """Returns what was done, or nothing when there is nothing to do."""
    home = os.path.join(disk, "replicas")
    best = orphan(home, volume, wanted)
    if best is None:
        return ""
    done = f"{wanted} is now what was {best}"
    if check:
        return done
    # The folder of the new volume is kept aside, not deleted: it may hold what was written since.
    aside = os.path.join(disk, "set-aside")
    os.makedirs(aside, exist_ok=True)
    if os.path.exists(os.path.join(home, wanted)):
        os.rename(os.path.join(home, wanted), os.path.join(aside, f"{wanted}.{os.getpid()}"))
    # A folder is refused by every engine but its own.
    with open(os.path.join(home, best, "engine.id"), "w", encoding="utf-8") as file:
        file.write(engine + "\n")
    os.rename(os.path.join(home, best), os.path.join(home, wanted))
    return done


def main():
    module = AnsibleModule(
        argument_spec={
            "volume": {"required": True},
            "node": {"required": True},
            "replicas": {"type": "list", "elements": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    own = [one["spec"] for one in module.params["replicas"] if one["spec"]["nodeID"] == module.params["node"]]
    done = [
        reassociate(spec["diskPath"], module.params["volume"], spec["dataDirectoryName"], spec["engineName"], module.check_mode)
        for spec in own
    ]
    module.exit_json(changed=any(done), lines=[line for line in done if line])


if __name__ == "__main__":
    main()
