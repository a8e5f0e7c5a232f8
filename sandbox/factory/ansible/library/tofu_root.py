#!/usr/bin/python
"""Applies one OpenTofu root module, or, in check mode, says what it would change."""
import os
import subprocess

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: tofu_root
short_description: Converge an OpenTofu root module
options:
  path: {description: Folder of the root module, required: true, type: path}
  binary: {description: The tofu program, required: true, type: path}
  data_dir: {description: Where init keeps its files (outside the checkout), required: true, type: path}
  backend: {description: Backend settings, type: dict, default: {}}
  environment: {description: Added to the environment (secrets travel here and not in arguments), type: dict, default: {}}
  variables: {description: Input variables (no secrets), type: dict, default: {}}
"""


def main():
    module = AnsibleModule(
        argument_spec=dict(
            path=dict(type="path", required=True), binary=dict(type="path", required=True), data_dir=dict(type="path", required=True),
            backend=dict(type="dict", default={}), environment=dict(type="dict", default={}, no_log=True), variables=dict(type="dict", default={})),
        supports_check_mode=True)
    p = module.params
    environment = {**os.environ, "TF_DATA_DIR": p["data_dir"], "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1",
                   **{key: str(value) for key, value in p["environment"].items()},
                   **{f"TF_VAR_{key}": str(value) for key, value in p["variables"].items()}}
    os.makedirs(p["data_dir"], mode=0o700, exist_ok=True)

    def tofu(*arguments, accept=(0,)):
        done = subprocess.run([p["binary"], *arguments], cwd=p["path"], env=environment, capture_output=True, text=True, timeout=600)
        if done.returncode not in accept:
            said = (done.stderr.strip() or done.stdout.strip())[-2000:]
            module.fail_json(msg=f"tofu {arguments[0]} in {p['path']} failed: {said}")
        return done

    backend = [f"-backend-config={key}={value}" for key, value in sorted(p["backend"].items())]
    tofu("init", "-no-color", "-reconfigure", "-lockfile=readonly" if os.path.exists(os.path.join(p["path"], ".terraform.lock.hcl")) else "-upgrade=false", *backend)
    plan = os.path.join(p["data_dir"], "plan")
    planned = tofu("plan", "-no-color", "-detailed-exitcode", "-compact-warnings", f"-out={plan}", accept=(0, 2))
    changed = planned.returncode == 2
    if changed and not module.check_mode:
        tofu("apply", "-no-color", "-auto-approve", plan)
    if os.path.exists(plan):
        os.remove(plan)
    summary = next((line for line in planned.stdout.splitlines() if line.startswith(("Plan:", "No changes"))), "")
    module.exit_json(changed=changed, summary=summary, diff=dict(prepared=planned.stdout) if changed else None)


if __name__ == "__main__":
    main()
