"""What a path is: the only list of what is open, and everything else is closed."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote, unquote, urlsplit

Place = Literal["bad", "health", "asset", "gate", "accept", "sign-in", "auth", "closed", "upload", "data", "page"]

EXACT: dict[str, Place] = {
    "/_stcore/health": "health",
    "/favicon.png": "asset",
    "/manifest.json": "asset",
    "/gate": "gate",
    "/gate/accept": "accept",
    "/gate/sign-in": "sign-in",
    "/auth/login": "auth",
    "/auth/logout": "auth",
    "/oauth2callback": "auth",
}
PREFIX: tuple[tuple[str, Place], ...] = (
    ("/static/", "asset"),
    ("/app/static/", "asset"),
    ("/_stcore/agent", "closed"),
    ("/_stcore/upload_file/", "upload"),
    ("/_stcore/upload_file", "closed"),
    ("/media/", "data"),
    ("/component/", "data"),
)
LONGEST = 4096


def place(path: str, base: str = "") -> Place:
    """What a request's path asks for.

    Parameters
    ----------
    path : str
        ``scope["path"]``, decoded; never a URL rebuilt from a Host header.
    base : str
        Path under which the app lies, ``""`` or ``"/name"``.

    Returns
    -------
    Place
        ``"page"`` for whatever is not known: pages are shown behind the gate.
        ``"data"`` for whatever Streamlit might answer with patients' data.
    """
    if not _sane(path):
        return "bad"
    inside = _inside(path, base)
    if inside is None:
        return "bad"
    if inside in EXACT:
        return EXACT[inside]
    for prefix, kind in PREFIX:
        if inside.startswith(prefix):
            return kind
    # Streamlit's front end looks for its server below a page's address too: /survival/_stcore/health.
    return "data" if "/_stcore" in inside else "page"


def _sane(path: str) -> bool:
    odd = "//" in path or "\\" in path or any(ord(character) < 32 or ord(character) == 127 for character in path)
    return path.startswith("/") and not odd and not {"..", "."} & set(path.split("/")) and len(path) <= LONGEST


def _inside(path: str, base: str) -> str | None:
    if not base:
        return path
    if path == base:
        return "/"
    return path[len(base) :] if path.startswith(f"{base}/") else None


def return_address(path: str, query: bytes) -> str:
    """Where to go after the gate: the same path and query, as a path of this app."""
    address = quote(path)
    return f"{address}?{query.decode('latin-1')}" if query else address


def safe_return(address: str, base: str = "") -> str:
    """A return address that can only lead to a page of this app; the start page otherwise.

    It comes back from a form, so it may be anything: another host, a scheme,
    ``//host``, ``/\\host``, a line break, or one of the guard's own routes.
    """
    home = f"{base}/"
    if len(address) > LONGEST or not address.startswith("/") or not address.isascii() or not address.isprintable():
        return home
    try:
        parts = urlsplit(address)
    except ValueError:
        return home
    if parts.scheme or parts.netloc or "\\" in address or place(unquote(parts.path), base) != "page":
        return home
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
