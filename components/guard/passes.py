"""The pass: a signed cookie that says this reader accepted this text."""

from __future__ import annotations

import base64
import hmac
import secrets
import time

from components.guard import words

COOKIE = "bedside_pass"
DAYS = 180
CLOCK_SECONDS = 60


def issue(key: bytes, *, now: float | None = None) -> str:
    """A new pass for the present text, as the value of a cookie."""
    moment = int(time.time() if now is None else now)
    body = f"{words.VERSION}.{moment}.{secrets.token_urlsafe(9)}"
    return f"{body}.{_sign(key, body)}"


def valid(key: bytes, value: object, *, now: float | None = None) -> bool:
    """Whether a cookie's value is a pass that we issued, for the present text, within 180 days."""
    if not isinstance(value, str) or not value.isascii():
        return False
    body, _, signature = value.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _sign(key, body).encode()):
        return False
    version, moment, _ = body.split(".")
    age = (time.time() if now is None else now) - int(moment)
    return version == words.VERSION and -CLOCK_SECONDS <= age <= DAYS * 86400


def _sign(key: bytes, body: str) -> str:
    digest = hmac.digest(key, body.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
