"""A page with a job on it, for its tests."""

from __future__ import annotations

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from components import jobs
from tests.house import job_work

# AppTest gives every page the same session: here each has its own.
get_script_run_ctx().session_id = st.session_state["session"]
which = st.session_state.get("which", "double")
if which == "forever":
    found = jobs.wanted(("forever",), "Growing the forest", job_work.forever, st.session_state["pid_file"])
elif which == "refused":
    found = jobs.wanted(("refused",), "Growing the forest", job_work.refused)
else:
    found = jobs.wanted(("double",), "Growing the forest", job_work.double, np.arange(3.0))
st.text("the rest of the page")
if found is not None:
    st.text(f"found {found[0].tolist()} {found[1]}")
