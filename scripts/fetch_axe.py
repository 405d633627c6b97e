"""Fetch axe-core, the accessibility checker of the browser tests, pinned by version and hash.

It is fetched and not kept in the repository: it is a test tool under the
Mozilla Public License, and nothing that Bedside serves contains it.

    python scripts/fetch_axe.py            # writes build/axe-core/axe.min.js
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path

VERSION = "4.14.1"
INTEGRITY = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
REGISTRY = "https://registry.npmjs.org"
TARGET = Path(__file__).resolve().parents[1] / "build" / "axe-core" / "axe.min.js"


def packed() -> bytes:
    """The npm package: by npm, which knows of mirrors and proxies, otherwise straight from the registry."""
    npm = shutil.which("npm")
    if npm:
        with tempfile.TemporaryDirectory() as folder:
            command = [npm, "pack", "--silent", f"axe-core@{VERSION}"]
            if subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=False).returncode == 0:
                return next(Path(folder).glob("*.tgz")).read_bytes()
    registry = os.environ.get("NPM_CONFIG_REGISTRY", REGISTRY).rstrip("/")
    with urllib.request.urlopen(f"{registry}/axe-core/-/axe-core-{VERSION}.tgz", timeout=60) as answer:
        return answer.read()


def main() -> None:
    """Fetch, check and unpack, unless that was done before."""
    marker = TARGET.with_name("version")
    if TARGET.exists() and marker.exists() and marker.read_text(encoding="utf-8") == VERSION:
        return
    data = packed()
    found = base64.b64encode(hashlib.sha512(data).digest()).decode()
    if found != INTEGRITY:
        sys.exit(f"axe-core {VERSION} is not the one that was pinned: sha512-{found}")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        script = archive.extractfile("package/axe.min.js").read()
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(script)
    marker.write_text(VERSION, encoding="utf-8")


if __name__ == "__main__":
    main()
