#!/usr/bin/python
"""Databases that are missing, from the newest backup of the bucket: checked before they bear their name."""
import hashlib
import os
import re
import subprocess
import tempfile
import urllib.error

from ansible.module_utils.backup_bucket import BackupBucket, Refused
from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: postgres_restore
short_description: Restore missing databases from the newest backup in the bucket that has them
options:
  endpoint: {description: URL of the bucket's API, required: true, type: str}
  bucket: {description: Name of the bucket, required: true, type: str}
  database: {description: "Which one, if it is missing; `all` for every one of the backup; empty for none", type: str, default: ''}
"""

SOCKET = ["-h", "/run/postgresql", "-U", "postgres"]


def psql(sql, database="postgres"):
    done = subprocess.run(["psql", *SOCKET, "-d", database, "-v", "ON_ERROR_STOP=1", "-Atc", sql], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{sql.split(' ')[0]}: {done.stderr.strip()}")
    return done.stdout.split()


def name_of(text):
    return '"' + text.replace('"', '""') + '"'


def run(command):
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise Refused(f"{command[0]}: {done.stderr.decode(errors='replace').strip()[-600:]}")
    return done.stdout


def content_hash(dump):
    """As sandbox-backup computes it."""
    text = run(["pg_restore", "--data-only", "-f", "-", dump])
    lines = [line for line in text.split(b"\n") if line and not re.match(rb"--|\\(un)?restrict ", line)]
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def kind_of(dump):
    """Encoding and locale, as CREATE DATABASE takes them: made with others, OpenTofu would want to replace the database."""
    text = run(["pg_restore", "--create", "--schema-only", "-f", "-", dump]).decode()
    found = re.search(r"^CREATE DATABASE .* WITH TEMPLATE = template0 (.*);$", text, re.MULTILINE)
    if found is None:
        raise Refused("the backup does not say with which encoding and locale its database was made")
    return found.group(1)


def rights_of(dump):
    """Who may connect, and settings: they belong to the database itself and lie in the dump beside its content."""
    text = run(["pg_restore", "--create", "--schema-only", "-f", "-", dump]).decode()
    return [line.rstrip(";") for line in text.splitlines() if re.match(r"(REVOKE|GRANT) .* ON DATABASE |ALTER DATABASE .* SET ", line)]


def restore(bucket, folder, name, entry):
    """Under another name first: an app that reconnects finds the whole database or none."""
    database, owner = entry["database"], entry["owner"]
    content = bucket.fetch_whole(folder, name, entry)
    making = f"{database}.restoring"
    with tempfile.TemporaryDirectory() as work:
        dump, again = os.path.join(work, "backup.dump"), os.path.join(work, "again.dump")
        with open(dump, "wb") as file:
            file.write(content)
        psql(f"drop database if exists {name_of(making)}")
        psql(f"create database {name_of(making)} owner {name_of(owner)} template template0 {kind_of(dump)}")
        run(["pg_restore", *SOCKET, "-d", making, "--exit-on-error", "--single-transaction", dump])
        run(["pg_dump", *SOCKET, "-Fc", "-f", again, making])
        if content_hash(again) != entry["content_sha256"]:
            raise Refused(f"what was restored of {database} has another content than the backup; it is left as {making}")
        rights = rights_of(dump)
    # In one transaction: it bears its name with its rights or not at all.
    psql("; ".join([f"alter database {name_of(making)} rename to {name_of(database)}", *rights]))


def main():
    module = AnsibleModule(
        argument_spec=dict(endpoint=dict(type="str", required=True), bucket=dict(type="str", required=True), database=dict(type="str", default="")),
        supports_check_mode=True)
    p = module.params
    if not p["database"]:
        module.exit_json(changed=False, lines=["no database was asked for: name it with -e database=NAME"])
    lines = []
    try:
        bucket = BackupBucket(p["endpoint"], p["bucket"])
        folder, manifest = bucket.newest("postgres", None if p["database"] == "all" else p["database"])
        there = set(psql("select datname from pg_database"))
        entries = {entry["database"]: (name, entry) for name, entry in manifest["objects"].items()}
        wanted = sorted(entries) if p["database"] == "all" else [p["database"]]
        missing = [database for database in wanted if database not in there]
        for database in missing:
            if not module.check_mode:
                restore(bucket, folder, *entries[database])
            lines.append(f"{database}: restored from the backup of {manifest['taken']}, content as in it; what was written later is lost")
    except (Refused, urllib.error.URLError, OSError) as error:
        module.fail_json(msg=f"Could not restore: {error}. Next: look at the bucket and at `sv status /etc/lab-service/backup-postgres`.")
    module.exit_json(changed=bool(missing), lines=lines or ["nothing is missing"])


if __name__ == "__main__":
    main()
