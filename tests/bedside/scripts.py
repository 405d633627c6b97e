"""Scripts as a reader runs them, one after another in one process of their own: importing takes most of their time.

    said = printed(folder / "curves-bedside.py", knows_bedside=True)

The process knows Bedside, or nothing of it; each script has a namespace of its own, and its folder as the working one.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.serving import ROOT

LOOP = r"""
import contextlib, io, json, os, runpy, sys, traceback, warnings
for line in sys.stdin:
    (script, strict), out, error = json.loads(line), io.StringIO(), ""
    os.chdir(os.path.dirname(script))
    try:
        with contextlib.redirect_stdout(out), warnings.catch_warnings():
            warnings.simplefilter("error" if strict else "ignore")
            runpy.run_path(script, run_name="__main__")
    except BaseException:
        error = traceback.format_exc()
    knows = "bedside" in sys.modules
    print(json.dumps({"said": out.getvalue(), "error": error, "knows": knows}), flush=True)
"""


@cache
def _process(knows_bedside: bool) -> subprocess.Popen[str]:
    known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env = known | ({"PYTHONPATH": str(ROOT)} if knows_bedside else {})
    # Not from the folder of the tests, where Bedside could be found without being asked for.
    found = subprocess.Popen(
        [sys.executable, "-P", "-c", LOOP], env=env, cwd="/", text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    atexit.register(found.kill)
    return found


def printed(script: Path, *, knows_bedside: bool, strict: bool = True) -> str:
    """What a script prints; it must not fail, and one that is to do without Bedside must not have imported it.

    With `strict`, it must not warn either.
    """
    process = _process(knows_bedside)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps([str(script.resolve()), strict]) + "\n")
    process.stdin.flush()
    told = json.loads(process.stdout.readline())
    assert told["error"] == "", told["error"]
    assert knows_bedside or not told["knows"]
    return told["said"]
