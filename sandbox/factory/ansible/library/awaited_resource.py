#!/usr/bin/python
"""Waits inside one process until resources of Kubernetes are as they must be: a task that Ansible repeats loads everything anew."""
import time

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: awaited_resource
short_description: Wait for a field or a condition of resources
options:
  kubeconfig: {required: true, type: path}
  path: {description: Path of the API - an object, or a list of objects, required: true, type: str}
  condition: {description: Condition whose status must be True on every object of the list and on at least `least`, type: str}
  field: {description: Dotted path into the object - a number that must be `least` or more; of a text any will do, type: str}
  least: {type: int, default: 1}
  timeout: {description: Seconds, type: int, default: 60}
"""
# Between two looks, in seconds.
PAUSE = 0.2


def found(thing, field):
    for key in field.split("."):
        thing = thing.get(key) if isinstance(thing, dict) else None
    return thing


def holds(resource, condition):
    conditions = resource.get("status", {}).get("conditions") or []
    return any(one["type"] == condition and one["status"] == "True" for one in conditions)


def open_question(answer, condition, field, least):
    """What is not yet as it must be, as a sentence; None when all is."""
    if condition:
        resources = answer["items"] if "items" in answer else [answer]
        lacking = [one["metadata"]["name"] for one in resources if not holds(one, condition)]
        if lacking:
            return f"not {condition}: {', '.join(lacking)}"
        return None if len(resources) >= least else f"there are {len(resources)}, not {least}"
    value = found(answer, field)
    if isinstance(value, str):
        return None
    return None if (value or 0) >= least else f"{field} is {value}, not at least {least}"


def main():
    module = AnsibleModule(
        argument_spec=dict(
            kubeconfig=dict(type="path", required=True), path=dict(type="str", required=True), condition=dict(type="str"),
            field=dict(type="str", no_log=False), least=dict(type="int", default=1), timeout=dict(type="int", default=60)),
        required_one_of=[("condition", "field")], mutually_exclusive=[("condition", "field")], supports_check_mode=True)
    from kubernetes import client, config  # only where the module runs: the operator's side

    p = module.params
    config.load_kube_config(p["kubeconfig"])
    api = client.ApiClient()
    deadline = time.monotonic() + p["timeout"]
    while True:
        try:
            answer = api.call_api(p["path"], "GET", response_type="object", auth_settings=["BearerToken"], _request_timeout=10)[0]
            reason = open_question(answer, p["condition"], p["field"], p["least"])
        except Exception as error:  # the API server, or its knowledge of this kind, may still be coming up
            reason = " ".join(str(error).split())[:300]
        if reason is None:
            module.exit_json(changed=False, resource=answer)
        if time.monotonic() > deadline:
            module.fail_json(msg=f"{p['path']} after {p['timeout']} s: {reason}. Next: kubectl get --raw '{p['path']}' shows it whole.")
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
