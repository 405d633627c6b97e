"""Files of a standard as a wizard brings them: what they are, and the cohorts that they make."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bedside.errors import Fixable
from bedside.intake.brought_back import KIND, read_back, whole
from bedside.intake.opening import Opened, open_file
from bedside.intake.plan import header_signature
from bedside.intake.staging import Progress, Reading
from bedside.intake.standards.describe import short
from bedside.intake.standards.folder import DICTIONARY, ImportReport, Offer, unnamed, write_made
from bedside.intake.standards.recognise import SAID, Found, recognise
from bedside.intake.standards.unpacked import opened_up
from bedside.store.cohorts_folder import making
from bedside.store.cohorts_kept import Kept, keep

READ = ("cohort", "fhir", "adam", "cbioportal", "meds", "omop")
TABLE = "table"
UNPACKED, SIGNED = "unpacked", "source of a standard"
"""Beside the files that were brought: what stood in the archives among them."""


@dataclass(frozen=True)
class Source:
    """Files that belong together.

    Attributes
    ----------
    kind : str
        As `recognise` names it; ``"table"`` for a file that the steps of a table are for.
    said : str
    names : tuple of str
        Of the files as they lie in the folder.
    """

    kind: str
    said: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class SourceRead:
    """What a source was read as.

    Attributes
    ----------
    report : ImportReport
    folders : tuple of Path
        A folder for each cohort.
    titles, names : tuple of str
        What each is called, and its name among the cohorts of its source, which is the same next month.
    told : bytes
        The report as JSON, to be kept and taken along: it names no file.
    recipe : dict
        Kind and options, with everything that was decided.
    offers : tuple of Offer
        What may be chosen otherwise.
    signature : str
        Tells this kind of source from others: the same next month.
    """

    report: ImportReport
    folders: tuple[Path, ...]
    titles: tuple[str, ...]
    told: bytes
    names: tuple[str, ...] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)
    offers: tuple[Offer, ...] = ()
    signature: str = ""


def look_at(folder: Path) -> tuple[Source, ...]:
    """What the files of a folder are, every one of them in one source."""
    return tuple(
        Source(each.kind, SAID[each.kind], tuple(str(path.relative_to(folder)) for path in each.files))
        for each in whole(recognise(folder))
    )


def bring(
    files: Path, source: Path, name: str, folder: Path, reading: Reading | None, plain: bool, *,
    progress: Progress | None = None,
) -> Opened | tuple[Source, ...]:  # fmt: skip
    """What was brought: sources of a standard if there is any among the files, otherwise one of them as a table.

    Parameters
    ----------
    files : Path
        The folder that holds all that was brought. Archives are unpacked beside it.
    source, name, folder, reading
        As in `open_file`.
    plain : bool
        Read the file as a table whatever it is.
    """
    if not plain:
        place = opened_up(files, _beside(files))
        found = look_at(place)
        if any(each.kind in READ for each in found):
            return found
        if place != files:
            shutil.rmtree(place)
    return open_file(source, name, folder, reading, progress=progress)


def _beside(files: Path) -> Path:
    return files.with_name(UNPACKED)


def read_source(
    folder: Path, number: int, into: Path, recipe: Mapping[str, Any] | None = None, *, progress: Progress | None = None
) -> SourceRead:
    """Read one source of a folder into a folder for each of its cohorts.

    Parameters
    ----------
    folder : Path
    number : int
        Which of `look_at`.
    into : Path
        Made anew.
    recipe : mapping, optional
        As ``SourceRead.recipe``, with answers changed by `answer` or from last month; guessed if it is not given.
    progress : callable, optional

    Raises
    ------
    Fixable
        If the files can't be read, what the recipe asks for is not in them, or it is of another kind.
    """
    # Each standard has much of its own, which a page that imports nothing need not load.
    from bedside.intake.standards.any_source import OPTIONS
    from bedside.intake.standards.any_source import read_source as read
    from bedside.intake.standards.offers import from_recipe

    place = _beside(folder) if _beside(folder).is_dir() else folder
    found = whole(recognise(place))[number]
    if found.kind == KIND:
        return _back(found, into)
    kind, options = from_recipe(recipe, OPTIONS) if recipe is not None else (found.kind, None)
    if kind != found.kind:
        raise Fixable("The recipe can't be followed.", f"It is not of {SAID[found.kind]}.", "Choose anew.")
    imported = read(found, options, progress=progress)
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(mode=0o700)
    folders = []
    for i, made in enumerate(imported.cohorts):
        folders.append(into / f"cohort_{i}")
        write_made(imported, made, folders[-1])
    titles = tuple(str(made.dictionary.get("title", made.name)) for made in imported.cohorts)
    told = json.dumps(asdict(unnamed(imported.report)), ensure_ascii=False, indent=1).encode()
    return SourceRead(
        imported.report, tuple(folders), titles, told, tuple(made.name for made in imported.cohorts), imported.recipe,
        imported.offers, header_signature((SIGNED, found.kind, *imported.layout)),
    )  # fmt: skip


def _back(found: Found, into: Path) -> SourceRead:
    """A cohort of Bedside that was taken along."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(mode=0o700)
    report, title, made = read_back(found, into)
    return SourceRead(report, (made,), (title,), b"", (KIND,), signature=header_signature((SIGNED, KIND)))


def answer(recipe: Mapping[str, Any], key: str, values: Sequence[str]) -> dict[str, Any]:
    """A recipe with another answer to one of the questions of its source.

    Raises
    ------
    Fixable
        If the recipe is none, or there is no such question.
    """
    from bedside.intake.standards.any_source import OPTIONS
    from bedside.intake.standards.offers import answered, from_recipe, to_recipe

    kind, options = from_recipe(recipe, OPTIONS)
    return to_recipe(kind, answered(options, key, values))


def keep_source(
    read: SourceRead, chosen: tuple[int, ...], name: str, reader: str, titles: Mapping[int, str] | None = None,
    replaces: Mapping[int, str] | None = None,
) -> tuple[Kept, ...]:  # fmt: skip
    """Keep some of the cohorts that were read.

    Parameters
    ----------
    read : SourceRead
    chosen : tuple of int
    name : str
        Of the files, as it is shown later.
    reader : str
        Whose they become.
    titles : mapping, optional
        What a cohort is called, where the reader calls it otherwise.
    replaces : mapping, optional
        Key of the cohort that one becomes the next version of; else it is a new one.
    """
    if read.report.kind == KIND:
        from bedside.store.cohorts_back import keep_back

        title = (titles or {}).get(0, "")
        key = (replaces or {}).get(0, "")
        return (keep_back(read.folders[0], reader=reader, title=title, replaces=key, name=name),)
    kept = []
    for i in chosen:
        with making() as made:
            shutil.copytree(read.folders[i], made, dirs_exist_ok=True)
            title = (titles or {}).get(i) or read.titles[i]
            if title != read.titles[i]:
                _call(made / DICTIONARY, title)
            key = (replaces or {}).get(i) or None
            kept.append(keep(made, reader=reader, title=title, key=key, source_name=name))
    return tuple(kept)


def _call(file: Path, title: str) -> None:
    told = json.loads(file.read_text(encoding="utf-8"))
    told |= {"title": title, "short_title": short(title)}
    file.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
