"""Unpacks Go's own release, as the module proxy serves it, into a folder.

The module proxy is the one source of Go that a machine behind a package mirror reaches. Its archive has no file modes: programs are
made executable here, as the go command does with the toolchains it fetches.
Usage: fetch-go.py VERSION ARCHITECTURE SHA256 FOLDER; GOPROXY names another proxy
"""
import hashlib
import os
import re
import sys
import tempfile
import urllib.request
import zipfile

SECONDS = 60  # without a byte


def main():
    version, architecture, wanted, folder = sys.argv[1:]
    proxies = [one for one in re.split("[,|]", os.environ.get("GOPROXY", "")) if one.startswith("http")]
    proxy = (proxies or ["https://proxy.golang.org"])[0].rstrip("/")
    url = f"{proxy}/golang.org/toolchain/@v/v0.0.1-go{version}.linux-{architecture}.zip"
    parent = os.path.dirname(folder)
    os.makedirs(parent, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as scratch:
        archive = os.path.join(scratch, "go.zip")
        digest = hashlib.sha256()
        with urllib.request.urlopen(url, timeout=SECONDS) as answer, open(archive, "wb") as out:
            while chunk := answer.read(1 << 20):
                digest.update(chunk)
                out.write(chunk)
        if digest.hexdigest() != wanted:
            sys.exit(f"{url} has the SHA-256 {digest.hexdigest()}, not {wanted}")
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(scratch)
            top = os.path.join(scratch, *packed.namelist()[0].split("/")[:2])
        for below in ("bin", os.path.join("pkg", "tool")):
            for place, _, files in os.walk(os.path.join(top, below)):
                for file in files:
                    os.chmod(os.path.join(place, file), 0o755)
        # Appears whole or not at all: a killed download leaves nothing that looks like Go.
        os.rename(top, folder)


main()
