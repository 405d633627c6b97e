"""A real PostgreSQL of one's own: in a temporary folder, on a Unix socket, gone afterwards.

Needs the programs, not a running server: ``bash scripts/find_postgres.sh`` finds or installs them.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",
    "full_page_writes": "off",
    "dynamic_shared_memory_type": "mmap",
    "shared_buffers": "256MB",
}


def programs() -> Path:
    """The folder of ``initdb`` and ``pg_ctl``, the newest there is."""
    named = [Path(folder) for folder in (os.environ.get("BEDSIDE_POSTGRES", ""),) if folder]
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    for folder in [*named, *([Path(found).parent] if found else []), *debian]:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise FileNotFoundError("no PostgreSQL programs: run bash scripts/find_postgres.sh")


@contextmanager
def own_server() -> Iterator[str]:
    """A server in a folder that only its account may enter.

    Yields
    ------
    str
        The address, as libpq takes it. Text is sorted by language and not by
        bytes, as in most databases.
    """
    folder = Path(tempfile.mkdtemp(prefix="bedside_pg_"))
    try:
        account = _account(folder)
        tools, data = programs(), folder / "data"
        _run([tools / "initdb", "-D", data, "-U", "bedside", "-A", "trust", "-E", "UTF8", "--no-sync",
              "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"], account)  # fmt: skip
        told = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        start = [tools / "pg_ctl", "start", "-w", "-D", data, "-l", folder / "log"]
        _run([*start, "-o", f"{told} -c unix_socket_directories={folder}"], account)
        try:
            yield f"host={folder} user=bedside dbname=postgres"
        finally:
            _run([tools / "pg_ctl", "stop", "-w", "-m", "immediate", "-D", data], account)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _account(folder: Path) -> pwd.struct_passwd | None:
    """Who runs the server: PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    account = pwd.getpwnam("postgres")
    os.chown(folder, account.pw_uid, account.pw_gid)
    return account


def _run(command: list[str | Path], account: pwd.struct_passwd | None) -> None:
    who = {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    # No pipes: the server inherits them, and whoever waits for their end would wait for the server's.
    subprocess.run(
        [str(part) for part in command], check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        timeout=60, **who,
    )  # fmt: skip
