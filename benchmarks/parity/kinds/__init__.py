"""What can be computed for a block of references: each kind by its name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

Adapter = Callable[..., object]
_KINDS: dict[str, Adapter] = {}


def kind(name: str) -> Callable[[Adapter], Adapter]:
    """Register a function ``(table, block) -> nested dict`` under the name that blocks use in ``compute``."""

    def put(adapter: Adapter) -> Adapter:
        if name in _KINDS:
            raise ValueError(f"two kinds are called {name}")
        _KINDS[name] = adapter
        return adapter

    return put


def kinds() -> dict[str, Adapter]:
    """All kinds, every module of this folder read."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return dict(_KINDS)


def documentation() -> list[str]:
    """What each module of this folder says of its kinds and their options."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    return [str(module.__doc__).strip() for module in modules]


def option(block: dict[str, Any], name: str, default: object = None) -> Any:
    """An option of a block, or what holds without it."""
    value = block.get(name)
    return default if value is None else value
