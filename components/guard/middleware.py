"""ASGI middleware that decides on every request before Streamlit sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.guard import identity, origin, page, passes, routes
from components.guard.frames import Frames
from components.guard.headers import secured
from components.guard.sessions import Sessions
from components.guard.settings import Settings, is_loopback
from components.guard.uploads import Uploads

Answer = Callable[["Guard", Request], Awaitable[Response]]
FORM_BYTES = 16 * 1024
RETURN_COOKIE = "bedside_return"
START_PAGE = "/overview"


class Guard:
    """Gate, host and origin checks, security headers.

    Parameters
    ----------
    app : ASGI application
        What lies behind the gate.
    settings : Settings, optional
        By default read from Streamlit's configuration when the server starts.

    Attributes
    ----------
    installed : bool
        Whether this process has a guard at all; the script does not run without one.
    """

    installed = False

    def __init__(self, app: ASGIApp, settings: Settings | None = None) -> None:
        self.app = app
        self.settings = settings or Settings.from_config()
        self.sessions = Sessions.shared()
        self.uploads = Uploads.shared()
        Guard.installed = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, answer or refuse one request."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        place = routes.place(scope["path"], self.settings.base)
        answer = await self._answer(request, place)
        guarded = self._with_headers(send, scope, keep_cache=place == "asset")
        if answer is None and place == "asset":
            guarded = _without_pages(scope, receive, guarded)
        try:
            await (answer or self.app)(scope, receive, guarded)
        finally:
            if place == "upload" and answer is None and request.method == "PUT":
                self.uploads.came(scope["path"])

    async def _answer(self, request: Request, place: routes.Place) -> Response | None:
        """Our own answer, or None if the request may go on to Streamlit."""
        refused = self._refused(request, place)
        if refused is not None:
            return refused
        if place in ("accept", "sign-in"):
            return await self._enter(request, place)
        if place == "upload":
            return self._upload(request)
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("Not allowed.", 405)
        if place == "auth":
            return self._auth(request)
        if place in ("health", "asset"):
            return None
        if place == "gate":
            return self._gate(request, f"{self.settings.base}/")
        if not self.admits(request.cookies):
            return self._stopped(request, place)
        return self._home(request) or self._returned(request)

    def _refused(self, request: Request, place: routes.Place) -> Response | None:
        """What no pass opens: odd paths, foreign hosts, an exposed port, routes that are switched off."""
        base = self.settings.base
        if place == "bad":
            return PlainTextResponse("Bad request.", 400)
        if place != "health" and not origin.host_allowed(request.headers.get("host"), self.settings.hosts):
            return PlainTextResponse("This name is not served here.", 400)
        if not self.settings.sign_in and not _arrived_on_loopback(request.scope):
            return page.refusal(403, "Bedside serves this machine only until sign-in is configured.", base=base)
        if not self.settings.sign_in and origin.came_through_a_proxy(request.headers):
            sentence = "This came through a proxy, and Bedside serves this machine only until sign-in is configured."
            return page.refusal(403, sentence, base=base)
        if place == "closed":
            # The agent interface: nothing in this version uses it, so nobody reaches it.
            return PlainTextResponse("Switched off.", 403)
        if place == "auth" and not self.settings.sign_in:
            return PlainTextResponse("Sign-in is not configured.", 404)
        return None

    def admits(self, cookies: MutableMapping[str, str]) -> bool:
        """Whether these cookies open the gate: the acknowledgement, and an identity where one is asked for."""
        if not passes.valid(self.settings.key, cookies.get(passes.COOKIE)):
            return False
        return not self.settings.sign_in or self._who(cookies) is not None

    def _who(self, cookies: MutableMapping[str, str]) -> identity.Identity | None:
        who = identity.read(cookies, secret=self.settings.cookie_secret, redirect_uri=self.settings.redirect_uri)
        return who if who is not None and self.sessions.alive(who) else None

    def _reader(self, cookies: MutableMapping[str, str]) -> str:
        """Who asks: the sign-in where there is one, and the pass, which each browser has for itself."""
        who = self._who(cookies) if self.settings.sign_in else None
        return f"{who.session if who else ''} {cookies.get(passes.COOKIE, '')}"

    def _upload(self, request: Request) -> Response | None:
        """A file that a reader brings, or its removal; nothing is ever read from there."""
        if not self.admits(request.cookies):
            return PlainTextResponse("The gate is closed.", 401)
        if request.method not in ("PUT", "DELETE"):
            return PlainTextResponse("Not allowed.", 405)
        if not origin.same_origin(request.headers.get("origin"), request.headers.get("host")):
            return PlainTextResponse("This was sent from another page.", 403)
        refused = self.uploads.refusal(
            request.method, request.scope["path"], self._reader(request.cookies),
            request.headers.get("content-length"), request.headers.get("content-type"),
        )  # fmt: skip
        return None if refused is None else PlainTextResponse(refused[1], refused[0])

    def _stopped(self, request: Request, place: routes.Place) -> Response:
        mode = request.headers.get("sec-fetch-mode", "navigate")
        if place == "page" and mode == "navigate":
            return self._gate(request, routes.return_address(request.scope["path"], request.scope["query_string"]))
        return PlainTextResponse("The gate is closed.", 401)

    def _gate(self, request: Request, address: str) -> Response:
        # Someone who is signed in but has not accepted the present text is asked for that alone.
        signed_in = self.settings.sign_in and self._who(request.cookies) is not None
        providers = () if signed_in else self.settings.providers
        return page.gate(address, base=self.settings.base, providers=providers)

    async def _enter(self, request: Request, place: routes.Place) -> Response:
        """The gate's form: set the pass, then go on to where the reader was going."""
        base = self.settings.base
        if request.method != "POST":
            return RedirectResponse(f"{base}/", 303)
        if not origin.same_origin(request.headers.get("origin"), request.headers.get("host")):
            return page.refusal(403, "This form was sent from another page.", base=base)
        form = await _form(request)
        address = routes.safe_return(form.get("next", ""), base)
        if place == "accept":
            response: Response = RedirectResponse(address, 303)
        elif form.get("provider") in self.settings.providers:
            token = identity.provider_token(form["provider"])
            response = page.passing(f"{base}/auth/login?provider={token}", base=base)
            self._set(response, RETURN_COOKIE, address.encode().hex(), seconds=900)
        else:
            return page.refusal(400, "This way to sign in is not configured.", base=base)
        self._set(response, passes.COOKIE, passes.issue(self.settings.key), seconds=passes.DAYS * 86400)
        return response

    def _auth(self, request: Request) -> Response | None:
        """Streamlit's own sign-in routes; signing out ends the session for every copy of its cookie."""
        if request.scope["path"].endswith("/auth/logout"):
            who = self._who(request.cookies)
            if who is not None:
                self.sessions.revoke(who)
        return None

    def _home(self, request: Request) -> Response | None:
        """The start page has no name of its own for Streamlit, but readers link to it by one."""
        if request.scope["path"] != f"{self.settings.base}{START_PAGE}":
            return None
        return RedirectResponse(routes.return_address(f"{self.settings.base}/", request.scope["query_string"]), 303)

    def _returned(self, request: Request) -> Response | None:
        """After sign-in Streamlit leads to the start page; go on to where the reader was going."""
        who = self._who(request.cookies) if self.settings.sign_in else None
        if who is not None:
            self.sessions.touch(who)
        kept = request.cookies.get(RETURN_COOKIE)
        if not kept or who is None or request.scope["path"] != f"{self.settings.base}/":
            return None
        try:
            address = routes.safe_return(bytes.fromhex(kept).decode(), self.settings.base)
        except ValueError:
            address = f"{self.settings.base}/"
        response = RedirectResponse(address, 303)
        response.delete_cookie(RETURN_COOKIE, path="/")
        return response

    def _set(self, response: Response, name: str, value: str, *, seconds: int) -> None:
        response.set_cookie(
            name, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=self.settings.secure
        )

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        cookies = cookie_parser(headers.get("cookie", ""))
        if not self._socket_admitted(scope, headers, cookies):
            await self._refuse_socket(scope, receive, send)
            return
        frames = Frames(receive, send, reader=self._reader(cookies), uploads=self.uploads)
        who = self._who(cookies) if self.settings.sign_in else None
        if who is None:
            await self.app(scope, frames.receive, frames.send)
        else:
            await self.sessions.watch(who, self.app, scope, frames.receive, frames.send)

    def _socket_admitted(self, scope: Scope, headers: Headers, cookies: MutableMapping[str, str]) -> bool:
        host = headers.get("host")
        return (
            routes.place(scope["path"], self.settings.base) == "data"
            and origin.host_allowed(host, self.settings.hosts)
            and origin.same_origin(headers.get("origin"), host)
            and (self.settings.sign_in or (_arrived_on_loopback(scope) and not origin.came_through_a_proxy(headers)))
            and self.admits(cookies)
        )

    async def _refuse_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = secured([(b"content-type", b"text/plain")], cache="no-store", tls=self._tls(scope))
        await send({"type": "websocket.http.response.start", "status": 403, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b"The gate is closed."})

    def _tls(self, scope: Scope) -> bool:
        return self.settings.secure or scope.get("scheme") in ("https", "wss")

    def _with_headers(self, send: Send, scope: Scope, *, keep_cache: bool) -> Send:
        async def secured_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: Any = message.get("headers", [])
                # A bundle or font that is there may be kept by the browser; anything else never.
                keep = keep_cache and message["status"] in (200, 206, 304) and not _is_html(headers)
                message["headers"] = secured(headers, cache=None if keep else "no-store", tls=self._tls(scope))
                if scope["path"].endswith("/auth/logout"):
                    message["headers"].append((b"clear-site-data", b'"cache", "storage"'))
            await send(message)

        return secured_send


def _without_pages(scope: Scope, receive: Receive, send: Send) -> Send:
    """Answer 404 where an asset is not there: Streamlit answers with its page, which lies behind the gate."""
    refused = False

    async def plain_send(message: Message) -> None:
        nonlocal refused
        if message["type"] == "http.response.start" and _is_html(message.get("headers", [])):
            refused = True
            await PlainTextResponse("Not found.", 404)(scope, receive, send)
        elif not refused:
            await send(message)

    return plain_send


def _is_html(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers)


def _arrived_on_loopback(scope: Scope) -> bool:
    """Whether this connection came in on a loopback address, whatever the configuration says.

    Holds also for servers started without Streamlit's own launcher.
    """
    server = scope.get("server")
    return server is None or is_loopback(str(server[0]))


async def _form(request: Request) -> dict[str, str]:
    """The fields of a small URL-encoded form; a larger body is cut, and then fails its checks."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            break
    fields = parse_qs(body[:FORM_BYTES].decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}
