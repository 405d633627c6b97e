"""Say in one sentence if this Python is too old; written so that any Python can read it."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    found = ".".join(map(str, sys.version_info[:2]))
    sys.exit(
        "Bedside needs Python 3.11 or newer; " + sys.executable + " is " + found + ". "
        "Install a newer one, or name it: make run PYTHON=/path/to/python3.11"
    )
