"""A real Bedside server for tests: its own port, data folder and environment."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers in lower case (the last of each name), cookies, body."""

    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    text: str


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    process: subprocess.Popen[str]
    data: Path
    log: Path

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> Answer:
        """One request, its path sent as it is and no redirect followed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, path, skip_host=bool(headers and "Host" in headers))
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body.encode())))
            connection.endheaders(body.encode() if body is not None else None)
            reply = connection.getresponse()
            pairs = [(name.lower(), value) for name, value in reply.getheaders()]
            cookies = dict(value.split(";")[0].split("=", 1) for name, value in pairs if name == "set-cookie")
            return Answer(reply.status, dict(pairs), cookies, reply.read().decode("utf-8", "replace"))
        finally:
            connection.close()

    def accept(self, address: str = "/") -> Answer:
        """Send the gate's form as a browser would."""
        form = {"Origin": self.url, "Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("/gate/accept", method="POST", headers=form, body=urlencode({"next": address}))

    def pass_cookie(self) -> str:
        """A Cookie header that opens the gate."""
        return f"bedside_pass={self.accept().cookies['bedside_pass']}"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def launcher(folder: Path, script: str) -> Path:
    """A copy of the real app.py that runs another script, with the real configuration beside it."""
    source = (ROOT / "app.py").read_text(encoding="utf-8")
    here, router = "Path(__file__).resolve().parent", 'HERE / "components" / "router.py"'
    assert source.count(here) == 1 and source.count(router) == 1
    (folder / "script").mkdir(parents=True)
    (folder / "script" / "main.py").write_text(script, encoding="utf-8")
    path = folder / "app.py"
    changed = source.replace(here, f"Path({str(ROOT)!r})").replace(router, repr(str(folder / "script" / "main.py")))
    path.write_text(changed, encoding="utf-8")
    (folder / ".streamlit").mkdir()
    shutil.copy(ROOT / ".streamlit" / "config.toml", folder / ".streamlit" / "config.toml")
    return path


@contextmanager
def serve(
    folder: Path,
    *,
    app: Path = ROOT / "app.py",
    env: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
    cwd: Path | None = None,
) -> Iterator[Server]:
    """Run a server until the block ends.

    Parameters
    ----------
    folder : Path
        Takes the data folder and the log.
    app : Path
        What `streamlit run` is given.
    env : mapping, optional
        Further environment variables.
    flags : sequence of str
        Further arguments of `streamlit run`.
    cwd : Path, optional
        Where it is started; by default an empty folder, since any folder must do.
    """
    port = free_port()
    (folder / "elsewhere").mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    surroundings = {**os.environ, "BEDSIDE_DATA": str(folder / "data"), "PYTHONPATH": str(ROOT), **(env or {})}
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.port", str(port), *flags]
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            command, env=surroundings, cwd=cwd or folder / "elsewhere", stdout=out, stderr=subprocess.STDOUT, text=True
        )
        server = Server(port, process, folder / "data", log)
        try:
            _wait_until_healthy(server)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_healthy(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise AssertionError(f"the server ended:\n{server.log.read_text()}")
        try:
            if server.ask("/_stcore/health").status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"no answer within {START_SECONDS} s:\n{server.log.read_text()}")
