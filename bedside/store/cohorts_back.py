"""A cohort that was taken along, kept again: its versions, attached tables, saved items and models."""

from __future__ import annotations

import base64
import binascii
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bedside.cohort.derived import from_body
from bedside.errors import Fixable
from bedside.intake.brought_back import ABOUT, ATTACHED, KEPT, MODELS, SAVED, VERSION, saved_in, told_in
from bedside.intake.visits_table import VisitsFile, about_visits
from bedside.intake.wide_table import open_wide
from bedside.store import attached
from bedside.store.cohorts_folder import GONE, cohorts_folder, locked, making, sync, unwritable
from bedside.store.cohorts_kept import KEY, Kept, keep, list_kept
from bedside.store.saved import Saved
from bedside.store.views import PAGE


def keep_back(
    made: Path, *, reader: str, title: str = "", replaces: str = "", name: str = "", folder: Path | None = None
) -> Kept:
    """Keep a cohort that was brought back, under the key that it had if that is free here.

    Parameters
    ----------
    made : Path
        From `bedside.intake.brought_back.read_back`; it stays.
    reader : str
    title : str
        Where the reader calls it otherwise.
    replaces : str
        Key of the cohort that its newest version becomes the next version of.
    name : str
        What it was made of, where it does not say so itself.
    folder : Path, optional
        By default the data folder.

    Returns
    -------
    Kept
        The newest version. Its versions are there all at once, or none of them; what was saved of it comes after.

    Raises
    ------
    Fixable
        If a version does not open, or the disk refuses.
    """
    versions = sorted((int(VERSION.fullmatch(p.name)[1]), p) for p in made.glob("v*"))  # type: ignore[index]
    if replaces:
        kept = _version(versions[-1][1], reader, title, name, replaces, folder)
    else:
        kept = _all(made, versions, reader, title, name, folder)
    _tables(made / ATTACHED, kept.key, reader, folder)
    numbers = {old: new for new, (old, _) in enumerate(versions, start=1)} if not replaces else {}
    _items(saved_in(made / SAVED), kept, reader, numbers, folder)
    _models(made / MODELS, folder)
    return kept


def _all(made: Path, versions: list[tuple[int, Path]], reader: str, title: str, name: str, folder: Path | None) -> Kept:
    """All versions aside, then in place at once."""
    root = cohorts_folder(folder)
    old = str(told_in(made / ABOUT).get("key") or "")
    free = KEY.fullmatch(old) is not None and not (root / old).exists() and not (root / f"{GONE}{old}").exists()
    with locked(root) as aside:
        key = ""
        for i, (_, place) in enumerate(versions):
            last = i == len(versions) - 1
            kept = _version(place, reader, title if last else "", name, key, aside, old if free and not key else "")
            key = kept.key
        try:
            (aside / "cohorts" / key).rename(root / key)
            sync(root)
        except OSError as fault:
            raise unwritable(fault) from fault
    return next(each for each in list_kept(reader=reader, folder=folder) if each.key == key)


def _version(place: Path, reader: str, title: str, name: str, key: str, folder: Path | None, anew: str = "") -> Kept:
    told = told_in(place / KEPT)
    words = {each: str(told.get(each) or "") for each in ("title", "note", "source_name", "sha256", "made")}
    try:
        when = datetime.fromisoformat(words["made"])
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
    except ValueError:
        when = None
    with making(folder) as copy:
        shutil.copytree(place, copy, dirs_exist_ok=True, copy_function=shutil.copyfile)
        (copy / KEPT).unlink(missing_ok=True)
        return keep(
            copy, reader=reader, title=title or words["title"], key=key or None, note=words["note"], anew=anew,
            source_name=words["source_name"] or name, sha256=words["sha256"], now=when, folder=folder,
        )  # fmt: skip


def _tables(places: Path, key: str, reader: str, folder: Path | None) -> None:
    """Attach its tables again, each checked as far as it can be."""
    for place in sorted(places.iterdir() if places.is_dir() else ()):
        try:
            told = attached._Told.model_validate_json((place / attached.TOLD).read_bytes())
            with making(folder) as copy:
                shutil.copytree(place, copy, dirs_exist_ok=True, copy_function=shutil.copyfile)
                (copy / attached.TOLD).unlink()
                if told.kind == "wide":
                    open_wide(copy)
                else:
                    VisitsFile(copy, about_visits(copy)).read()
                attached.keep(
                    copy, cohort=key, reader=reader, kind=told.kind, what=place.name.partition("-")[0],
                    title=told.title, sealed=told.seal, unit=told.unit, source_name=told.source_name,
                    sha256=told.sha256, folder=folder,
                )  # fmt: skip
        except (Fixable, ValidationError, ValueError, OSError):
            continue  # the cohort is whole without it, and its file can be attached again


# ------------------------------------------------------------------ what was saved


def _items(
    items: list[dict[str, Any]], kept: Kept, reader: str, numbers: Mapping[int, int], folder: Path | None
) -> None:
    """Save filters, groups and views again, groups first: the others name them."""
    mine, ids = Saved(reader, folder), {}
    for told in sorted(items, key=lambda each: ("group", "filter", "view").index(each["kind"])):
        version = told.get("version")
        try:
            item = mine.keep(
                told["kind"], cohort=kept.key, name=str(told.get("name") or ""), note=str(told.get("note") or ""),
                body=_renamed(_sound(told["kind"], told["body"]), ids), fingerprint=str(told.get("fingerprint") or ""),
                version=numbers.get(version, kept.version) if isinstance(version, int) and version else 0,
            )  # fmt: skip
        except Fixable:
            continue  # a name that is taken, or a form that this release does not know
        if isinstance(told.get("id"), str) and told["id"]:
            ids[told["id"]] = item.id


def _sound(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What is saved of an item, each part of the form that it has to have."""
    texts = {name: body[name] for name in ("filter", "page") if isinstance(body.get(name), str)}
    found: dict[str, Any] = {
        **texts, "columns": _rows(body.get("columns"), 2), "models": _rows(body.get("models"), 2),
        "said": [each for each in body.get("said") or () if isinstance(each, str)],
        "patients": body.get("patients") if isinstance(body.get("patients"), int) else None,
    }  # fmt: skip
    outcome = body.get("outcome")
    found["outcome"] = outcome if isinstance(outcome, list) and list(map(type, outcome)) == [str, str] else None
    if kind == "group":
        from_body(body.get("definition"))
        found["definition"] = body["definition"]
    if kind == "view":
        query, choices = body.get("query"), body.get("choices")
        if not isinstance(query, dict) or PAGE.fullmatch(str(body.get("page"))) is None:
            raise Fixable("This view can't be kept.", "It is not of the form that this release knows.", "Make it anew.")
        found["query"] = {str(each): text for each, text in query.items() if isinstance(text, str)}
        found["choices"] = choices if isinstance(choices, dict) else {}
    if kind == "filter" and "filter" not in texts:
        raise Fixable("This filter can't be kept.", "It is not of the form that this release knows.", "Make it anew.")
    return found


def _rows(told: object, least: int) -> dict[str, list[Any]]:
    """Lists of texts by name, with a mapping of texts at the end of some."""
    return {
        name: each
        for name, each in (told.items() if isinstance(told, dict) else ())
        if isinstance(each, list) and len(each) >= least and all(isinstance(text, str) for text in each[:least])
    }


def _renamed(body: Any, ids: Mapping[str, str]) -> Any:
    """The same with the groups that it names under the names that they have here."""
    if isinstance(body, dict):
        return {_text(name, ids): _renamed(each, ids) for name, each in body.items()}
    if isinstance(body, list):
        return [_renamed(each, ids) for each in body]
    return _text(body, ids) if isinstance(body, str) else body


def _text(text: str, ids: Mapping[str, str]) -> str:
    try:
        inner = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
        json.loads(inner)
    except (ValueError, binascii.Error, RecursionError):
        inner = ""
    said = inner or text
    for old, new in ids.items():
        said = said.replace(old, new)
    if not inner:
        return said
    return text if said == inner else base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _models(place: Path, folder: Path | None) -> None:
    """Keep models that are not here yet; each is checked as one that is brought by itself."""
    files = sorted(place.glob("*.model")) if place.is_dir() else []
    if not files:
        return
    from bedside.store.cohorts_whole import _models as models_folder
    from bedside.store.models import keep_file, list_models  # takes a second to import

    root = models_folder(folder)
    here = {each.about.model_fingerprint for each in list_models(folder=root) if each.about is not None}
    for file in files:
        try:
            entry_data = file.read_bytes()
            _keep_model(entry_data, here, root, keep_file)
        except (Fixable, OSError):
            continue  # a model of a form that this release does not know


def _keep_model(data: bytes, here: set[str], root: Path | None, keep_file: Any) -> None:
    from bedside.risk.save import unpack

    if unpack(data).about.model_fingerprint not in here:
        keep_file(data, folder=root)
