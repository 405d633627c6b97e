"""Streamlit's one HTML page, with our name and our script in its head.

The script (static/bedside.js) saves figures as pictures and writes times in the
reader's locale. Streamlit offers no other way to load a script from this
origin: its components run theirs from `blob:` addresses, which the content
security policy would then have to allow for everybody.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.guard.settings import Settings

TITLE = b"<title>Streamlit</title>"


class OwnPage:
    """ASGI middleware that adds a title and a script element to HTML answers.

    Parameters
    ----------
    app : ASGI application
        Streamlit's.
    base : str, optional
        Path under which the app lies; by default read from Streamlit's configuration.
    """

    def __init__(self, app: ASGIApp, base: str | None = None) -> None:
        self.app = app
        self.base = Settings.from_config().base if base is None else base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; change only pages."""
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self.app(scope, receive, send)
            return
        # The page has to arrive as text: what is compressed cannot be added to.
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self.app({**scope, "headers": plain}, receive, _Page(send, self.base).send)


class _Page:
    """Holds an HTML answer back until it is whole, then sends it with the additions."""

    def __init__(self, send: Send, base: str) -> None:
        self._send = send
        self._script = (
            f'<title>Bedside</title><script type="module" src="{base}/app/static/bedside.js"></script>'.encode()
        )
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = Headers(raw=message["headers"])
            if message["status"] == 200 and headers.get("content-type", "").startswith("text/html"):
                self._start = message
                return
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        body = self._body.replace(TITLE, self._script, 1)
        headers = MutableHeaders(raw=list(start["headers"]))
        for name in ("etag", "last-modified", "accept-ranges"):
            del headers[name]
        if body:
            headers["content-length"] = str(len(body))
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})
