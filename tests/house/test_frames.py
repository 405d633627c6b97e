"""On an open socket: what pages send goes through, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from components.guard.frames import Frames
from tests.alone import run_alone
from tests.serving import Server, launcher, serve

SCRIPT = """
import time
import streamlit as st
from components.guard import gate
gate.require_pass()
@st.cache_data
def made():
    return f"made at {time.time_ns()}"
st.write(made())
"""


def said(kind: str) -> bytes:
    message = BackMsg()
    if kind == "rerun_script":
        message.rerun_script.query_string = ""
    elif kind == "file_urls_request":
        message.file_urls_request.file_names.append("a")
    elif kind == "backend_operation_request":
        message.backend_operation_request.request_id = "1"
    else:
        setattr(message, kind, True)
    return message.SerializeToString()


def passed_on(*frames: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the app behind was given until the socket ended, and what the browser was sent."""
    waiting = [{"type": "websocket.connect"}, *frames, {"type": "websocket.disconnect", "code": 1000}]
    given: list[dict[str, Any]] = []
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def run() -> None:
        socket = Frames(receive, send)
        while not given or given[-1]["type"] != "websocket.disconnect":
            given.append(await socket.receive())
        await socket.send({"type": "websocket.send", "bytes": b"late"})

    run_alone(run())
    return given, sent


def frame(payload: bytes) -> dict[str, Any]:
    return {"type": "websocket.receive", "bytes": payload}


def test_every_message_of_streamlits_is_taken_or_dropped():
    kinds = [field.name for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields]
    assert len(kinds) >= 10
    given, _ = passed_on(*(frame(said(kind)) for kind in kinds))
    taken = [BackMsg.FromString(message["bytes"]).WhichOneof("type") for message in given[1:-1]]
    assert sorted(taken) == ["app_heartbeat", "file_urls_request", "rerun_script", "stop_script"]


@pytest.mark.parametrize(
    "junk", [frame(b"\xff" * 2000), frame(b""), {"type": "websocket.receive", "text": "a text"}, frame(b"\x00\x01\x02")]
)
def test_what_is_no_message_ends_the_socket(junk):
    given, sent = passed_on(junk, frame(said("rerun_script")))
    assert [message["type"] for message in given] == ["websocket.connect", "websocket.disconnect"]
    assert sent == [{"type": "websocket.close", "code": 1003}]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    with serve(folder, app=launcher(folder, SCRIPT)) as running:
        yield running


def _open(server: Server, cookie: str) -> ClientConnection:
    url = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    headers = {"Cookie": cookie}
    return connect(url, origin=server.url, additional_headers=headers, subprotocols=["streamlit"], proxy=None)


def _heard(socket: ClientConnection, wanted: bytes) -> bytes:
    while wanted not in (told := socket.recv(timeout=10)):
        pass
    start = told.index(wanted)
    return told[start : start + 27]


def test_nobody_clears_everybodys_caches(server: Server):
    cookie = server.pass_cookie()
    with _open(server, cookie) as socket:
        socket.send(said("rerun_script"))
        first = _heard(socket, b"made at ")
    with _open(server, cookie) as socket:
        socket.send(said("clear_cache"))
        socket.send(said("rerun_script"))
        assert _heard(socket, b"made at ") == first


def test_junk_is_closed_and_leaves_no_trace_in_the_log(server: Server):
    cookie = server.pass_cookie()
    before = server.log.read_text(encoding="utf-8")
    for junk in (b"\xff" * 2000, "a text"):
        with _open(server, cookie) as socket:
            socket.send(junk)
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    socket.recv(timeout=10)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1003
    for kind in ("debug_shutdown_runtime", "debug_disconnect_websocket", "load_git_info"):
        with _open(server, cookie) as socket:
            socket.send(said(kind))
            socket.send(said("rerun_script"))
            assert _heard(socket, b"made at ")
    assert server.log.read_text(encoding="utf-8") == before
