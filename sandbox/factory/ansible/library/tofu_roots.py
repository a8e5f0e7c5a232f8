#!/usr/bin/python
"""Applies OpenTofu root modules, several at a time, or, in check mode, says what each would change."""
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: tofu_roots
short_description: Converge OpenTofu root modules
options:
  binary: {description: The tofu program, required: true, type: path}
  environment: {description: Environment of every run, type: dict, default: {}}
  backend: {description: Backend settings of every root, type: dict, default: {}}
  roots:
    description: Root modules - path, prefix (of the state) and environment (secrets travel here and not in arguments)
    type: list
    elements: dict
    required: true
  parallel: {description: How many at a time, type: int, default: 3}
"""


class Failed(Exception):
    """One root that could not be converged, as a sentence."""


def converge(binary, root, backend, environment, check_mode):
    """Applies one root, or in check mode plans it; returns (changed, summary, what tofu said)."""
    where = root["path"]
    environment = {**environment, **{key: str(value) for key, value in root.get("environment", {}).items()}}

    def tofu(*arguments, accept=(0,)):
        done = subprocess.run([binary, *arguments], cwd=where, env=environment, capture_output=True, text=True, timeout=600)
        if done.returncode not in accept:
            said = " ".join((done.stderr.strip() or done.stdout.strip()).split())[-1500:]
            raise Failed(f"tofu {arguments[0]} in {where} (state {root['prefix']}) failed: {said}")
        return done

    settings = {**backend, "prefix": root["prefix"]}
    tofu("init", "-no-color", "-input=false", "-reconfigure", *[f"-backend-config={key}={value}" for key, value in sorted(settings.items())])
    words = ["-no-color", "-input=false", "-compact-warnings", "-lock-timeout=30s"]
    if check_mode:
        done = tofu("plan", *words, "-detailed-exitcode", accept=(0, 2))
        changed = done.returncode == 2
    else:
        # One process plans and applies exactly that plan: the providers start and read everything once, not twice.
        done = tofu("apply", *words, "-auto-approve")
        changed = "No changes." not in done.stdout
    summary = next((line for line in done.stdout.splitlines() if line.startswith(("Plan:", "No changes"))), "")
    return changed, summary, done.stdout


def main():
    module = AnsibleModule(
        argument_spec=dict(
            binary=dict(type="path", required=True), environment=dict(type="dict", default={}, no_log=True), backend=dict(type="dict", default={}),
            roots=dict(type="list", elements="dict", required=True, no_log=True), parallel=dict(type="int", default=3)),
        supports_check_mode=True)
    p = module.params
    environment = {**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", **{key: str(value) for key, value in p["environment"].items()}}

    def one(root):
        try:
            return root["prefix"], converge(p["binary"], root, p["backend"], environment, module.check_mode)
        except (Failed, OSError, subprocess.TimeoutExpired) as error:
            return root["prefix"], error

    with ThreadPoolExecutor(max_workers=p["parallel"]) as pool:
        results = list(pool.map(one, p["roots"]))
    failures = [str(result) for _, result in results if isinstance(result, Exception)]
    if failures:
        module.fail_json(msg="; ".join(failures))
    changed = {prefix: result for prefix, result in results if result[0]}
    module.exit_json(
        changed=bool(changed), summaries={prefix: result[1] for prefix, result in results},
        diff=[dict(prepared=f"{prefix}\n{result[2]}") for prefix, result in changed.items()])


if __name__ == "__main__":
    main()
