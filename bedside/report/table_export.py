"""Table 1 by group as rows, as a file of numbers, as a table to paste into Word, and as LaTeX."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from bedside.cohort.table_by import Numbers, RowBy, TableBy
from bedside.report import say
from bedside.report.csv import csv_bytes
from bedside.report.tables import Rows

INDENT = "\u2003"
"""An em space: it survives Word, a spreadsheet and LaTeX's input encoding, where leading blanks do not."""
UNKNOWN = "–"
NUMBERS_HEADER = (
    "Variable", "Level", "Group", "Patients in group", "Recorded", "Missing", "Count", "Share", "Mean", "SD", "Median",
    "Quartile 1", "Quartile 3", "Minimum", "Maximum", "Test shown", "Statistic", "p", "SMD",
)  # fmt: skip

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}",
    "–": "--", "[": "{[}", "]": "{]}", "*": "{*}", "-": "{-}", INDENT: r"\quad{}",
    "≥": r"\(\geq\)", "≤": r"\(\leq\)", "±": r"\(\pm\)", "²": r"\textsuperscript{2}", "µ": r"\textmu{}",
}  # fmt: skip
"""Brackets and asterisks would be read as an argument at the start of a row, runs of hyphens as dashes."""


def table_by_rows(table: TableBy, *, tests: bool = True) -> Rows:
    """Table 1 by group in words.

    Parameters
    ----------
    table : TableBy
    tests : bool, default True
        False leaves out p and test: between randomised groups every difference is chance, whatever a test says.

    Returns
    -------
    header : list of str
        Variable, each group with its number of patients, p, test and SMD.
    rows : list of list of str
        A line for each continuous variable (mean with standard deviation or, where skewed, median with quartiles), a
        line for each level of the others (patients, with their share of those recorded), and one for missing values
        where there are any. Not escaped: text from the data stands as it is.
    """
    header = ["Variable", *(f"{label} (n = {n:,})" for label, n in zip(table.labels, table.n, strict=True))]
    rows: list[list[str]] = []
    for row in table.rows:
        rows += _lines(row)
    if not tests:
        return [*header, "SMD"], [[*row[:-3], row[-1]] for row in rows]
    return [*header, "p", "Test", "SMD"], rows


def notes(table: TableBy, *, tests: bool = True) -> list[str]:
    """What a reader of the table must know, a sentence each; without tests, nothing about them."""
    told = [
        "Continuous variables are given as mean (standard deviation) or, where skewed, as median (quartiles); levels "
        "as patients (share of those in whom the variable was recorded).",
        "SMD: standardised mean difference"
        + (", the largest of all pairs of groups." if len(table.labels) > 2 else "."),
    ]
    if tests:
        told.append("p-values are not adjusted for the number of variables.")
    if table.dropped_missing:
        who = say.patients(table.dropped_missing)
        told.append(
            f"{who} without a recorded value of {say.in_sentence(table.title)} {_is(table.dropped_missing)} left out."
        )
    told += [
        f"{row.variable.label}: {row.shown.note}."
        for row in table.rows
        if tests and row.shown.note and not math.isnan(row.shown.p)
    ]
    return told


def table_by_csv(table: TableBy) -> bytes:
    """Every number of the table, unrounded, as the bytes of a CSV file: a line for each variable or level and group."""
    lines: list[Sequence[object]] = []
    for row in table.rows:
        test = (row.shown.name, row.shown.statistic, row.shown.p, row.difference.value)
        for group, label in enumerate(table.labels):
            counted = (label, table.n[group], row.n[group], row.missing[group])
            if row.numbers:
                lines.append((row.variable.label, "", *counted, None, None, *_numbers(row.numbers[group]), *test))
            lines += [
                (
                    row.variable.label,
                    level.label,
                    *counted,
                    level.counts[group],
                    level.shares[group],
                    *[None] * 7,
                    *test,
                )
                for level in row.levels
            ]
    return csv_bytes(NUMBERS_HEADER, [[_finite(cell) for cell in line] for line in lines])


def table_by_html(table: TableBy, *, tests: bool = True) -> str:
    """The table as HTML that keeps its look when it is pasted into Word.

    Returns
    -------
    str
        One ``table`` with inline styles, a caption, and notes in a paragraph; all text is escaped, nothing is loaded.
    """
    header, rows = table_by_rows(table, tests=tests)
    edge = "border-top:1.5pt solid #000;border-bottom:0.75pt solid #000"
    base = "padding:2pt 6pt;font-family:Calibri,Arial,sans-serif;font-size:10pt;vertical-align:top"
    head = "".join(
        f'<th scope="col" style="{base};{edge};text-align:{_side(i)}">{_html(cell)}</th>'
        for i, cell in enumerate(header)
    )
    last = len(rows) - 1
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="{base};text-align:{_side(i)}{";border-bottom:1.5pt solid #000" if place == last else ""}">'
            f"{_html(cell)}</td>"
            for i, cell in enumerate(row)
        )
        + "</tr>"
        for place, row in enumerate(rows)
    )
    told = " ".join(_html(note) for note in notes(table, tests=tests))
    caption = f'<caption style="{base};text-align:left;font-weight:bold">{_html(_caption(table))}</caption>'
    return (
        f'<table style="border-collapse:collapse">{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        f'<p style="{base}">{told}</p>'
    )


def table_by_latex(table: TableBy, *, tests: bool = True) -> str:
    """The table as LaTeX; needs ``booktabs`` and ``textcomp``, and an engine that reads UTF-8.

    Returns
    -------
    str
        A ``table`` environment; all text is escaped.
    """
    header, rows = table_by_rows(table, tests=tests)
    columns = "l" + "r" * (len(header) - 1)
    lines = [" & ".join(map(latex_text, row)) + r" \\" for row in (header, *rows)]
    told = " ".join(map(latex_text, notes(table, tests=tests)))
    return "\n".join(
        [
            r"% \usepackage{booktabs,textcomp}",
            r"\begin{table}",
            rf"\caption{{{latex_text(_caption(table))}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            rf"\par\smallskip\footnotesize {told}",
            r"\end{table}",
            "",
        ]
    )


def latex_text(text: str) -> str:
    """Text that LaTeX prints as it stands: nothing in it is a command, an argument, a comment or the end of a cell."""
    return "".join(_LATEX.get(letter, letter) for letter in _one_line(text))


def _html(text: str) -> str:
    return escape(_one_line(text), quote=True)


def _one_line(text: str) -> str:
    """Control characters, line ends and marks that turn the direction of text become blanks."""
    return "".join(letter if letter.isprintable() or letter == INDENT else " " for letter in text)


def _lines(row: RowBy) -> list[list[str]]:
    name = row.variable.label + (f" ({row.variable.unit})" if row.variable.unit else "")
    test = [_p(row.shown.p), row.shown.name if not math.isnan(row.shown.p) else UNKNOWN, _smd(row.difference.value)]
    missing = [[f"{INDENT}Missing", *(f"{n:,}" for n in row.missing), "", "", ""]] if any(row.missing) else []
    if row.numbers:
        told = "median (quartiles)" if row.skewed else "mean (SD)"
        cells = [_number_cell(row, one) for one in row.numbers]
        return [[f"{name}, {told}", *cells, *test], *missing]
    first = [f"{name}, n (%)", *[""] * len(row.n), *test]
    levels = [
        [
            f"{INDENT}{level.label}",
            *(_count_cell(n, s) for n, s in zip(level.counts, level.shares, strict=True)),
            *[""] * 3,
        ]
        for level in row.levels
    ]
    return [first, *levels, *missing]


def _number_cell(row: RowBy, one: Numbers) -> str:
    if not one.n:
        return UNKNOWN
    said = row.variable.number
    if row.skewed:
        return f"{said(one.median)} ({said(one.q1)} to {said(one.q3)})"
    return said(one.mean) if math.isnan(one.sd) else f"{said(one.mean)} ({said(one.sd)})"


def _count_cell(count: int, share: float) -> str:
    return UNKNOWN if math.isnan(share) else f"{count:,} ({say.percent(share, decimals=1)})"


def _p(p: float) -> str:
    return UNKNOWN if math.isnan(p) else say.p_value(p).removeprefix("p ").removeprefix("= ")


def _smd(value: float) -> str:
    if math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "no overlap"
    shown = f"{value:.2f}"
    return "0.00" if shown == "-0.00" else shown


def _numbers(one: Numbers) -> tuple[float, ...]:
    return one.mean, one.sd, one.median, one.q1, one.q3, one.min, one.max


def _finite(cell: object) -> object:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _caption(table: TableBy) -> str:
    return f"Characteristics by {say.in_sentence(table.title)}"


def _side(column: int) -> str:
    return "right" if column else "left"


def _is(n: int) -> str:
    return "is" if n == 1 else "are"
