"""The page's head: our name and our script, in the page and nowhere else."""

from __future__ import annotations

import pytest

from components.guard.own_page import OwnPage
from tests.alone import run_alone

PAGE = b"<html><head><title>Streamlit</title></head><body></body></html>"


def answer(
    body: bytes, kind: bytes, *, accept: bytes = b"text/html", base: str = "", parts: int = 1, status: int = 200
):
    """What a browser gets, and what the app behind was asked."""
    asked, sent = [], []

    async def app(scope, receive, send):
        asked.append(dict(scope["headers"]))
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"etag", b'"1"')]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        step = -(-len(body) // parts)
        pieces = [body[i : i + step] for i in range(0, len(body), step)]
        for i, piece in enumerate(pieces):
            await send({"type": "http.response.body", "body": piece, "more_body": i < len(pieces) - 1})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/", "headers": [(b"accept", accept), (b"accept-encoding", b"gzip")]}
    run_alone(OwnPage(app, base=base)(scope, None, send))
    start = dict(sent[0]["headers"])
    return b"".join(m.get("body", b"") for m in sent[1:]), start, asked[0]


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("base", ["", "/ward"])
def test_a_page_gets_the_script_once_and_a_length_that_is_true(parts, base):
    body, headers, asked = answer(PAGE, b"text/html; charset=utf-8", base=base, parts=parts)
    assert body.count(f'<script type="module" src="{base}/app/static/bedside.js"></script>'.encode()) == 1
    assert b"<title>Bedside</title>" in body and b"Streamlit" not in body
    assert int(headers[b"content-length"]) == len(body)
    assert b"etag" not in headers
    assert b"accept-encoding" not in asked


@pytest.mark.parametrize(
    ("kind", "accept", "status"),
    [(b"text/javascript", b"text/html", 200), (b"text/html", b"*/*", 200), (b"text/html", b"text/html", 404)],
)
def test_everything_else_passes_untouched(kind, accept, status):
    body, headers, _ = answer(PAGE, kind, accept=accept, status=status)
    assert body == PAGE
    assert headers[b"etag"] == b'"1"'
