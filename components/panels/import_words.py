"""What is said about a file that is being brought: sentences of our own around text of the data, without Streamlit."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from bedside.intake.building import OutcomeRead, Rows, Unreadable
from bedside.intake.own_names import Names
from bedside.intake.plan import CENSORED, EVENT, UNKNOWN, ColumnPlan, OutcomePlan
from bedside.intake.staging import Reading, Staged
from components.panels.page import fill, join
from components.text import cell

KINDS = {
    "continuous": "number", "binary": "two groups", "categorical": "groups", "ordinal": "grades in order",
    "date": "date", "text": "free text", "identifier": "identifier",
}  # fmt: skip
USES = {
    "predictor": "known at the start", "optional": "known, not in a model at first", "later": "known only later",
    "outcome": "part of what happened", "identifier": "names the patient", "drop": "leave out",
}  # fmt: skip
FORMATS = {
    "csv": "Text", "excel": "Workbook", "parquet": "Parquet", "json": "JSON", "sas": "SAS", "spss": "SPSS",
    "stata": "Stata",
}  # fmt: skip
ENCODINGS = {
    "utf-8": "UTF-8", "utf-16": "UTF-16", "cp1252": "Western European (Windows-1252)", "iso-8859-15": "Latin-9",
    "latin-1": "Latin-1", "cp1250": "Central European (Windows-1250)", "cp1251": "Cyrillic (Windows-1251)",
    "cp1253": "Greek (Windows-1253)", "cp1254": "Turkish (Windows-1254)", "cp1257": "Baltic (Windows-1257)",
    "cp437": "DOS (437)", "cp850": "DOS (850)", "mac_roman": "Mac Roman", "shift_jis": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)", "big5": "Chinese (Big5)", "euc_kr": "Korean (EUC-KR)",
}  # fmt: skip
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
DECIMALS = {".": "point (1.5)", ",": "comma (1,5)"}
SURE, LIKELY = 0.9, 0.7
CODES_NAMED = 6


def certain(confidence: float) -> tuple[str, str]:
    """A mark and a word for how sure a guess is."""
    if confidence >= SURE:
        return "●●●", "sure"
    return ("●●○", "likely") if confidence >= LIKELY else ("●○○", "please check")


def size_said(size: int) -> str:
    """Bytes in a few letters."""
    return f"{size / 2**20:,.1f} MB" if size >= 2**20 else f"{max(size / 1024, 0.1):,.1f} kB"


def file_said(staged: Staged) -> str:
    """Rows, columns and how the file is written, in a line."""
    reading = staged.reading
    parts = [f"{staged.n_rows:,} {'row' if staged.n_rows == 1 else 'rows'}", f"{len(staged.columns):,} columns",
             FORMATS[reading.format]]  # fmt: skip
    if reading.format == "csv":
        parts += [encoding_said(reading), f"parted by {DELIMITERS.get(reading.delimiter, 'another mark')}",
                  f"decimal {'comma' if reading.decimal == ',' else 'point'}"]  # fmt: skip
    if reading.sheet:
        parts.append(f"sheet “{cell(reading.sheet)}”")
    return " · ".join((*parts, size_said(staged.size)))


def encoding_said(reading: Reading) -> str:
    """An encoding as people call it."""
    return ENCODINGS.get(reading.encoding.lower().replace("_sig", "").replace("-sig", ""), cell(reading.encoding))


def kind_said(column: ColumnPlan) -> str:
    """What a column is read as, in a few words."""
    if column.use == "drop":
        return "left out"
    if column.use == "identifier":
        return "identifier"
    if column.kind == "continuous":
        return f"number, {column.unit}" if column.unit else "number"
    if column.kind == "date":
        return "date, day first" if column.day_first else "date, month first"
    if column.kind in ("binary", "categorical", "ordinal") and column.levels:
        return f"{len(column.levels)} grades" if column.kind == "ordinal" else f"{len(column.levels)} groups"
    return KINDS[column.kind]


def rows_said(rows: Rows, names: Names | None = None) -> str:
    """Which rows, at most ten of them: as the file itself numbers them, and with their identifiers, where known."""
    called = names or Names()
    shown = rows.first[:10]
    more = rows.n - len(shown)
    return f"{'row' if rows.n == 1 else 'rows'} " + ", ".join(called.of(row) for row in shown) + (
        f" and {more:,} more" if more > 0 else "")  # fmt: skip


def unread_said(found: Unreadable) -> str:
    """Why cells count as not recorded."""
    return "a placeholder date" if found.placeholder else f"not {found.expected}"


def count(n: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listed(names: Sequence[str], more: int = 0) -> str:
    """``a, b and c``, or ``a, b and 3 more``."""
    parts = [*names, *([f"{more:,} more"] if more > 0 else [])]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def time_said(value: float) -> str:
    """A follow-up: whole numbers as such."""
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:,.1f}"


def meaning_said(meaning: str, outcome: OutcomePlan) -> str:
    """What a code stands for, in the outcome's words."""
    if meaning == EVENT:
        return outcome.label
    return {CENSORED: outcome.free_phrase, UNKNOWN: "not known", "": "not known"}.get(meaning, meaning)


def outcome_said(read: OutcomeRead, outcome: OutcomePlan) -> Markup:
    """How an outcome is read, in one sentence: ``1 = death, 0 = alive: 171 events of 686; follow-up 8 to 2,659 days``.

    All of it that comes from the file is escaped.
    """
    named = [
        fill("{codes} = {what}{more}", what=meaning_said(meaning, outcome), more=f" ({left} more)" if left else "",
             codes=Markup(" or ").join(fill("<b>{c}</b>", c=code) for code in codes))
        for meaning, codes, left in _by_meaning(read)
    ]  # fmt: skip
    if not read.codes:
        named = [fill("a date in <b>{column}</b> = {what}", column=outcome.happened, what=outcome.label)]
    events = f"{count(read.n_events, 'event')} of {read.n:,}"
    first = f", {read.n_competing:,} had another event first" if read.n_competing else ""
    if not read.n:
        return join([Markup(", ").join(named), fill(": nobody can be followed.")])
    followed = (
        f"follow-up {time_said(read.shortest)} to {time_said(read.longest)} {read.unit}, "
        f"median {time_said(read.median)}"
    )
    entry = fill("; each patient counts from <b>{x}</b>", x=outcome.entry) if outcome.entry else Markup("")
    return join([Markup(", ").join(named),
                 fill(": <b>{e}</b>{f}; {t}{x}.", e=events, f=first, t=followed, x=entry)])  # fmt: skip


def _by_meaning(read: OutcomeRead) -> list[tuple[str, list[str], int]]:
    """Codes by what they mean, the event first, and how many more there are of each kind."""
    found: dict[str, list[str]] = {}
    for code, meaning, _ in sorted(read.codes, key=lambda each: (each[1] != EVENT, each[1] == CENSORED)):
        found.setdefault(meaning or UNKNOWN, []).append(code)
    return [(meaning, codes[:CODES_NAMED], max(len(codes) - CODES_NAMED, 0)) for meaning, codes in found.items()]


def left_said(read: OutcomeRead, names: Names | None = None) -> str:
    """Whom this outcome does not know, in one line; empty if it knows everybody."""
    parts = [
        f"{rows.n:,} without {what} ({rows_said(rows, names)})"
        for what, rows in (("follow-up", read.no_time), ("a known status", read.no_status))
        if rows.n
    ]
    if read.negative.n:
        parts.append(f"{read.negative.n:,} with an end before the start ({rows_said(read.negative, names)})")
    if read.late.n:
        parts.append(f"{read.late.n:,} observed only from after the end ({rows_said(read.late, names)})")
    return "Not followed: " + "; ".join(parts) + "." if parts else ""
