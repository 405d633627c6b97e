"""Which hosts and origins may speak to us."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

PASSED_ON = frozenset({"forwarded", "via", "x-real-ip"})


def host_allowed(host: str | None, hosts: Sequence[str]) -> bool:
    """Whether a Host header names this app; anything odd is refused.

    Stops DNS rebinding, where a foreign name is made to point at 127.0.0.1.
    """
    name = _name(host)
    return name is not None and name in hosts


def same_origin(origin: str | None, host: str | None) -> bool:
    """Whether an Origin header is the origin that was asked, port included.

    A missing Origin and ``null`` are refused: browsers send the right one
    with every socket and every form, so its absence means another client.
    """
    if not origin or not host:
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return origin == f"{parts.scheme}://{host}" and parts.scheme in ("http", "https") and parts.netloc == host


def came_through_a_proxy(names: Iterable[str]) -> bool:
    """Whether a request's headers, by their lower-case names, say that somebody passed it on."""
    return any(name in PASSED_ON or name.startswith("x-forwarded") for name in names)


def _name(host: str | None) -> str | None:
    """The name in a Host header, lower case and without port, or None."""
    if not host:
        return None
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises if it is not a number in range
    except ValueError:
        return None
    if parts.netloc != host or "@" in host or parts.hostname is None:
        return None
    return parts.hostname.rstrip(".")
