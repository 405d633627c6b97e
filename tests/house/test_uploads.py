"""Files come in only at an address that the server gave to this reader, once, as a form, and within bounds."""

from __future__ import annotations

import secrets

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from components.guard.uploads import FRAME_BYTES, MOST_NAMES, MOST_OFFERS, OF_A_SESSION, OF_ALL, Uploads, most_bytes
from tests.serving import Answer, Server, launcher, serve

SCRIPT = """
import streamlit as st
from components.guard import gate
gate.require_pass()
st.file_uploader("File")
"""
EDGE = "edge"
FORM = f"multipart/form-data; boundary={EDGE}"
BODY = f'--{EDGE}\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nabc\r\n--{EDGE}--\r\n'
MOST = 1000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uploads")
    with serve(folder, app=launcher(folder, SCRIPT)) as running:
        yield running


def _open(server: Server, cookie: str) -> ClientConnection:
    url = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    headers = {"Cookie": cookie}
    return connect(url, origin=server.url, additional_headers=headers, subprotocols=["streamlit"], proxy=None)


def _address(socket: ClientConnection, names: int = 1) -> str:
    message = BackMsg()
    message.file_urls_request.request_id = "1"
    message.file_urls_request.file_names.extend(["a"] * names)
    socket.send(message.SerializeToString())
    while True:
        heard = ForwardMsg.FromString(socket.recv(timeout=10))
        if heard.WhichOneof("type") == "file_urls_response":
            return heard.file_urls_response.file_urls[0].upload_url


def _put(server: Server, at: str, cookie: str, *, method: str = "PUT", **headers: str) -> Answer:
    token = secrets.token_hex(16)
    told = {
        "Cookie": f"{cookie}; _streamlit_xsrf={token}", "X-Xsrftoken": token, "Origin": server.url,
        "Content-Type": FORM,
    }  # fmt: skip
    return server.ask(at, method=method, headers=told | {k.replace("_", "-"): v for k, v in headers.items()}, body=BODY)


def test_only_the_reader_who_asked_writes_and_only_once(server: Server):
    cookie, other = server.pass_cookie(), server.pass_cookie()
    with _open(server, cookie) as socket:
        at = _address(socket)
        assert _put(server, at, "").status == 401
        assert _put(server, at, other).status == 403
        assert _put(server, at, cookie, Origin="http://evil.example").status == 403
        assert _put(server, at[:-1] + "x", cookie).status == 403
        assert _put(server, at, cookie, method="POST").status == 405
        assert server.ask(at, headers={"Cookie": cookie}).status == 405
        assert _put(server, at, cookie, Content_Type="application/octet-stream").status == 415
        assert _put(server, at, cookie).status == 204
        assert _put(server, at, cookie).status == 403
        assert _put(server, at, other, method="DELETE").status == 403
        assert _put(server, at, cookie, method="DELETE").status == 204


def test_a_closed_session_takes_nothing(server: Server):
    cookie = server.pass_cookie()
    with _open(server, cookie) as socket:
        at = _address(socket)
    session, file = at.rsplit("/", 2)[1:]
    assert _put(server, at.replace(session, file), cookie).status == 403


def _offered(uploads: Uploads, *paths: str, reader: str = "me") -> None:
    message = ForwardMsg()
    for path in paths:
        message.file_urls_response.file_urls.add().upload_url = f"/_stcore/upload_file/{path}"
    assert uploads.note(message.SerializeToString(), reader)


def _asks(uploads: Uploads, path: str, length: str | None, kind: str = FORM) -> int:
    refused = uploads.refusal("PUT", f"/_stcore/upload_file/{path}", "me", length, kind)
    return 0 if refused is None else refused[0]


def test_sizes_are_bounded_before_anything_is_read():
    held = {"s": 0}
    uploads = Uploads(held=lambda: held, most=lambda: MOST)
    _offered(uploads, *(f"s/{i}" for i in range(9)))
    for length in (None, "", "-1", "²", "1e3", "9" * 16):
        assert _asks(uploads, "s/0", length) == 411
    most = MOST + FRAME_BYTES
    assert _asks(uploads, "s/0", str(most + 1)) == 413
    assert _asks(uploads, "s/0", str(most)) == 0
    assert _asks(uploads, "s/1", str(most)) == 0
    assert _asks(uploads, "s/2", "1") == 413  # two are on their way
    uploads.came("/_stcore/upload_file/s/0")
    assert _asks(uploads, "s/2", "1") == 0
    for path in ("s/1", "s/2"):
        uploads.came(f"/_stcore/upload_file/{path}")
    held["s"] = 2 * most
    assert _asks(uploads, "s/3", "1") == 413
    held.update({"s": 0, **{f"t{i}": most for i in range(8)}})
    assert _asks(uploads, "s/3", "1") == 503


def test_a_file_of_250_mb_comes_in_and_memory_stays_bounded():
    most = most_bytes()
    assert most > 250 * 2**20 + FRAME_BYTES
    assert OF_A_SESSION * most <= 512 * 2**20 and OF_ALL * most <= 2**30


def test_addresses_are_forgotten_oldest_first():
    uploads = Uploads(held=dict, most=lambda: MOST)
    _offered(uploads, "s/first")
    _offered(uploads, *(f"s/{i}" for i in range(MOST_OFFERS)))
    assert _asks(uploads, "s/first", "1") == 403
    assert _asks(uploads, "s/0", "1") == 0
    assert not uploads.note(b"\xff\xff", "me") and not uploads.note(None, "me")


def test_nobody_asks_for_many_addresses_at_once(server: Server):
    with _open(server, server.pass_cookie()) as socket, pytest.raises(TimeoutError):
        message = BackMsg()
        message.file_urls_request.file_names.extend(["a"] * (MOST_NAMES + 1))
        socket.send(message.SerializeToString())
        while ForwardMsg.FromString(socket.recv(timeout=1)).WhichOneof("type") != "file_urls_response":
            pass
