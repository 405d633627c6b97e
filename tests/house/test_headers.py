"""Every answer carries the security headers, refusals and errors included."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
import streamlit

from components.guard.headers import app_policy, secured
from tests.serving import Server, launcher, serve


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("headers")
    with serve(folder, app=launcher(folder, "import streamlit as st\nst.title('Home')\n")) as running:
        yield running


PATHS = (
    "/",
    "/survival",
    "/gate",
    "/media/x",
    "/_stcore/health",
    "/_stcore/metrics",
    "/_stcore/upload_file/a/b",
    "/static/js/missing.js",
    "/app/static/missing.woff2",
    "/favicon.png",
    "/a/../b",
    "/trailing/",
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("passed", [False, True])
def test_headers_on_every_answer(server: Server, path: str, passed: bool):
    answer = server.ask(path, headers={"Cookie": server.pass_cookie()} if passed else {})
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
    assert "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "")
    assert "http:" not in policy and "https:" not in policy and "*" not in policy
    assert "access-control-allow-origin" not in headers
    if "html" in headers.get("content-type", "") or path.startswith(("/media", "/_stcore")):
        assert headers["cache-control"] == "no-store"


def test_media_that_is_missing_is_404_with_headers_once_inside(server: Server):
    answer = server.ask("/media/missing.csv", headers={"Cookie": server.pass_cookie()})
    assert answer.status == 404
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_the_font_may_be_cached_and_is_a_font(server: Server):
    answer = server.ask("/app/static/fonts/InterVariable-4.1-tabular.woff2")
    assert answer.headers["content-type"] == "font/woff2"
    assert answer.headers.get("cache-control") != "no-store"


def test_policy_allows_exactly_streamlits_own_inline_script():
    index = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", index, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'self' 'wasm-unsafe-eval' 'sha256-{digest}';" in app_policy()
    assert "unsafe-inline" not in app_policy().split("style-src")[0]


def test_cookies_become_secure_and_hsts_is_said_under_tls_only():
    given = [(b"Set-Cookie", b"_streamlit_user=1; Path=/; HttpOnly"), (b"set-cookie", b"a=b; Secure")]
    plain = secured(given, cache=None, tls=False)
    assert (b"set-cookie", b"_streamlit_user=1; Path=/; HttpOnly") in plain
    assert not any(name == b"strict-transport-security" for name, _ in plain)
    tls = secured(given, cache=None, tls=True)
    assert (b"set-cookie", b"_streamlit_user=1; Path=/; HttpOnly; Secure") in tls
    assert (b"set-cookie", b"a=b; Secure") in tls
    assert any(name == b"strict-transport-security" for name, _ in tls)
