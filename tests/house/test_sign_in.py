"""With sign-in configured: an identity that Streamlit signed, alive, and the acknowledgement."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from itsdangerous import URLSafeTimedSerializer
from streamlit.auth_util import set_cookie_with_chunks
from streamlit.proto.BackMsg_pb2 import BackMsg

from components.guard import identity, passes
from components.guard.identity import Identity
from components.guard.sessions import IDLE_SECONDS, Sessions, is_act
from tests.alone import run_alone
from tests.serving import Server, launcher, serve

SECRET = "s" * 32
ORIGIN = "http://127.0.0.1:8501"
REDIRECT = f"{ORIGIN}/oauth2callback"
CLAIMS = {"iss": "https://id.example", "sub": "ada", "name": "Ada", "origin": ORIGIN, "is_logged_in": True}
# Random, since Streamlit packs what repeats.
LARGE = CLAIMS | {"groups": [random.Random(number).randbytes(16).hex() for number in range(400)]}
SECRETS = f"""
[auth]
redirect_uri = "{REDIRECT}"
cookie_secret = "{SECRET}"
client_id = "bedside"
client_secret = "x"
server_metadata_url = "http://127.0.0.1:1/.well-known/openid-configuration"
"""


def _cookies(claims: dict[str, Any], *, secret: str = SECRET) -> dict[str, str]:
    """The cookies that Streamlit sets after sign-in, by its own function; a long identity takes several."""
    made: dict[str, str] = {}

    def sign(name: str, value: str) -> bytes:
        return URLSafeTimedSerializer(secret, salt=name).dumps(value).encode()

    set_cookie_with_chunks(
        lambda name, value: made.__setitem__(name, sign(name, value).decode()),
        sign,
        identity.COOKIE,
        claims,
        cookie_attr_size=50,
    )
    return made


def _read(cookies: dict[str, str]) -> Identity | None:
    return identity.read(cookies, secret=SECRET, redirect_uri=REDIRECT)


def _header(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def test_an_identity_is_read_whole_and_in_chunks():
    small = _read(_cookies(CLAIMS))
    assert small is not None and time.time() - small.signed_in_at < 5
    large = _cookies(LARGE)
    assert len(large) > 2
    assert _read(large) is not None
    assert len(small.session) == 64 and set(small.session) <= set("0123456789abcdef")  # a hash; "ada" could be in it


def test_a_missing_or_changed_chunk_is_no_identity():
    cookies = _cookies(LARGE)
    for name in cookies:
        assert _read({key: value for key, value in cookies.items() if key != name}) is None
        assert (
            _read(cookies | {name: cookies[name][:-2] + ("AA" if not cookies[name].endswith("AA") else "BB")}) is None
        )


@pytest.mark.parametrize(
    "claims",
    [
        CLAIMS | {"origin": "http://evil.example"},
        CLAIMS | {"is_logged_in": False},
        CLAIMS | {"is_logged_in": "yes"},
        {"is_logged_in": True},
    ],
)
def test_other_claims_are_no_identity(claims: dict[str, Any]):
    assert _read(_cookies(claims)) is None


def test_another_secret_or_none_is_no_identity():
    assert _read(_cookies(CLAIMS, secret="t" * 32)) is None
    assert identity.read(_cookies(CLAIMS, secret=""), secret="", redirect_uri=REDIRECT) is None


def test_an_identity_ends_after_twelve_hours(monkeypatch: pytest.MonkeyPatch):
    cookies = _cookies(CLAIMS)
    now = time.time()
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 12 * 3600 - 60)
    assert _read(cookies) is not None
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 12 * 3600 + 60)
    assert _read(cookies) is None


def test_issuer_subject_and_time_make_the_session():
    first = _read(_cookies(CLAIMS))
    assert first.session != _read(_cookies(CLAIMS | {"sub": "eve"})).session
    assert first.session != _read(_cookies(CLAIMS | {"iss": "https://other.example"})).session


class _Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_idle_sessions_end_and_acts_keep_them():
    clock = _Clock()
    table, who = Sessions(clock=clock), Identity("s", clock.now)
    clock.now += IDLE_SECONDS - 1
    assert table.alive(who)
    table.touch(who)
    clock.now += IDLE_SECONDS - 1
    assert table.alive(who)
    clock.now += 2
    assert not table.alive(who)


def test_twelve_hours_end_a_session_however_busy():
    clock = _Clock()
    table, who = Sessions(clock=clock), Identity("s", clock.now)
    for _ in range(12 * 6):
        clock.now += 600
        table.touch(who)
    assert table.alive(who)
    clock.now += 1
    table.touch(who)
    assert not table.alive(who)


def test_signing_out_ends_every_copy():
    table, who = Sessions(), Identity("s", time.time())
    table.revoke(who)
    table.touch(who)
    assert not table.alive(who)
    assert table.alive(Identity("other", time.time()))


def test_only_what_a_reader_does_counts_as_an_act():
    click, tick, beat = BackMsg(), BackMsg(), BackMsg()
    click.rerun_script.query_string = ""
    tick.rerun_script.is_auto_rerun = True
    beat.app_heartbeat = True
    assert is_act(click.SerializeToString())
    assert not is_act(tick.SerializeToString())
    assert not is_act(beat.SerializeToString())
    assert not is_act(None) and not is_act(b"") and not is_act(b"\xff\xff")


def test_the_socket_of_an_ended_session_is_closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("components.guard.sessions.CHECK_SECONDS", 0.01)
    table, who = Sessions(), Identity("s", time.time())
    sent: list[dict[str, Any]] = []

    async def run() -> None:
        async def app(_scope: Any, receive: Any, _send: Any) -> None:
            await receive()

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(60)
            return {}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        task = asyncio.create_task(table.watch(who, app, {}, receive, send))
        await asyncio.sleep(0.05)
        assert not task.done()
        table.revoke(who)
        await asyncio.wait_for(task, 2)

    run_alone(run())
    assert sent == [{"type": "websocket.close", "code": 4401}]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("sign-in")
    app = launcher(folder, "import streamlit as st\nst.title('Home')\n")
    (folder / ".streamlit" / "secrets.toml").write_text(SECRETS, encoding="utf-8")
    with serve(folder, app=app, cwd=folder) as running:
        yield running


def test_the_gate_asks_to_sign_in(server: Server):
    text = server.ask("/survival").text
    assert "I understand: sign in" in text and "/gate/sign-in" in text
    assert "/gate/accept" not in text


def test_an_acknowledgement_alone_opens_nothing(server: Server):
    cookie = {"Cookie": server.pass_cookie()}
    assert server.ask("/_stcore/host-config", headers=cookie).status == 401
    assert "sign in" in server.ask("/", headers=cookie).text


def test_an_identity_alone_is_asked_for_the_acknowledgement(server: Server):
    headers = _header(_cookies(CLAIMS))
    assert server.ask("/_stcore/host-config", headers=headers).status == 401
    assert "I understand: open Bedside" in server.ask("/", headers=headers).text


def test_both_open_and_signing_out_ends_a_copied_cookie(server: Server):
    copied = _header(_cookies(CLAIMS) | {passes.COOKIE: server.accept().cookies[passes.COOKIE]})
    assert server.ask("/_stcore/host-config", headers=copied).status == 200
    gone = server.ask("/auth/logout", headers=copied)
    assert gone.status in (302, 307)
    assert gone.headers["clear-site-data"] == '"cache", "storage"'
    assert server.ask("/_stcore/host-config", headers=copied).status == 401


def test_with_sign_in_a_proxy_may_stand_in_front(server: Server):
    assert "I understand: sign in" in server.ask("/", headers={"X-Forwarded-For": "192.0.2.7", "Via": "1.1 x"}).text


def test_signing_in_moves_on_by_a_page_and_not_by_a_redirect_of_the_form(server: Server):
    form = {"Origin": server.url, "Content-Type": "application/x-www-form-urlencoded"}
    answer = server.ask("/gate/sign-in", method="POST", headers=form, body="next=/survival%3Fby%3Dx&provider=default")
    assert answer.status == 200
    assert 'http-equiv="refresh" content="0;url=/auth/login?provider=' in answer.text
    assert bytes.fromhex(answer.cookies["bedside_return"]).decode() == "/survival?by=x"
    assert passes.COOKIE in answer.cookies
    assert server.ask("/gate/sign-in", method="POST", headers=form, body="provider=other").status == 400


def test_after_signing_in_the_reader_returns_to_the_deep_link(server: Server):
    # Another reader than the one who signed out above: a session is known by the second it began.
    cookies = _cookies(CLAIMS | {"sub": "eve"}) | {passes.COOKIE: server.accept().cookies[passes.COOKIE]}
    answer = server.ask("/", headers=_header(cookies | {"bedside_return": b"/survival?by=x".hex()}))
    assert (answer.status, answer.headers["location"]) == (303, "/survival?by=x")
    assert answer.cookies["bedside_return"] in ("", '""')
    evil = server.ask("/", headers=_header(cookies | {"bedside_return": b"//evil.example".hex()}))
    assert evil.headers["location"] == "/"


def test_claims_that_are_no_object_are_no_identity():
    signed = URLSafeTimedSerializer(SECRET, salt=identity.COOKIE).dumps(json.dumps([1]))
    assert _read({identity.COOKIE: signed}) is None
