"""Start Bedside: `streamlit run app.py`, or `python app.py`."""

from __future__ import annotations

import gc
import importlib
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from threadpoolctl import threadpool_limits

from components import closing
from components.guard import Guard, failures, refuse_if_exposed
from components.guard.own_page import OwnPage

HERE = Path(__file__).resolve().parent
# What the first page needs and takes long to import.
HEAVY = ("pandas", "pyarrow", "duckdb", "scipy.stats", "plotly.graph_objects")


def warm_up() -> None:
    """Import the heavy libraries before the first reader asks for them, and count them out of garbage collection."""
    for name in HEAVY:
        importlib.import_module(name)
    # One thread of algebra a request, as in background jobs: the same bits on every machine, no waiting for each other.
    threadpool_limits(limits=1)
    gc.collect()
    gc.freeze()


def settle() -> None:
    """What is done once, beside the running server."""
    warm_up()
    importlib.import_module("components.tidy").tidy()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Warm up and tidy up beside the running server, a moment after it is ready to answer; leave no file behind."""
    timer = threading.Timer(0.5, settle)
    timer.daemon = True
    timer.start()
    ended = threading.Event()
    threading.Thread(target=closing.keep_looking, args=(ended,), name="closed-sessions", daemon=True).start()
    yield
    timer.cancel()
    ended.set()
    closing.end()


if __name__ == "__main__":
    from streamlit.web import cli

    sys.argv = ["streamlit", "run", str(Path(__file__).resolve()), *sys.argv[1:]]
    sys.exit(cli.main(prog_name="streamlit"))

refuse_if_exposed()
failures.quiet_streamlit()
# A folder `pages/` beside the script that Streamlit runs would put its pages in reach without the
# router; the script is therefore components/router.py, and this file only starts it.
app = st.App(
    HERE / "components" / "router.py",
    lifespan=lifespan,
    middleware=[Middleware(Guard), Middleware(OwnPage)],
    # Served here and not by Streamlit, which would look beside the router and send them to any origin.
    routes=[Mount("/app/static", StaticFiles(directory=HERE / "static"))],
    on_script_error=failures.on_script_error,
    exception_handlers={Exception: failures.on_server_error},
)
