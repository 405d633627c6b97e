"""Who signed in, as Streamlit's identity cookie says.

The cookie's names, chunks and signature are Streamlit's own; this is the only
file that knows them, and `requirements.in` keeps Streamlit within one minor version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeTimedSerializer
from streamlit.auth_util import encode_provider_token, get_cookie_with_chunks, get_redirect_uri
from streamlit.auth_util import get_secrets_auth_section as auth_section

COOKIE = "_streamlit_user"
SHARED = ("redirect_uri", "cookie_secret", "expose_tokens", "client_kwargs")
ABSOLUTE_SECONDS = 12 * 3600


@dataclass(frozen=True)
class Configuration:
    """The ``[auth]`` section, as far as the guard needs it."""

    providers: tuple[str, ...]
    cookie_secret: str
    redirect_uri: str


@dataclass(frozen=True)
class Identity:
    """Someone who signed in.

    Parameters
    ----------
    session : str
        Hash of issuer, subject and time of sign-in: the same in every tab,
        another after the next sign-in, and it does not say who it is.
    signed_in_at : float
        Seconds since the epoch.
    """

    session: str
    signed_in_at: float


def configuration() -> Configuration:
    """Read ``[auth]`` from the secrets; without it there are no providers."""
    section = auth_section()
    named = tuple(name for name, value in section.items() if hasattr(value, "items") and name not in SHARED)
    default = ("default",) if "client_id" in section else ()
    return Configuration(
        providers=default + named,
        cookie_secret=str(section.get("cookie_secret", "")),
        redirect_uri=(get_redirect_uri(section) or "") if section else "",
    )


def provider_token(provider: str) -> str:
    """The short-lived token with which Streamlit's sign-in route is asked for a provider."""
    return encode_provider_token(provider)


def read(cookies: Mapping[str, str], *, secret: str, redirect_uri: str) -> Identity | None:
    """The identity in a request's cookies, or None.

    Parameters
    ----------
    cookies : mapping
        All cookies of the request; large identities are spread over several.
    secret : str
        Streamlit's cookie secret.
    redirect_uri : str
        From the configuration; an identity made for another origin is refused.

    Returns
    -------
    Identity or None
        None if any chunk is missing, tampered with, or older than 12 hours.
    """
    stamps: list[float] = []

    def chunk(name: str) -> bytes | None:
        serializer = URLSafeTimedSerializer(secret, salt=name)
        try:
            value, stamp = serializer.loads(cookies.get(name, ""), max_age=ABSOLUTE_SECONDS, return_timestamp=True)
        except BadSignature:
            return None
        stamps.append(stamp.timestamp())
        return value.encode() if isinstance(value, str) else None

    raw = get_cookie_with_chunks(chunk, COOKIE) if secret else None
    claims = _claims(raw)
    wanted = urlsplit(redirect_uri)
    if claims.get("origin") != f"{wanted.scheme}://{wanted.netloc}" or claims.get("is_logged_in") is not True:
        return None
    who = json.dumps([claims.get("iss"), claims.get("sub"), min(stamps)])
    return Identity(session=hashlib.sha256(who.encode()).hexdigest(), signed_in_at=min(stamps))


def _claims(raw: bytes | None) -> dict[str, object]:
    if raw is None:
        return {}
    try:
        claims = json.loads(raw)
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}
