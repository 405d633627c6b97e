"""Security headers, on every answer."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import streamlit

RawHeaders = list[tuple[bytes, bytes]]
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
HSTS = (b"strict-transport-security", b"max-age=31536000")
# Chosen by the guard; whatever Streamlit says on these is dropped.
OURS = frozenset(
    {
        b"content-security-policy",
        b"x-content-type-options",
        b"referrer-policy",
        b"cross-origin-opener-policy",
        b"cross-origin-resource-policy",
        b"permissions-policy",
        b"x-frame-options",
        b"strict-transport-security",
        b"access-control-allow-origin",
    }
)
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "microphone", "geolocation", "payment", "usb", "serial", "hid", "midi", "display-capture")
)


def source_hash(text: str) -> str:
    """A CSP source that allows exactly this inline text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def app_policy() -> str:
    """The policy under which Streamlit's page runs: no inline script but its own, nothing from elsewhere."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = " ".join(source_hash(text) for text in INLINE_SCRIPT.findall(page))
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'wasm-unsafe-eval' {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "media-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def page_policy(style: str) -> str:
    """The policy of a page of our own: one style sheet, the font, one form, no script at all."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {source_hash(style)}",
            "font-src 'self'",
            "img-src 'self' data:",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def secured(headers: Iterable[tuple[bytes, bytes]], *, cache: str | None, tls: bool) -> RawHeaders:
    """An answer's headers with ours put in the place of whatever it said.

    Parameters
    ----------
    headers : iterable of (name, value)
        As ASGI has them. A Content-Security-Policy that is there already is
        kept: our own pages bring a stricter one.
    cache : str or None
        Cache-Control to set; None keeps what the answer says.
    tls : bool
        Whether the reader came through TLS: cookies then become Secure.
    """
    given = [(name.lower(), value) for name, value in headers]
    policy = next((value for name, value in given if name == b"content-security-policy"), app_policy().encode())
    kept = [(name, _secure(name, value, tls=tls)) for name, value in given if name not in OURS]
    if cache is not None:
        kept = [(name, value) for name, value in kept if name != b"cache-control"]
        kept.append((b"cache-control", cache.encode()))
    kept += [
        (b"content-security-policy", policy),
        (b"x-content-type-options", b"nosniff"),
        # Not no-referrer: browsers would then send "Origin: null" with the gate's own form.
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", PERMISSIONS.encode()),
        (b"x-frame-options", b"DENY"),
    ]
    return [*kept, HSTS] if tls else kept


def _secure(name: bytes, value: bytes, *, tls: bool) -> bytes:
    if tls and name == b"set-cookie" and b"; secure" not in value.lower():
        return value + b"; Secure"
    return value
