"""Names and places of files: what may be opened at all."""

from __future__ import annotations

from pathlib import Path

LONGEST_NAME = 255
"""Bytes in a file's name, as file systems have it."""
_SEARCHED_BY = frozenset("*?[]{}")


def beside(value: str) -> str:
    """A bare file name; nothing that leads out of the cohort's folder or could stand for several files."""
    if value in ("", ".", "..") or "/" in value or "\\" in value or "\0" in value:
        raise ValueError("the name of a file in the cohort's own folder")
    if _SEARCHED_BY & set(value):
        raise ValueError("the name of one file, without any of * ? [ ] { }")
    if not is_text(value) or len(value.encode()) > LONGEST_NAME:
        raise ValueError(f"the name of a file, {LONGEST_NAME} bytes at most")
    return value


def is_text(value: str) -> bool:
    """Whether a text can be written down.

    Half a surrogate pair cannot: JSON may hold one, and so may a file's name
    that is not in UTF-8.
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def leads_out(path: Path) -> bool:
    """Whether a file is a link to somewhere outside its folder."""
    return path.resolve().parent != path.parent.resolve()
