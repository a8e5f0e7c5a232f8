#!/usr/bin/python
"""Every folder below `source` becomes a repository of the organisation, with the folder's content on its main branch.

A branch whose tree already equals the folder is left alone; otherwise one commit on top of it makes it equal, so history is kept.
"""
import base64
import json
import os
import subprocess
import tempfile
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: gitea_repositories
short_description: Keep an organisation's repositories equal to folders
options:
  url: {description: Gitea's address, required: true, type: str}
  credential_file: {description: JSON with username, password and token, required: true, type: path}
  organisation: {required: true, type: str}
  source: {description: Folder of folders, required: true, type: path}
"""

IDENTITY = {
    "GIT_AUTHOR_NAME": "Sandbox operator", "GIT_AUTHOR_EMAIL": "operator@sandbox.invalid",
    "GIT_COMMITTER_NAME": "Sandbox operator", "GIT_COMMITTER_EMAIL": "operator@sandbox.invalid",
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0",
}


class Gitea:
    def __init__(self, url, credential):
        self.url = url.rstrip("/")
        self.credential = credential

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.credential['token']}", "Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def git_environment(self):
        """The credential as a header through the environment: not in the remote's URL, not in an argument."""
        pair = f"{self.credential['username']}:{self.credential['token']}".encode()
        return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader",
                "GIT_CONFIG_VALUE_0": "Authorization: Basic " + base64.b64encode(pair).decode()}


def git(folder, environment, *arguments, check=True):
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    if check and done.returncode != 0:
        raise RuntimeError(f"git {arguments[0]} in {folder}: {done.stderr.strip()[-400:]}")
    return done.stdout.strip()


def converge(gitea, organisation, name, source, check_mode):
    """Makes one repository equal to its folder; returns the files that differed."""
    remote = f"{gitea.url}/{organisation}/{name}.git"
    with tempfile.TemporaryDirectory(prefix="gitea-repository-") as clone:
        environment = {"PATH": os.environ["PATH"], "HOME": clone, **IDENTITY, **gitea.git_environment()}
        exists = gitea.call("GET", f"/repos/{organisation}/{name}") == 200
        if not exists:
            if check_mode:
                return ["(new repository)"]
            status = gitea.call("POST", f"/orgs/{organisation}/repos", {"name": name, "private": True, "default_branch": "main"})
            if status not in (201, 409):
                raise RuntimeError(f"creating the repository {organisation}/{name}: HTTP {status}")
        git(clone, environment, "init", "-q", "-b", "main")
        git(clone, environment, "remote", "add", "origin", remote)
        if exists and git(clone, environment, "ls-remote", "origin", "refs/heads/main"):
            git(clone, environment, "fetch", "-q", "--depth", "1", "origin", "main")
            git(clone, environment, "reset", "-q", "--soft", "FETCH_HEAD")
        git(clone, environment, "--work-tree", source, "add", "--all", "--force", ".")
        differing = git(clone, environment, "diff", "--cached", "--name-only").splitlines()
        if differing and not check_mode:
            git(clone, environment, "commit", "-q", "-m", "Converge with the factory")
            git(clone, environment, "push", "-q", "origin", "main")
        return differing


def main():
    module = AnsibleModule(
        argument_spec=dict(
            url=dict(type="str", required=True), credential_file=dict(type="path", required=True, no_log=False),
            organisation=dict(type="str", required=True), source=dict(type="path", required=True)),
        supports_check_mode=True)
    p = module.params
    names = sorted(name for name in os.listdir(p["source"]) if os.path.isdir(os.path.join(p["source"], name)))
    if not names:
        module.fail_json(msg=f"{p['source']} holds no repository. Next: render the factory's repositories first.")
    with open(p["credential_file"], encoding="utf-8") as file:
        gitea = Gitea(p["url"], json.load(file))
    created = False
    if gitea.call("GET", f"/orgs/{p['organisation']}") != 200:
        created = True
        if not module.check_mode:
            status = gitea.call("POST", "/orgs", {"username": p["organisation"], "visibility": "private"})
            if status != 201:
                module.fail_json(msg=f"Could not create the organisation {p['organisation']} at {p['url']}: HTTP {status}.")
    try:
        with ThreadPoolExecutor(max_workers=4) as pool:
            results = dict(zip(names, pool.map(
                lambda name: converge(gitea, p["organisation"], name, os.path.join(p["source"], name), module.check_mode), names)))
    except (RuntimeError, OSError) as error:
        module.fail_json(msg=f"Could not converge the repositories at {p['url']}: {error}")
    differing = {name: files for name, files in results.items() if files}
    diff = [dict(before="", after="\n".join(files) + "\n", before_header=name, after_header=name) for name, files in differing.items()]
    module.exit_json(changed=created or bool(differing), repositories=names, differing=differing, diff=diff)


if __name__ == "__main__":
    main()
