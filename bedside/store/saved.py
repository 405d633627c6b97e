"""What a reader saved of a cohort under a name: filters, groups, views, and how a file was read the last time.

    mine = Saved(reader)
    kept = mine.keep("filter", cohort=cohort.key, name="Young, node-positive", body=filter_body(chosen, cohort))
    chosen = Selection.from_text(kept.body["filter"], cohort)

Every question is asked for one reader. Others see an item only once its owner shares it, and only with a cohort that
they may open. Nothing here holds a patient's value: filters hold bounds and levels that the reader chose, drawn groups
hold tokens of this server.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from bedside.errors import Fixable
from bedside.store.cohorts_kept import clean
from bedside.store.estimates import READER
from bedside.store.tables import reading, writing

What = Literal["filter", "group", "view", "recipe"]
KINDS: tuple[What, ...] = ("filter", "group", "view", "recipe")
LONGEST_NAME, LONGEST_NOTE = 120, 4000
MOST_BODY = 16 * 2**20
"""Bytes of what is saved in one item."""
MOST_ITEMS = 5000
"""Items of one reader."""


@dataclass(frozen=True)
class Item:
    """One thing that was saved.

    Attributes
    ----------
    id : str
        Opaque, for links.
    kind : {"filter", "group", "view", "recipe"}
    cohort : str
        Key of the cohort that it is of.
    name, note : str
        The reader's words.
    body : mapping
        What JSON can hold; see `bedside.store.views` and `bedside.store.derived`.
    fingerprint : str
        Of the cohort as it was open then, without filter.
    version : int
        Of the cohort then; 0 where it has none.
    made : str
        When, UTC, ISO 8601.
    mine, shared : bool
        Whether it is the reader's own, and whether others see it.
    """

    id: str
    kind: What
    cohort: str
    name: str
    note: str
    body: Mapping[str, Any] = field(repr=False)
    fingerprint: str
    version: int
    made: str
    mine: bool
    shared: bool


@dataclass(frozen=True)
class Saved:
    """What one reader saved.

    Parameters
    ----------
    reader : str
        ``"local"``, or from `bedside.store.estimates.reader_key`.
    folder : Path, optional
        By default the data folder.

    Notes
    -----
    Every method raises `Fixable` where the store can't be used. What a method returned from is kept.
    """

    reader: str
    folder: Path | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not READER.fullmatch(self.reader):
            raise ValueError("a reader is local or a key of this server")

    def keep(
        self, kind: What, *, cohort: str, name: str, body: Mapping[str, Any], note: str = "", fingerprint: str = "",
        version: int = 0, replace: bool = False, now: datetime | None = None,
    ) -> Item:  # fmt: skip
        """Save something under a name.

        Parameters
        ----------
        kind, cohort, name, body, note, fingerprint, version
            As in `Item`.
        replace : bool
            Take the place of what has that name; otherwise a name that is taken is refused.
        now : datetime, optional
            With a zone.

        Raises
        ------
        Fixable
            If the name is empty or taken, or there is too much.
        """
        if kind not in KINDS:
            raise ValueError("a filter, a group, a view or a recipe")
        name, told = _name(name), _packed(body)
        made = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="milliseconds")
        row = (self.reader, _key(cohort), kind, name, clean(note, LONGEST_NOTE), made, clean(fingerprint, 200), version)
        with writing(self.folder) as tables:
            (count,) = tables.ask("SELECT count(*) AS n FROM bedside_saved WHERE owner = $1", self.reader)
            if count["n"] >= MOST_ITEMS:
                raise _refused(f"{MOST_ITEMS:,} are saved already.", "Delete what nobody needs.")
            if replace:
                tables.change(
                    "DELETE FROM bedside_saved WHERE owner = $1 AND cohort = $2 AND kind = $3 AND name = $4", *row[:4]
                )
            # Twice at the same moment, or taken already: the name is asked about where it is written.
            found = tables.ask(
                "INSERT INTO bedside_saved (owner, cohort, kind, name, note, made, fingerprint, version, shared, body, "
                "id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10) ON CONFLICT DO NOTHING RETURNING *",
                *row, told, secrets.token_urlsafe(12),
            )  # fmt: skip
            if not found:
                raise _refused("That name is taken.", "Choose another name, or replace what has it.")
            return self._item(found[0])

    def all(self, *, kind: What | None = None, cohorts: Iterable[str] = ()) -> tuple[Item, ...]:
        """What is the reader's own, and what others share of these cohorts; by name.

        Parameters
        ----------
        kind : str, optional
        cohorts : iterable of str
            Keys of the cohorts that the reader may open: nothing that others share of any other is told.
        """
        open_to = {_key(key) for key in cohorts}
        with reading(self.folder) as tables:
            rows = [] if tables is None else tables.ask(
                "SELECT * FROM bedside_saved WHERE (owner = $1 OR shared = 1) AND (kind = $2 OR $2 = '')",
                self.reader, kind or "",
            )  # fmt: skip
            found = [self._item(row) for row in rows if row["owner"] == self.reader or row["cohort"] in open_to]
        return tuple(sorted(found, key=lambda item: (item.name.casefold(), item.made, item.id)))

    def of(self, cohort: str, kind: What) -> tuple[Item, ...]:
        """Own and shared items of one cohort that the reader has open, oldest first."""
        with reading(self.folder) as tables:
            rows = [] if tables is None else tables.ask(
                "SELECT * FROM bedside_saved WHERE cohort = $1 AND kind = $2 AND (owner = $3 OR shared = 1) "
                "ORDER BY made, id", _key(cohort), kind, self.reader,
            )  # fmt: skip
            return tuple(map(self._item, rows))

    def marks(self, cohort: str, kind: What) -> tuple[tuple[str, str, str, bool], ...]:
        """Id, name, note and whose of what `of` gives, without what is saved in them: pages ask in every run."""
        with reading(self.folder) as tables:
            rows = [] if tables is None else tables.ask(
                "SELECT id, name, note, owner FROM bedside_saved WHERE cohort = $1 AND kind = $2 "
                "AND (owner = $3 OR shared = 1) ORDER BY made, id", _key(cohort), kind, self.reader,
            )  # fmt: skip
            return tuple((row["id"], row["name"], row["note"], row["owner"] == self.reader) for row in rows)

    def find(self, item: str, *, cohorts: Iterable[str] = ()) -> Item:
        """One item, own or shared of one of these cohorts.

        Raises
        ------
        Fixable
            If there is none.
        """
        with reading(self.folder) as tables:
            rows = [] if tables is None else tables.ask(
                "SELECT * FROM bedside_saved WHERE id = $1 AND (owner = $2 OR shared = 1)", clean(item, 100),
                self.reader,
            )  # fmt: skip
            if rows and (rows[0]["owner"] == self.reader or rows[0]["cohort"] in {_key(key) for key in cohorts}):
                return self._item(rows[0])
        raise _absent()

    def describe(
        self, item: str, *, name: str | None = None, note: str | None = None, shared: bool | None = None
    ) -> None:
        """Change name or note of one's own, or whether others see it.

        Raises
        ------
        Fixable
            If it is not there, or the name is taken.
        """
        new = None if name is None else _name(name)
        with writing(self.folder) as tables:
            rows = tables.ask("SELECT * FROM bedside_saved WHERE id = $1 AND owner = $2", item, self.reader)
            if not rows:
                raise _absent()
            old = rows[0]
            taken = tables.ask(
                "SELECT id FROM bedside_saved WHERE owner = $1 AND cohort = $2 AND kind = $3 AND name = $4 "
                "AND id <> $5",
                self.reader, old["cohort"], old["kind"], new or old["name"], item,
            )  # fmt: skip
            if taken:
                raise _refused("That name is taken.", "Choose another name.")
            tables.change(
                "UPDATE bedside_saved SET name = $1, note = $2, shared = $3 WHERE id = $4",
                new or old["name"], old["note"] if note is None else clean(note, LONGEST_NOTE),
                old["shared"] if shared is None else int(shared), item,
            )  # fmt: skip

    def delete(self, item: str) -> None:
        """Take one's own away, wholly; what is gone already is no fault."""
        with writing(self.folder, erase=True) as tables:
            tables.change("DELETE FROM bedside_saved WHERE id = $1 AND owner = $2", item, self.reader)

    # ------------------------------------------------------------------ how a file was read

    def remember(self, signature: str, plan: Mapping[str, Any], *, cohort: str = "") -> None:
        """Keep how a layout of columns was read, for the next file of that layout.

        Parameters
        ----------
        signature : str
            From `bedside.intake.plan.header_signature`.
        plan : mapping
            From `bedside.intake.plan.to_json`.
        cohort : str
            Key of the cohort that it made: goes when that is deleted.
        """
        self.keep("recipe", cohort=cohort, name=signature, body={"plan": plan}, replace=True)

    def recall(self, signature: str) -> Mapping[str, Any] | None:
        """The plan that was last remembered for a layout of columns."""
        with reading(self.folder) as tables:
            rows = [] if tables is None else tables.ask(
                "SELECT * FROM bedside_saved WHERE owner = $1 AND kind = 'recipe' AND name = $2 "
                "ORDER BY made DESC, id LIMIT 1", self.reader, clean(signature, LONGEST_NAME),
            )  # fmt: skip
            return self._item(rows[0]).body.get("plan") if rows else None

    def recalled_of(self, signature: str) -> str:
        """Key of the cohort that was last made of a layout of columns; empty if none was."""
        with reading(self.folder) as tables:
            rows = [] if tables is None else tables.ask(
                "SELECT cohort FROM bedside_saved WHERE owner = $1 AND kind = 'recipe' AND name = $2 "
                "ORDER BY made DESC, id LIMIT 1", self.reader, clean(signature, LONGEST_NAME),
            )  # fmt: skip
            return str(rows[0]["cohort"] or "") if rows else ""

    def _item(self, row: Mapping[str, Any]) -> Item:
        body = json.loads(row["body"])
        return Item(
            row["id"], row["kind"], row["cohort"], row["name"], row["note"], body if isinstance(body, dict) else {},
            row["fingerprint"], row["version"], row["made"], row["owner"] == self.reader, bool(row["shared"]),
        )  # fmt: skip


def forget_cohort(cohort: str, *, folder: Path | None = None) -> dict[str, int]:
    """Take away, wholly, what any reader saved of a cohort; how many items of each kind went."""
    with reading(folder) as tables:
        if tables is None:
            return {}
    with writing(folder, erase=True) as tables:
        rows = tables.ask("SELECT kind, count(*) AS n FROM bedside_saved WHERE cohort = $1 GROUP BY kind", cohort)
        tables.change("DELETE FROM bedside_saved WHERE cohort = $1", cohort)
        return {row["kind"]: row["n"] for row in rows}


def _key(cohort: str) -> str:
    """A cohort's key as text: a folder's name may hold bytes that are none."""
    return cohort.replace("\x00", "").encode("utf-8", "backslashreplace").decode()


def _name(name: str) -> str:
    said = " ".join(clean(name, 10**6).split())
    if not 0 < len(said) <= LONGEST_NAME:
        raise _refused(f"A name has 1 to {LONGEST_NAME} letters.", "Choose a shorter one." if said else "Give it one.")
    return said


def _packed(body: Mapping[str, Any]) -> str:
    try:
        told = json.dumps(body, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        raise _refused("It holds what can't be written down, as a number that is none.", "Start it anew.") from None
    if len(told) > MOST_BODY:
        raise _refused(f"It takes more than {MOST_BODY // 2**20} MB.", "Save fewer patients or columns.")
    return told


def _refused(why: str, next_step: str) -> Fixable:
    return Fixable("It was not saved.", why, next_step)


def _absent() -> Fixable:
    return Fixable(
        "That is no longer here.", "It was deleted, or is not yours to open.", "Choose another one from the list."
    )
