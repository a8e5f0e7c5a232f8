"""What modules read of the backup bucket."""
import hashlib
import json
import urllib.parse
import urllib.request

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(Exception):
    """A sentence for the operator."""


class BackupBucket:
    def __init__(self, endpoint, bucket):
        self.root, self.bucket = f"{endpoint.rstrip('/')}/storage/v1/b/{bucket}", bucket

    def get(self, path):
        with opener.open(f"{self.root}/{path}", timeout=120) as answer:
            return answer.read()

    def fetch(self, name):
        return self.get(f"o/{urllib.parse.quote(name, safe='')}?alt=media")

    def newest(self, what, database=None):
        """The newest backup, or the newest that has a database: one that was taken after the loss has it no more.

        Its folder and its manifest; a folder without a manifest is no backup.
        """
        listed = json.loads(self.get("o?" + urllib.parse.urlencode({"prefix": f"{what}/", "maxResults": 5000})))
        manifests = sorted(item["name"] for item in listed.get("items") or [] if item["name"].endswith("/manifest.json"))
        if not manifests:
            raise Refused(f"the bucket {self.bucket} has no backup of {what}")
        for name in reversed(manifests):
            manifest = json.loads(self.fetch(name))
            if database is None or any(entry["database"] == database for entry in manifest["objects"].values()):
                return name.rsplit("/", 1)[0], manifest
        raise Refused(f"none of the {len(manifests)} backups has a database {database}")

    def fetch_whole(self, folder, name, entry):
        """An object of a backup, if it is what its manifest says."""
        content = self.fetch(f"{folder}/{name}")
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise Refused(f"{folder}/{name} is not what its manifest says: its SHA-256 differs")
        return content
