"""Text that a spreadsheet would take for a formula: an apostrophe in front, and taken off again."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from bedside.intake.columns import Column, Table

MARK = "'"
# What a spreadsheet takes for the start of a formula, looked for behind blanks; numbers are left as they are.
_BLANKS = r"[\s\x00-\x1f\x7f-\x{9f}\x{200b}-\x{200f}\x{2028}-\x{202f}\x{2060}-\x{206f}\x{feff}]*"
_RUNS = rf"^{_BLANKS}[\x00-\x1f=+\-@＝＋－＠﹢﹣﹦﹫']"
_NUMBER = r"^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would take a text for a formula."""
    return not text.startswith(MARK) and guarded(pa.array([text], pa.string()))[0].as_py() != text


def guarded(texts: pa.Array) -> pa.Array:
    """Texts as they may be opened in a spreadsheet.

    What begins with an apostrophe itself gets a second one, so that `unguarded` gives back every text as it was.
    """
    runs = pc.and_(pc.match_substring_regex(texts, _RUNS), pc.invert(pc.match_substring_regex(texts, _NUMBER)))
    marked = pc.binary_join_element_wise(pa.scalar(MARK, texts.type), texts, pa.scalar("", texts.type))
    return pc.if_else(runs, marked, texts)


def unguarded(table: Table) -> Table:
    """A table whose names and texts were guarded, as it was before."""
    names = tuple(_bare(name) for name in table.names)
    return Table(table.file, names, tuple(_unguarded(column) for column in table.columns), table.n_rows)


def _bare(name: str) -> str:
    return name.removeprefix(MARK).strip()


def _unguarded(column: Column) -> Column:
    if not column.is_text or column.is_ordered:
        return column
    marked = pc.starts_with(column.array, MARK)
    return Column(pc.if_else(marked, pc.utf8_slice_codeunits(column.array, 1), column.array))
