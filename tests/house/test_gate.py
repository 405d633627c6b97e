"""Nobody sees a page, a file or a socket before the gate is passed."""

from __future__ import annotations

from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from components.guard import words
from tests.serving import Server, launcher, serve

# `pages/` beside the launcher is what would be served around the router by a plain `streamlit run`.
ROUTER = """
import streamlit as st
from components.guard import gate
st.set_page_config(page_title="Bedside")
gate.require_pass()
def home():
    st.title("Home")
    if st.button("break"):
        raise ValueError("patient 304 has 9 nodes")
def secret():
    st.title("PATIENT LIST")
st.navigation([st.Page(home, title="Home", default=True), st.Page(secret, title="Secret", url_path="secret")]).run()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gate")
    app = launcher(folder, ROUTER)
    (folder / "pages").mkdir()
    (folder / "pages" / "leak.py").write_text("import streamlit as st\nst.title('PATIENT LIST')\n", encoding="utf-8")
    with serve(folder, app=app) as running:
        yield running


def test_first_visitor_on_a_deep_link_of_a_fresh_server_meets_the_gate(server: Server):
    for path in ("/leak", "/secret?by=grade", "/", "/overview", "/anything/else"):
        answer = server.ask(path)
        assert answer.status == 200
        assert "Not a medical device." in answer.text
        assert "PATIENT LIST" not in answer.text and "static/js" not in answer.text


def test_gate_says_the_whole_intended_use(server: Server):
    text = server.ask("/").text
    for point, more in words.INTENDED_USE:
        assert point in text and more in text
    assert "<script" not in text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/media/0123.csv", 401),
        ("/media/../media/0123.csv", 400),
        ("/_stcore/metrics", 401),
        ("/_stcore/host-config", 401),
        ("/_stcore/stream", 401),
        ("/_stcore/script-health-check", 401),
        ("/_stcore/bidi-components/x/y.js", 401),
        ("/leak/_stcore/host-config", 401),
        ("/component/x/index.html", 401),
        ("/_stcore/agent/mcp", 403),
        ("/_stcore/agent/openapi.json", 403),
        ("/_stcore/upload_file/s/f", 401),
        ("/_stcore/upload_file", 403),
        ("/auth/login?provider=x", 404),
        ("/oauth2callback", 404),
        ("//evil.example/", 400),
        ("/app/static/../app.py", 400),
        ("/app/static/%2e%2e/app.py", 400),
        ("/app/static/..%5capp.py", 400),
    ],
)
def test_closed_without_a_pass(server: Server, path: str, status: int):
    assert server.ask(path).status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_reading_methods_are_served(server: Server, method: str):
    cookie = {"Cookie": server.pass_cookie()}
    assert server.ask("/", method=method, headers=cookie).status == 405
    expected = 403 if method in ("PUT", "DELETE") else 405
    assert server.ask("/_stcore/upload_file/s/f", method=method, headers=cookie, body="x").status == expected


def test_open_without_a_pass(server: Server):
    assert server.ask("/_stcore/health").text == "ok"
    assert server.ask("/app/static/fonts/InterVariable-4.1-tabular.woff2").status == 200
    assert server.ask("/favicon.png").status == 200
    assert server.ask("/app/static/nothing").status == 404


def test_fetches_get_a_plain_refusal_and_not_a_page(server: Server):
    answer = server.ask("/secret", headers={"Sec-Fetch-Mode": "cors"})
    assert (answer.status, answer.text) == (401, "The gate is closed.")


def test_accepting_leads_back_to_the_deep_link(server: Server):
    answer = server.accept("/secret?by=grade&t=5")
    assert (answer.status, answer.headers["location"]) == (303, "/secret?by=grade&t=5")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and f"Max-Age={180 * 86400}" in cookie
    page = server.ask("/secret", headers={"Cookie": f"bedside_pass={answer.cookies['bedside_pass']}"})
    assert "static/js" in page.text


def test_the_form_carries_the_address_harmlessly(server: Server):
    text = server.ask("/secret?x=%27%3E%3Cscript%3Ealert(1)%3C/script%3E").text
    assert "<script" not in text
    assert "<b>" not in server.ask("/a'><b>x").text


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/%5Cevil.example",
        "javascript:alert(1)",
        "/gate/accept",
        "/auth/logout",
        "/media/x",
        "/a\r\nSet-Cookie: x=1",
        "/\u202eevil",
        "http:///evil.example",
        "/" + "a" * 5000,
        "",
    ],
)
def test_no_open_redirect(server: Server, address: str):
    answer = server.accept(address)
    assert (answer.status, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "http://localhost"])
def test_the_form_is_taken_from_our_own_page_only(server: Server, origin: str | None):
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | ({"Origin": origin} if origin else {})
    answer = server.ask("/gate/accept", method="POST", headers=headers, body="next=/")
    assert answer.status == 403
    assert "bedside_pass" not in answer.cookies


def test_tampered_passes_open_nothing(server: Server):
    good = server.accept().cookies["bedside_pass"]
    version, moment, nonce, signature = good.split(".")
    other = "A" if signature[0] != "A" else "B"
    for bad in (
        f"{version}.{moment}.{nonce}.{other}{signature[1:]}",
        f"{version}.{int(moment) + 1}.{nonce}.{signature}",
        f"000000000000.{moment}.{nonce}.{signature}",
        f"{version}.{moment}.{nonce}",
        "...",
        "",
        "\u00e9",
    ):
        answer = server.ask(
            "/_stcore/host-config", headers={"Cookie": f"bedside_pass={bad}".encode().decode("latin-1")}
        )
        assert answer.status == 401
    assert server.ask("/_stcore/host-config", headers={"Cookie": f"bedside_pass={good}"}).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "127.0.0.1:99999", "0.0.0.0"]
)
def test_only_our_own_names_are_served(server: Server, host: str):
    assert server.ask("/", headers={"Host": host}).status == 400
    assert server.ask("/", headers={"Host": f"localhost:{server.port}"}).status == 200


def _socket(
    server: Server,
    *,
    origin: str | None,
    cookie: str | None,
    host: str | None = None,
    more: dict[str, str] | None = None,
) -> None:
    headers = ({"Cookie": cookie} if cookie else {}) | (more or {})
    url = f"ws://{host or '127.0.0.1'}:{server.port}/_stcore/stream"
    with connect(url, origin=origin, additional_headers=headers, subprotocols=["streamlit"], proxy=None):
        pass


def test_socket_opens_with_pass_and_our_origin(server: Server):
    _socket(server, origin=server.url, cookie=server.pass_cookie())
    _socket(server, origin=f"http://localhost:{server.port}", cookie=server.pass_cookie(), host="localhost")


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "http://evil.example",
        "http://localhost:9999",
        "http://127.0.0.1",
        "OTHER-NAME",
        "SUFFIX",
        "file://",
    ],
)
def test_socket_refuses_other_origins(server: Server, origin: str | None):
    named = {
        "OTHER-NAME": f"http://localhost:{server.port}",
        "SUFFIX": f"http://127.0.0.1.evil.example:{server.port}",
    }
    with pytest.raises(InvalidStatus) as refused:
        _socket(server, origin=named.get(origin, origin), cookie=server.pass_cookie())
    assert refused.value.response.status_code == 403
    assert "frame-ancestors 'none'" in refused.value.response.headers["content-security-policy"]


def test_socket_refuses_without_a_pass(server: Server):
    for cookie in (None, "bedside_pass=x", "_streamlit_user=x"):
        with pytest.raises(InvalidStatus) as refused:
            _socket(server, origin=server.url, cookie=cookie)
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "name", ["Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "X-Real-IP", "Via"]
)
def test_a_proxy_on_this_machine_is_not_this_machine(server: Server, name: str):
    cookie = server.pass_cookie()
    for path in ("/", "/gate", "/_stcore/host-config", "/app/static/icon.svg"):
        answer = server.ask(path, headers={"Cookie": cookie, name: "127.0.0.1"})
        assert answer.status == 403
        assert "This came through a proxy" in answer.text
    form = {"Origin": server.url, "Content-Type": "application/x-www-form-urlencoded", name: ""}
    refused = server.ask("/gate/accept", method="POST", headers=form, body="next=/")
    assert refused.status == 403 and "bedside_pass" not in refused.cookies
    with pytest.raises(InvalidStatus) as closed:
        _socket(server, origin=server.url, cookie=cookie, more={name: "127.0.0.1"})
    assert closed.value.response.status_code == 403


@pytest.mark.parametrize("path", ["/static/nothing", "/static/js/gone.js", "/static/a/b", "/app/static/nothing"])
@pytest.mark.parametrize("passed", [False, True])
def test_an_asset_that_is_not_there_is_no_page(server: Server, path: str, passed: bool):
    headers = {"Accept": "text/html"} | ({"Cookie": server.pass_cookie()} if passed else {})
    answer = server.ask(path, headers=headers)
    assert (answer.status, answer.headers["cache-control"]) == (404, "no-store")
    assert "<" not in answer.text


def test_a_pass_of_another_installation_is_worth_nothing(server: Server, tmp_path: Path):
    with serve(tmp_path, app=launcher(tmp_path / "other", ROUTER)) as other:
        foreign = other.pass_cookie()
        assert other.ask("/_stcore/host-config", headers={"Cookie": foreign}).status == 200
    assert server.ask("/_stcore/host-config", headers={"Cookie": foreign}).status == 401
