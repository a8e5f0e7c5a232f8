#!/usr/bin/python
"""Waits until Argo CD finds every Application Synced and Healthy, and has compared each since its machines were powered on.

Argo CD compares once when it starts. Where that was before Git or its repo server answered, it keeps the error until its next
round, minutes later: such Applications are refreshed, as the button in its interface does.

One that is held back (the ERP in a recovery, an instance that is being reset) is not compared until it is handed back: it is
named in a warning and not waited for.
"""
import time
from datetime import datetime, timezone

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: reconciled_applications
short_description: Wait for Argo CD after machines were powered on
options:
  kubeconfig: {required: true, type: path}
  powered_on: {description: Node name to time of its power-on (ISO 8601); the last of them counts, type: dict, default: {}}
  least: {description: Applications that there are at least, type: int, default: 1}
  timeout: {description: Seconds, type: int, default: 180}
"""

GROUP, VERSION, NAMESPACE, PLURAL = "argoproj.io", "v1alpha1", "argocd", "applications"
# A refresh is asked for again after this many seconds: the repo server may still have been coming up.
PATIENCE = 3
HELD = "argocd.argoproj.io/skip-reconcile"


def parsed(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def main():
    module = AnsibleModule(
        argument_spec=dict(
            kubeconfig=dict(type="path", required=True), powered_on=dict(type="dict", default={}),
            least=dict(type="int", default=1), timeout=dict(type="int", default=180)),
        supports_check_mode=True)
    from kubernetes import client, config  # only where the module runs: the operator's side

    config.load_kube_config(module.params["kubeconfig"])
    api = client.CustomObjectsApi()
    beginning = datetime.min.replace(tzinfo=timezone.utc)
    since = max([parsed(at) for at in module.params["powered_on"].values()], default=beginning)
    asked, held = {}, []

    def is_held(application):
        return application["metadata"].get("annotations", {}).get(HELD) == "true"

    def waits_for(application):
        """Why an Application is not done, and whether a refresh would help; nothing when it is."""
        status = application.get("status", {})
        compared = status.get("reconciledAt")
        if compared is None or parsed(compared) < since:
            return "has not been compared since the power-on", True
        errors = [c for c in status.get("conditions") or [] if c["type"].endswith("Error")]
        if errors:
            return f"{errors[0]['type']}: {errors[0]['message'][:200]}", True
        sync, health = (status.get(part, {}).get("status", "Unknown") for part in ("sync", "health"))
        return None if (sync, health) == ("Synced", "Healthy") else (f"is {sync} and {health}", sync == "Unknown")

    def waiting_for():
        reasons = []
        held.clear()
        applications = api.list_namespaced_custom_object(GROUP, VERSION, NAMESPACE, PLURAL)["items"]
        if len(applications) < module.params["least"]:
            reasons.append(f"there are {len(applications)} Applications, not at least {module.params['least']}")
        for application in applications:
            name = application["metadata"]["name"]
            if is_held(application):
                held.append(name)
                continue
            open_ = waits_for(application)
            if open_ is None:
                continue
            reason, refresh = open_
            reasons.append(f"Application {name} {reason}")
            if refresh and not module.check_mode and time.monotonic() > asked.get(name, 0) + PATIENCE:
                asked[name] = time.monotonic()
                # Another value each time: a request that was lost stays on record, and the same once more changes nothing.
                body = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": str(int(time.time()))}}}
                api.patch_namespaced_custom_object(GROUP, VERSION, NAMESPACE, PLURAL, name, body)
        return reasons

    deadline = time.monotonic() + module.params["timeout"]
    while True:
        try:
            reasons = waiting_for()
        except Exception as error:  # the API server may still be coming up
            reasons = [f"the API server: {error}"]
        if not reasons:
            for name in held:
                module.warn(f"Application {name} is held back ({HELD}) and was not waited for.")
            module.exit_json(changed=False, refreshed=sorted(asked), held=held)
        if time.monotonic() > deadline:
            module.fail_json(msg=f"After {module.params['timeout']} s: " + "; ".join(reasons[:8]), waiting_for=reasons)
        time.sleep(0.3)


if __name__ == "__main__":
    main()
