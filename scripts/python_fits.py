"""Say in one sentence if this Python is too old; written so that any Python can read it."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "Bedside needs Python 3.11 or newer; %s is %d.%d. "
        "Install a newer one, or name it: make run PYTHON=/path/to/python3.11"
        % (sys.executable, sys.version_info[0], sys.version_info[1])  # noqa: UP031
    )
