"""What is said and what is logged when something goes wrong: never a patient's value."""

from __future__ import annotations

import logging
import secrets
import traceback
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from bedside.errors import Fixable
from components.guard.headers import secured
from components.text import md

ROOT = Path(__file__).resolve().parents[2]
LOG = logging.getLogger("bedside")


def quiet_streamlit() -> None:
    """Keep Streamlit from writing tracebacks of our scripts to the log.

    A traceback ends with the exception's message, and that may quote a
    patient; `on_script_error` logs what is needed instead.
    """
    logging.getLogger("streamlit.error_util").addFilter(lambda record: record.exc_info is None)


def place_of(error: BaseException) -> str:
    """The last line of our own code that an error passed through, as ``file:line``."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_ours(frame.filename)]
    return f"{Path(ours[-1].filename).relative_to(ROOT)}:{ours[-1].lineno}" if ours else "outside Bedside"


def _is_ours(filename: str) -> bool:
    path = Path(filename)
    return path.is_relative_to(ROOT) and ".venv" not in path.parts


def log_error(error: BaseException) -> str:
    """Log an error by its type and place only; return the number that names it."""
    number = secrets.token_hex(4)
    LOG.error("error %s: %s at %s", number, type(error).__name__, place_of(error))
    return number


def on_script_error(error: Exception) -> bool:
    """Show a calm message in place of an error in a page or callback."""
    if isinstance(error, Fixable):
        st.error(f"**{md(error.what)}** {md(error.why)} {md(error.next_step)}", icon=":material/error:")
        return True
    number = log_error(error)
    st.error(
        "**Something went wrong here.** The rest of Bedside still works. "
        "Go back, or choose another page or cohort. If it happens again, report it with the number "
        f"`{number}`: the log names the place under it, and no patient.",
        icon=":material/error:",
    )
    return True


async def on_server_error(_request: Request, error: Exception) -> PlainTextResponse:
    """Answer a request that failed before or outside a script."""
    response = PlainTextResponse(f"Something went wrong. Error {log_error(error)}.", 500)
    response.raw_headers = secured(response.raw_headers, cache="no-store", tls=False)
    return response
