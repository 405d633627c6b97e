"""Starting: from any folder, quietly, without contacting anyone, and never exposed without sign-in."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.sync.client import connect

from bedside.store.key import server_key, subkey
from components.guard import passes
from components.guard.exposure import complaint
from components.guard.settings import Settings
from tests.serving import ROOT, free_port, launcher, serve

# Imported by Python before anything else: every attempt to reach beyond this machine is written down.
WATCH = """
import os, socket
def _note(address):
    if isinstance(address, tuple) and not str(address[0]).startswith("127.") and address[0] not in ("::1", "localhost"):
        with open(os.environ["WATCH_LOG"], "a") as log:
            log.write(f"{address}\\n")
        raise OSError("refused by the test")
_connect, _lookup = socket.socket.connect, socket.getaddrinfo
def connect(self, address):
    _note(address)
    return _connect(self, address)
def getaddrinfo(host, port, *rest, **named):
    if host not in (None, "localhost", "127.0.0.1", "::1", b"127.0.0.1"):
        _note((host, port))
    return _lookup(host, port, *rest, **named)
socket.socket.connect, socket.getaddrinfo = connect, getaddrinfo
"""


def _run(*flags: str, folder: Path, app: Path = ROOT / "app.py") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.port", str(free_port()), *flags]
    surroundings = {**os.environ, "BEDSIDE_DATA": str(folder / "data"), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize(
    "flags", [["--server.address", "0.0.0.0"], ["--server.address", "::"], ["--server.allowedHosts", "bedside.example"]]
)
def test_exposed_without_sign_in_ends_with_a_sentence(tmp_path: Path, flags: list[str]):
    ended = _run(*flags, folder=tmp_path)
    assert ended.returncode == 1
    said = ended.stdout + ended.stderr
    assert "Bedside did not start. Bedside would be reachable from beyond this machine" in said
    assert "Traceback" not in said


def test_a_short_cookie_secret_ends_with_a_sentence(tmp_path: Path):
    app = launcher(tmp_path, "import streamlit as st\n")
    (tmp_path / ".streamlit" / "secrets.toml").write_text(
        '[auth]\nredirect_uri = "http://127.0.0.1:8501/oauth2callback"\ncookie_secret = "short"\nclient_id = "x"\n'
        'client_secret = "x"\nserver_metadata_url = "http://127.0.0.1:1/.well-known/openid-configuration"\n',
        encoding="utf-8",
    )
    ended = _run(folder=tmp_path, app=app)
    assert ended.returncode == 1
    assert "cookie_secret in .streamlit/secrets.toml is shorter than 32 bytes" in ended.stderr


def test_what_may_be_served():
    key = b"k" * 32
    assert complaint(Settings(key)) is None
    assert complaint(Settings(key, address="127.0.0.53")) is None
    for exposed in ({"address": "10.0.0.5"}, {"address": "bedside.example"}, {"hosts": ("localhost", "a.example")}):
        assert "not configured" in str(complaint(Settings(key, **exposed)))
        assert complaint(Settings(key, providers=("default",), cookie_secret="s" * 32, **exposed)) is None


def test_the_router_without_the_guard_opens_nothing(tmp_path: Path):
    """Started around app.py there is no gate in front, so that not even a good pass helps."""
    (tmp_path / "data").mkdir(mode=0o700)
    cookie = {"Cookie": f"bedside_pass={passes.issue(subkey(server_key(tmp_path / 'data'), 'pass'))}"}
    with serve(tmp_path, app=ROOT / "components" / "router.py") as server:
        url = f"ws://127.0.0.1:{server.port}/_stcore/stream"
        message = BackMsg()
        message.rerun_script.query_string = "cohort=gbsg2_breast"
        told = b""
        with connect(url, additional_headers=cookie, subprotocols=["streamlit"], proxy=None) as socket:
            socket.send(message.SerializeToString())
            while b"Read and accept" not in told and b"GBSG" not in told:
                told += bytes(socket.recv(timeout=20))
    assert b"started without its gate" in told
    assert b"GBSG" not in told


def test_python_app_py_serves_too(tmp_path: Path):
    surroundings = {**os.environ, "BEDSIDE_DATA": str(tmp_path / "data")}
    command = [sys.executable, str(ROOT / "app.py"), "--server.address", "0.0.0.0", "--server.port", str(free_port())]
    ended = subprocess.run(command, cwd=tmp_path, env=surroundings, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1
    assert "Bedside did not start." in ended.stderr


def test_start_and_first_requests_contact_nobody(tmp_path: Path):
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    seen = tmp_path / "contacts.txt"
    env = {"PYTHONPATH": f"{tmp_path / 'watch'}{os.pathsep}{ROOT}", "WATCH_LOG": str(seen)}
    with serve(tmp_path, env=env) as server:
        cookie = {"Cookie": server.pass_cookie()}
        assert server.ask("/_stcore/host-config", headers=cookie).status == 200
        # Streamlit looks up its own outside address when a foreign origin asks; the guard answers first.
        assert server.ask("/_stcore/host-config", headers={"Origin": "http://evil.example"}).status == 401
    assert not seen.exists(), seen.read_text()


def test_the_watch_above_sees_a_contact(tmp_path: Path):
    (tmp_path / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    code = "import socket\ntry:\n socket.create_connection(('192.0.2.1', 80), 1)\nexcept OSError: pass"
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "WATCH_LOG": str(tmp_path / "seen")}
    subprocess.run([sys.executable, "-c", code], env=env, check=True, timeout=20)
    assert "192.0.2.1" in (tmp_path / "seen").read_text()


def test_data_folder_is_private(tmp_path: Path):
    with serve(tmp_path) as server:
        assert server.data.stat().st_mode & 0o777 == 0o700
        assert (server.data / "server.key").stat().st_mode & 0o777 == 0o600


def test_production_configuration():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["fileWatcherType"] == "none"
    assert config["server"]["enableXsrfProtection"] and config["server"]["enableCORS"]
    assert not config["server"]["enableStaticServing"] and not config["browser"]["gatherUsageStats"]
    assert config["client"]["showErrorDetails"] == "none" and config["client"]["disableDataExport"]
    assert config["client"]["toolbarMode"] == "viewer"
    assert "enableAgentApi" not in config["server"]
    assert {"light", "dark"} <= set(config["theme"])
    assert all(face["url"].startswith("app/static/") for face in config["theme"]["fontFaces"])
    for mode in ("light", "dark"):
        for scale in ("chartSequentialColors", "chartDivergingColors"):
            assert len(config["theme"][mode][scale]) == 10


def test_no_pages_folder_beside_the_script_that_runs():
    assert not (ROOT / "components" / "pages").exists()
