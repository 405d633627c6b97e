"""Databases and folders that an administrator names, so that cohorts can be counted where their rows are.

    sources = configured(secrets, os.environ)
    with sources.engine("clinic", "public", "patients") as engine: ...

In ``.streamlit/secrets.toml`` (which this room does not read: whoever does passes it in)::

    [sources.clinic]
    kind = "postgresql"
    address = "host=db.example dbname=registry user=bedside_reader"

or in the environment ``BEDSIDE_SOURCE_CLINIC``, as an address (``postgresql://…``, ``duckdb:/path/file.duckdb``,
``parquet:/path/folder``, ``spark:local[2]``) or as JSON with the same keys. No message holds an address.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from bedside.engine.sql import SqlEngine
from bedside.errors import Fixable
from bedside.store.sources_open import may_write, open_table, tables_of
from bedside.store.sources_tables import Table

Kind = Literal["postgresql", "duckdb", "parquet", "spark"]
SETTING = "BEDSIDE_SOURCE_"
LONGEST = 100
_PREFIXES: dict[str, Kind] = {
    "postgresql://": "postgresql", "postgres://": "postgresql", "duckdb:": "duckdb", "parquet:": "parquet",
    "spark:": "spark",
}  # fmt: skip
_WHAT = "This source can't be used."


@dataclass(frozen=True)
class Source:
    """A configured source.

    Attributes
    ----------
    name : str
        In lower case; what ``live.json`` names.
    kind : str
        Empty if it is not configured as it should be.
    title : str
        What it is called on pages; the name if nothing else is said.
    address : str
        Never shown, never logged.
    trouble : Fixable or None
        Why it can't be used.
    """

    name: str
    kind: Kind | Literal[""]
    title: str
    address: str = field(default="", repr=False)
    trouble: Fixable | None = field(default=None, repr=False, compare=False)

    def tables(self) -> tuple[Table, ...]:
        """What can be read in it: names, columns and about how many rows.

        Raises
        ------
        Fixable
            If it can't be reached, or is not configured as it should be.
        """
        return tables_of(self.checked())

    @contextmanager
    def engine(self, schema: str, table: str) -> Iterator[SqlEngine]:
        """One of its tables, usable until the block ends.

        Raises
        ------
        Fixable
            If it can't be reached, or has no such table for this account.
        """
        with open_table(self.checked(), schema, table) as engine:
            yield engine

    def may_write(self, schema: str, table: str) -> bool:
        """True if the account could change the table: a role that only reads is advised.

        Raises
        ------
        Fixable
            If the source can't be reached.
        """
        return may_write(self.checked(), schema, table)

    def checked(self) -> Source:
        """The source itself, or why it can't be used."""
        if self.trouble is not None:
            raise self.trouble
        return self


@dataclass(frozen=True)
class Sources:
    """Every configured source, by name."""

    all: tuple[Source, ...] = ()

    def named(self, name: str) -> Source:
        """The source of a name, in either case.

        Raises
        ------
        Fixable
            If none is configured under it.
        """
        found = next((source for source in self.all if source.name == name.strip().casefold()), None)
        if found is None:
            raise Fixable(
                "The source of this cohort is not configured.",
                f"No source is named “{name[:LONGEST]}” on this server.",
                "Ask the administrator to name it, as docs/live.md says.",
            )
        return found

    @contextmanager
    def engine(self, name: str, schema: str, table: str) -> Iterator[SqlEngine]:
        """A table of a source: what `bedside.intake.from_source.open_live` asks for."""
        with self.named(name).engine(schema, table) as engine:
            yield engine


def configured(secrets: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None) -> Sources:
    """The sources that an administrator has named.

    Parameters
    ----------
    secrets : mapping, optional
        The table ``sources`` of ``secrets.toml``: of each name a mapping, or an address.
    environment : mapping, optional
        By default that of this process. A name in both is that of the environment.

    Returns
    -------
    Sources
        By name; one that is not configured as it should be says so when it is used.
    """
    told: dict[str, Any] = {}
    for name, entry in (secrets or {}).items():
        told[str(name).strip().casefold()] = entry
    for variable, entry in (os.environ if environment is None else environment).items():
        name = variable.removeprefix(SETTING).casefold()
        if variable.startswith(SETTING) and name and entry.strip():
            told[name] = _of_text(entry.strip())
    return Sources(tuple(_source(name, told[name]) for name in sorted(told)))


def _of_text(entry: str) -> Any:
    """An address as it is, or JSON."""
    if not entry.startswith("{"):
        return entry
    try:
        return json.loads(entry)
    except (ValueError, RecursionError):
        return None


def _source(name: str, entry: Any) -> Source:
    if isinstance(entry, str):
        prefix = next((each for each in _PREFIXES if entry.startswith(each)), None)
        kind = _PREFIXES.get(prefix or "")
        entry = {"kind": kind, "address": entry if kind == "postgresql" else entry.removeprefix(prefix or "")}
    if not isinstance(entry, Mapping):
        return _wrong(name, name, "What is written for it is neither an address nor a table of keys.")
    title = entry.get("title")
    title = title.strip()[:LONGEST] if isinstance(title, str) and title.strip() else name
    kind, address = entry.get("kind"), entry.get("address", "")
    if kind not in get_args(Kind):
        return _wrong(name, title, f"Its kind is none of {', '.join(get_args(Kind))}.")
    if not isinstance(address, str) or not (address.strip() or kind == "spark"):
        return _wrong(name, title, "It has no address.")
    if kind in ("duckdb", "parquet") and not Path(address).is_absolute():
        return _wrong(name, title, "Its address is not the whole path of a file or folder.")
    return Source(name, kind, title, address.strip())


def _wrong(name: str, title: str, why: str) -> Source:
    stop = Fixable(_WHAT, f"“{title}”: {why}", "The administrator can correct it as docs/live.md says.")
    return Source(name, "", title, trouble=stop)
