#!/usr/bin/python
"""Has every Certificate issued again whose chain does not lead to the private CA's root of today, as `cmctl renew` would.

What leads there already is left alone, and so is what is being issued. Does not wait for the new certificates.
"""
import subprocess
import tempfile
from base64 import b64decode
from datetime import datetime, timezone

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: reissued_certificates
short_description: Have cert-manager issue certificates again that another root signed
options:
  kubeconfig: {required: true, type: path}
  root: {description: The root of today in PEM, required: true, type: str}
"""

GROUP, VERSION, PLURAL = "cert-manager.io", "v1", "certificates"


def leads_to(root, chain):
    """Whether a chain in PEM, leaf first, is signed by the root in PEM."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as anchor, tempfile.NamedTemporaryFile("w", suffix=".pem") as shown:
        for file, text in ((anchor, root), (shown, chain)):
            file.write(text)
            file.flush()
        command = ["openssl", "verify", "-no-CAfile", "-no-CApath", "-no-CAstore", "-CAfile", anchor.name, "-untrusted", shown.name, shown.name]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def main():
    module = AnsibleModule(
        argument_spec=dict(kubeconfig=dict(type="path", required=True), root=dict(type="str", required=True)),
        supports_check_mode=True)
    from kubernetes import client, config  # only where the module runs: the operator's side

    config.load_kube_config(module.params["kubeconfig"])
    core, custom = client.CoreV1Api(), client.CustomObjectsApi()

    def chain_of(certificate):
        try:
            secret = core.read_namespaced_secret(certificate["spec"]["secretName"], certificate["metadata"]["namespace"])
        except client.ApiException as error:
            if error.status == 404:
                return ""
            raise
        return b64decode((secret.data or {}).get("tls.crt", "")).decode()

    again = []
    for certificate in custom.list_cluster_custom_object(GROUP, VERSION, PLURAL)["items"]:
        conditions = certificate.get("status", {}).get("conditions", [])
        if any(one["type"] == "Issuing" and one["status"] == "True" for one in conditions) or leads_to(module.params["root"], chain_of(certificate)):
            continue
        metadata = certificate["metadata"]
        again.append(f"{metadata['namespace']}/{metadata['name']}")
        if module.check_mode:
            continue
        issuing = {
            "type": "Issuing", "status": "True", "reason": "ManuallyTriggered",
            "message": "another root signed the certificate that is there",
            "lastTransitionTime": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        kept = [one for one in conditions if one["type"] != "Issuing"]
        custom.patch_namespaced_custom_object_status(
            GROUP, VERSION, metadata["namespace"], PLURAL, metadata["name"], {"status": {"conditions": kept + [issuing]}})
    module.exit_json(changed=len(again) > 0, again=again)


if __name__ == "__main__":
    main()
