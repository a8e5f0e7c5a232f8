#!/usr/bin/python
"""Waits until every node reports again and every pod runs and is ready, with containers started since its node was powered on.

What was leaving when its machine lost power is taken off the records. Right after a power cut the API server still shows
what was true before it: a status is believed only when it is younger than the power-on of the node it speaks of.
"""
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
    api = client.CoreV1Api()
    beginning = datetime.min.replace(tzinfo=timezone.utc)
    since = {node: parsed(at) for node, at in module.params["powered_on"].items()}

    def fresh(node, at):
        return at is not None and at >= since.get(node, beginning)

    forgotten = []

    def died(pod):
        """Was leaving when its machine lost power: the kubelet may look for the mount of its volume for ever."""
        return pod.spec.node_name in since and pod.metadata.deletion_timestamp < since[pod.spec.node_name]

    def waiting_for():
        """What is not yet there, as short sentences."""
        reasons = []
        for node in api.list_node().items:
            ready = next((c for c in node.status.conditions or [] if c.type == "Ready"), None)
            if ready is None or ready.status != "True" or not fresh(node.metadata.name, ready.last_heartbeat_time):
                reasons.append(f"node {node.metadata.name} has not reported Ready since its power-on")
        for pod in api.list_pod_for_all_namespaces().items:
            if pod.metadata.deletion_timestamp and died(pod):
                forgotten.append(f"{pod.metadata.namespace}/{pod.metadata.name}")
                if not module.check_mode:
                    api.delete_namespaced_pod(pod.metadata.name, pod.metadata.namespace, grace_period_seconds=0)
            if pod.status.phase == "Succeeded" or pod.metadata.deletion_timestamp:
                continue
            name = f"{pod.metadata.namespace}/{pod.metadata.name}"
            statuses = pod.status.container_statuses or []
            if not statuses:
                reasons.append(f"pod {name} has no container yet")
            for status in statuses:
                running = status.state.running if status.state else None
                if running is None:
                    waiting = status.state.waiting if status.state else None
                    reasons.append(f"pod {name}: {status.name} {waiting.reason if waiting else 'is not running'}")
                elif not fresh(pod.spec.node_name, running.started_at):
                    reasons.append(f"pod {name}: {status.name} has not started since the power-on of {pod.spec.node_name}")
                elif not status.ready:
                    reasons.append(f"pod {name}: {status.name} is not ready")
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
