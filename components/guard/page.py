"""The gate page and the plain answers, in our own HTML: no script, one style sheet, the local font."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from pathlib import Path

from starlette.responses import HTMLResponse

from components.guard import words
from components.guard.headers import page_policy

FONT = "/app/static/fonts/InterVariable-4.1-tabular.woff2"
CURVES = (
    '<svg viewBox="0 0 640 120" aria-hidden="true">'
    '<path class="axis" d="M0 119.5H640"/>'
    '<path class="other" d="M0 14H40V26H84V37H120V48H176V58H220V68H300V79H352V88H420V95H500V102H640"/>'
    '<path class="curve" d="M0 14H72V19H130V26H188V34H262V42H330V50H404V58H470V66H548V73H640"/>'
    "</svg>"
)


@lru_cache(maxsize=4)
def _style(base: str) -> str:
    return (Path(__file__).parent / "gate.css").read_text(encoding="utf-8").replace("FONT", base + FONT)


def document(body: str, *, base: str, title: str, status: int = 200, head: str = "") -> HTMLResponse:
    """A page of our own around `body`, with the policy that fits it."""
    style = _style(base)
    return HTMLResponse(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>{head}"
        f'<link rel="icon" href="{base}/app/static/icon.svg" type="image/svg+xml">'
        f"<style>{style}</style></head><body><main>{body}</main></body></html>",
        status_code=status,
        headers={"content-security-policy": page_policy(style)},
    )


def gate(address: str, *, base: str, providers: tuple[str, ...] = ()) -> HTMLResponse:
    """What Bedside is and is not, and the button that opens it.

    Parameters
    ----------
    address : str
        Where the reader wanted to go; a path of this app.
    base : str
        Path under which the app lies.
    providers : tuple of str
        Identity providers to choose from; empty asks for the acknowledgement alone.
    """
    points = "".join(f"<li><strong>{escape(a)}</strong> <span>{escape(b)}</span></li>" for a, b in words.INTENDED_USE)
    forms = "".join(_form(address, base=base, provider=name) for name in providers or (None,))
    kept = "Your answer is kept in a cookie on this browser for 180 days and asked again when the text changes."
    return document(
        f"{CURVES}<h1>Bedside</h1><p class='lead'>{escape(words.SUMMARY)}</p>"
        f"<section aria-labelledby='use'><h2 id='use'>Intended use</h2><ul>{points}</ul></section>"
        f"<div class='choices'>{forms}</div><p class='small'>{kept}</p>",
        base=base,
        title="Bedside: intended use",
    )


def _form(address: str, *, base: str, provider: str | None) -> str:
    action, label = ("/gate/accept", "open Bedside") if provider is None else ("/gate/sign-in", "sign in")
    if provider not in (None, "default"):
        label = f"sign in with {provider.capitalize()}"
    hidden = f"<input type='hidden' name='next' value='{escape(address, quote=True)}'>"
    if provider is not None:
        hidden += f"<input type='hidden' name='provider' value='{escape(provider, quote=True)}'>"
    return (
        f"<form method='post' action='{base}{action}'>{hidden}"
        f"<button type='submit'>I understand: {escape(label)}</button></form>"
    )


def passing(address: str, *, base: str) -> HTMLResponse:
    """A page that goes on at once.

    Browsers apply a form's `form-action` to redirects too, and the identity
    provider is another origin; a page that moves on by itself is no form.
    """
    target = escape(address, quote=True)
    return document(
        f"<h1>Bedside</h1><p class='lead'>Taking you to sign in.</p><a class='button' href='{target}'>Continue</a>",
        base=base,
        title="Bedside: sign in",
        head=f'<meta http-equiv="refresh" content="0;url={target}">',
    )


def refusal(status: int, sentence: str, *, base: str) -> HTMLResponse:
    """A short answer to a request that is not served."""
    return document(
        f"<h1>Bedside</h1><p class='lead notice'>{escape(sentence)}</p>"
        f"<a class='button' href='{base}/'>Go to the start page</a>",
        base=base,
        title="Bedside",
        status=status,
    )
