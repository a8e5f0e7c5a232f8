#!/usr/bin/python
"""What only the operator can do to Vault: initialise it once, keep the key shares, unseal it, register plugins."""
import json
import os
import time
import urllib.error
import urllib.request

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: vault_operator
short_description: Initialise and unseal Vault with key shares kept on the operator's side
options:
  url: {description: Vault's address, required: true, type: str}
  keys_file: {description: Where the key shares and the root token are kept (0600), required: true, type: path}
  initialise: {description: Initialise a Vault that is not (never when a keys file exists already), type: bool, default: false}
  shares: {type: int, default: 3}
  threshold: {type: int, default: 2}
  plugins: {description: Plugins of the catalog (type, name, command, sha256), type: list, elements: dict, default: []}
  timeout: {description: Seconds to wait for Vault to answer, type: int, default: 120}
"""


class Vault:
    def __init__(self, url):
        self.url = url.rstrip("/")
        self.token = None

    def call(self, method, path, body=None, timeout=20):
        """Returns (status, parsed body); a connection error is status 0."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["X-Vault-Token"] = self.token
        request = urllib.request.Request(
            f"{self.url}/v1/{path}", method=method, headers=headers, data=None if body is None else json.dumps(body).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=timeout) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else {}
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                return error.code, json.loads(text) if text else {}
            except ValueError:
                return error.code, {}
        except (urllib.error.URLError, OSError):
            return 0, {}


def keep(path, keys):
    """Written and synced before the answer is used: losing the only copy of the shares is losing the Vault."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    temporary = path + ".new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(keys, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            url=dict(type="str", required=True), keys_file=dict(type="path", required=True, no_log=False),
            initialise=dict(type="bool", default=False), shares=dict(type="int", default=3), threshold=dict(type="int", default=2),
            plugins=dict(type="list", elements="dict", default=[]), timeout=dict(type="int", default=120)),
        supports_check_mode=True)
    p = module.params
    vault = Vault(p["url"])
    done = []

    deadline = time.monotonic() + p["timeout"]
    status, seal = vault.call("GET", "sys/seal-status")
    while status != 200:
        if time.monotonic() > deadline:
            module.fail_json(msg=f"Vault at {p['url']} did not answer within {p['timeout']} s (last HTTP status {status}). "
                                 "Next: look at the pod in namespace vault (kubectl -n vault get pods, kubectl -n vault logs vault-0).")
        time.sleep(0.3)
        status, seal = vault.call("GET", "sys/seal-status")

    if not seal["initialized"]:
        if not p["initialise"]:
            module.fail_json(msg=f"Vault at {p['url']} is not initialised. Next: converge it with site.yml --tags vault.")
        if os.path.exists(p["keys_file"]):
            module.fail_json(msg=f"Vault at {p['url']} is not initialised, but {p['keys_file']} holds key shares already: they belong to another "
                                 "Vault and are not overwritten. Next: move that file away once you are sure.")
        done.append("initialised")
        if module.check_mode:
            module.exit_json(changed=True, done=done)
        # An answer that comes too late takes the only copy of the shares with it.
        status, made = vault.call("PUT", "sys/init", {"secret_shares": p["shares"], "secret_threshold": p["threshold"]}, timeout=300)
        if status != 200:
            module.fail_json(msg=f"Could not initialise Vault at {p['url']}: HTTP {status} {made.get('errors')}.")
        keep(p["keys_file"], {"unseal_keys_b64": made["keys_base64"], "unseal_keys_hex": made["keys"], "unseal_shares": p["shares"],
                              "unseal_threshold": p["threshold"], "root_token": made["root_token"]})
        status, seal = vault.call("GET", "sys/seal-status")

    if seal["sealed"] or p["plugins"]:
        if not os.path.exists(p["keys_file"]):
            module.fail_json(msg=f"Vault at {p['url']} is initialised, but its key shares are not at {p['keys_file']}. Next: bring the file back from "
                                 "where you keep it; without a threshold of shares Vault cannot be unsealed.")
        with open(p["keys_file"], encoding="utf-8") as file:
            keys = json.load(file)
        vault.token = keys["root_token"]
    if seal["sealed"]:
        done.append("unsealed")
        if module.check_mode:
            module.exit_json(changed=True, done=done)
        for share in keys["unseal_keys_b64"][: keys["unseal_threshold"]]:
            status, seal = vault.call("PUT", "sys/unseal", {"key": share})
            if status != 200:
                module.fail_json(msg=f"Vault at {p['url']} refused a key share: HTTP {status}. Next: check that {p['keys_file']} belongs to this Vault.")
        if seal["sealed"]:
            module.fail_json(msg=f"Vault at {p['url']} is still sealed after {keys['unseal_threshold']} shares. Next: check {p['keys_file']}.")
    # Unsealed is not yet active: a single node becomes the leader a moment later, and answers 5xx until then.
    while vault.call("GET", "sys/health")[0] != 200:
        if time.monotonic() > deadline:
            module.fail_json(msg=f"Vault at {p['url']} is unsealed but did not become active within {p['timeout']} s. Next: kubectl -n vault logs vault-0.")
        time.sleep(0.2)

    for plugin in p["plugins"]:
        path = f"sys/plugins/catalog/{plugin['type']}/{plugin['name']}"
        status, known = vault.call("GET", path)
        wanted = {"command": plugin["command"], "sha256": plugin["sha256"]}
        if status == 200 and all(known["data"].get(key) == value for key, value in wanted.items()):
            continue
        done.append(f"plugin {plugin['name']}")
        if not module.check_mode:
            status, answer = vault.call("PUT", path, wanted)
            if status not in (200, 204):
                module.fail_json(msg=f"Could not register the plugin {plugin['name']}: HTTP {status} {answer.get('errors')}.")
    module.exit_json(changed=bool(done), done=done)


if __name__ == "__main__":
    main()
