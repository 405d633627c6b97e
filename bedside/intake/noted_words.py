"""A kept quality report in words."""

from __future__ import annotations

from bedside.intake.noted import Noted, Told

SEVERITY = {"fault": "Wrong", "doubt": "Look at it", "remark": "Good to know"}
NAMED = 3
ROWS = 10


def short(told: Told) -> str:
    """What was not put right, and how many rows were left out, in a line."""
    open_ = [
        each for each in told.quality.findings if each.severity != "remark" and each.state in ("as it is", "partly")
    ]
    parts = [f"{each.said.rstrip('.')}; {became(each)}" for each in open_[:NAMED]]
    if len(open_) > NAMED:
        parts.append(f"{len(open_) - NAMED:,} more findings were not put right")
    right = sum(each.state in ("put right", "partly") for each in told.quality.findings)
    if right:
        parts.append(f"{_count(right, 'finding was', 'findings were')} put right")
    left = left_out(told)
    parts.append(f"{_count(left, 'row was', 'rows were')} left out" if left else "no row was left out")
    return " · ".join(parts if open_ or right else ["Nothing wrong was found in its file", *parts])


def left_out(told: Told) -> int:
    """Rows of the file that are no patients."""
    return told.rows_read - told.rows_kept + told.rejected.n


def became(each: Noted) -> str:
    """What became of a finding."""
    if each.state == "as it is":
        return "not put right" if each.severity != "remark" else "as it is"
    if each.state == "gone":
        return "no longer so after the other steps"
    rows = f" ({_count(each.by_rows, 'row', 'rows')})" if each.by_rows else ""
    part = f"; still so in {_count(each.left, 'row', 'rows')}" if each.state == "partly" else ""
    return f"put right: {each.by}{rows}{part}"


def rows_of(n: int, first: tuple[int, ...]) -> str:
    """Which rows, by the numbers of the first."""
    if not first:
        return ""
    shown = ", ".join(f"{row:,}" for row in first[:ROWS])
    more = n - len(first[:ROWS])
    return shown + (f" and {more:,} more" if more > 0 else "")


def found(told: Told) -> list[tuple[str, str, str, str]]:
    """Every finding: how grave it is, what it is, its rows, and what became of it."""
    return [(SEVERITY[each.severity], each.said, rows_of(each.n, each.rows), became(each))
            for each in told.quality.findings]  # fmt: skip


def left(told: Told) -> list[tuple[str, str, str]]:
    """Why rows are no patients, how many, and which."""
    rows = [("Lines of another width than the header", told.rejected)] if told.rejected.n else []
    rows += [(reason[:1].upper() + reason[1:], some) for reason, some in told.left_out]
    listed = [(why, f"{some.n:,}", rows_of(some.n, some.first)) for why, some in rows]
    by_steps = left_out(told) - sum(some.n for _, some in rows)
    return [*listed, *([("Left out by a step", f"{by_steps:,}", "")] if by_steps > 0 else [])]


def missing(told: Told) -> list[tuple[str, str]]:
    """Columns that are not recorded of everybody."""
    of = max(told.quality.of, 1)
    return [(name, f"{n:,} of {of:,} ({100 * n / of:.0f}%)") for name, n in told.quality.missing]


def text(told: Told, title: str) -> str:
    """All of it, to be kept as a file."""
    of = f"{told.file}: " if told.file else ""
    lines = [
        f"Quality report: {title}",
        "",
        f"{of}{told.rows_read:,} rows read, {told.rows_kept:,} became patients.",
        "",
    ]
    parts = {
        "What was found": [f"{how}: {said} {f'Rows {rows}. ' if rows else ''}[{became}]"
                           for how, said, rows, became in found(told)],
        "Left out": [f"{why}: {n}{f' (rows {rows})' if rows else ''}" for why, n, rows in left(told)],
        "Known only later": list(told.quality.later),
        "Not recorded": [f"{name}: {n}" for name, n in missing(told)],
        "Notes": list(told.notes),
    }  # fmt: skip
    for head, said in parts.items():
        lines += [head, *(f"- {line}" for line in said or ["none"]), ""]
    return "\n".join(lines).strip() + "\n"


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
