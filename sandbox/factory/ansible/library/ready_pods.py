#!/usr/bin/python
"""Waits until every node reports again and every pod runs and is ready, with containers started since its node was powered on.

What was leaving when its machine lost power is taken off the records. Right after a power cut the API server still shows
what was true before it: a status is believed only when it is younger than the power-on of the node it speaks of.
"""
import json
import time
from datetime import datetime, timezone

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: ready_pods
short_description: Wait for pods after machines were powered on
options:
  kubeconfig: {required: true, type: path}
  powered_on: {description: Node name to time of its power-on (ISO 8601); nodes that are not named were not off, type: dict, default: {}}
  timeout: {description: Seconds, type: int, default: 180}
"""


def parsed(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def main():
    module = AnsibleModule(
        argument_spec=dict(kubeconfig=dict(type="path", required=True), powered_on=dict(type="dict", default={}), timeout=dict(type="int", default=180)),
        supports_check_mode=True)
    from kubernetes import client, config  # only where the module runs: the operator's side

    config.load_kube_config(module.params["kubeconfig"])
    raw = client.ApiClient()
    api = client.CoreV1Api(raw)
    beginning = datetime.min.replace(tzinfo=timezone.utc)
    since = {node: parsed(at) for node, at in module.params["powered_on"].items()}

    def items(path):
        # As they come: the client's own objects cost a quarter of a second a list, and the machines need the processor now.
        answer = raw.call_api(path, "GET", auth_settings=["BearerToken"], _preload_content=False, _request_timeout=10)[0]
        return json.loads(answer.data)["items"]

    def fresh(node, at):
        return at is not None and parsed(at) >= since.get(node, beginning)

    forgotten = []

    def died(pod):
        """Was leaving when its machine lost power: the kubelet may look for the mount of its volume for ever."""
        node = pod["spec"].get("nodeName")
        return node in since and parsed(pod["metadata"]["deletionTimestamp"]) < since[node]

    def waiting_for():
        """What is not yet there, as short sentences."""
        reasons = []
        for node in items("/api/v1/nodes"):
            name = node["metadata"]["name"]
            ready = next((c for c in node["status"].get("conditions", []) if c["type"] == "Ready"), None)
            if ready is None or ready["status"] != "True" or not fresh(name, ready.get("lastHeartbeatTime")):
                reasons.append(f"node {name} has not reported Ready since its power-on")
        for pod in items("/api/v1/pods"):
            metadata, status = pod["metadata"], pod["status"]
            name = f"{metadata['namespace']}/{metadata['name']}"
            leaving = "deletionTimestamp" in metadata
            if leaving and died(pod):
                forgotten.append(name)
                if not module.check_mode:
                    api.delete_namespaced_pod(metadata["name"], metadata["namespace"], grace_period_seconds=0)
            if leaving or status["phase"] == "Succeeded":
                continue
            containers = status.get("containerStatuses", [])
            if not containers:
                reasons.append(f"pod {name} has no container yet")
            for container in containers:
                what, state = f"pod {name}: {container['name']}", container.get("state", {})
                if "running" not in state:
                    reasons.append(f"{what} {state.get('waiting', {}).get('reason', 'is not running')}")
                elif not fresh(pod["spec"].get("nodeName"), state["running"].get("startedAt")):
                    reasons.append(f"{what} has not started since the power-on of {pod['spec'].get('nodeName')}")
                elif not container["ready"]:
                    reasons.append(f"{what} is not ready")
        return reasons

    deadline = time.monotonic() + module.params["timeout"]
    while True:
        try:
            reasons = waiting_for()
        except Exception as error:  # the API server may still be coming up
            reasons = [f"the API server: {error}"]
        if not reasons:
            module.exit_json(changed=bool(forgotten), forgotten=sorted(set(forgotten)))
        if time.monotonic() > deadline:
            module.fail_json(msg=f"After {module.params['timeout']} s: " + "; ".join(reasons[:8]), waiting_for=reasons)
        time.sleep(0.5)


if __name__ == "__main__":
    main()
