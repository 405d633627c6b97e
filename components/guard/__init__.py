"""The gate in front of everything: no data, page or socket without a pass.

`Guard` is ASGI middleware, so it decides before Streamlit sees a request.
`components.guard.gate` is the same decision once more inside the script.
"""

from __future__ import annotations

from components.guard.exposure import refuse_if_exposed
from components.guard.middleware import Guard
from components.guard.settings import Settings

__all__ = ["Guard", "Settings", "refuse_if_exposed"]
