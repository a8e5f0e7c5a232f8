#!/usr/bin/python
"""One supervised service: its run script, its rotated log, and a restart when something it reads has changed."""
import os
import stat
import subprocess

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: runit_service
short_description: Supervise a program with runit on a sandbox machine
options:
  name: {description: Name of the service, required: true, type: str}
  command: {description: The program and its arguments, required: true, type: str}
  prelude: {description: Shell lines that run before the program, type: str, default: ''}
  user: {description: User the program runs as, type: str, default: root}
  stop_signal: {description: Signal that ends the program cleanly and soon, type: str, default: TERM}
  env: {description: Environment of the program, type: dict, default: {}}
  restart: {description: Restart although the run script is unchanged (a file the program reads has changed), type: bool, default: false}
  service_dir: {description: Folder that runsvdir supervises, type: str, default: /etc/lab-service}
  log_dir: {description: Folder of the rotated logs, type: str, default: /data/log}
"""

LOG_CONFIG = "s4194304\nn4\n"


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def write(path, text, mode):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = path + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(temporary, mode)
    os.rename(temporary, path)


def rouse(init="/proc/1/fd/2"):
    """Makes runsvdir look for new services now, where it is the init and reads its own standard error for its log."""
    try:
        if stat.S_ISFIFO(os.stat(init).st_mode):
            with open(init, "wb", buffering=0) as pipe:
                pipe.write(b".")
    except OSError:
        pass  # it looks by itself within five seconds


def quote(value):
    return "'" + str(value).replace("'", "'\\''") + "'"


def main():
    module = AnsibleModule(
        argument_spec=dict(
            name=dict(type="str", required=True),
            command=dict(type="str", required=True),
            prelude=dict(type="str", default=""),
            user=dict(type="str", default="root"),
            env=dict(type="dict", default={}),
            stop_signal=dict(type="str", default="TERM"),
            restart=dict(type="bool", default=False),
            service_dir=dict(type="str", default="/etc/lab-service"),
            log_dir=dict(type="str", default="/data/log"),
        ),
        supports_check_mode=True,
    )
    p = module.params
    home = os.path.join(p["service_dir"], p["name"])
    logs = os.path.join(p["log_dir"], p["name"])
    lines = ["#!/bin/sh", "exec 2>&1"]
    lines += [f"export {key}={quote(value)}" for key, value in sorted(p["env"].items())]
    lines += [line for line in p["prelude"].strip().splitlines() if line]
    as_user = "" if p["user"] == "root" else f"chpst -u {p['user']} "
    lines += [f"exec {as_user}{' '.join(p['command'].split())}", ""]
    wanted = {
        os.path.join(home, "run"): ("\n".join(lines), 0o755),
        os.path.join(home, "log", "run"): (f"#!/bin/sh\nmkdir -p {logs}\nexec svlogd {logs}\n", 0o755),
        os.path.join(logs, "config"): (LOG_CONFIG, 0o644),
    }
    if p["stop_signal"] != "TERM":
        stop = os.path.join(home, "control", "t")
        wanted[stop] = (f'#!/bin/sh\nexec kill -{p["stop_signal"]} "$(cat supervise/pid)"\n', 0o755)
    before = {path: read(path) for path in wanted}
    differing = [path for path, (text, _) in wanted.items() if before[path] != text]
    changed = bool(differing) or p["restart"]
    diff = [dict(before=before[path], after=wanted[path][0], before_header=path, after_header=path) for path in differing]
    if not module.check_mode:
        # The log side first: runsvdir picks the service up as soon as its folder exists.
        known = os.path.exists(os.path.join(home, "supervise", "ok"))
        for path in sorted(differing, key=lambda item: item == os.path.join(home, "run")):
            write(path, *wanted[path])
        if changed and known:
            subprocess.run(["sv", "-w", "20", "force-restart", home], check=False, capture_output=True)
        elif changed:
            rouse()
    module.exit_json(changed=changed, diff=diff)


if __name__ == "__main__":
    main()
