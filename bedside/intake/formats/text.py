"""CSV and its relatives, every cell as it is written."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import duckdb

from bedside.errors import Fixable
from bedside.intake.duck import literal
from bedside.intake.formats.encode import plain_text
from bedside.intake.formats.sniff import LONGEST_CELL, Manner, sniff
from bedside.intake.formats.text_rows import text_shifts
from bedside.intake.formats.written import MOST_ROWS, Written, check_width, columns_of, too_many_rows
from bedside.intake.staging import ROWS, WHAT, Progress, Reading

SHOWN = 1_000
_SETTINGS = {
    "autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "threads": "2",
    "allow_community_extensions": "false", "python_enable_replacements": "false", "memory_limit": "1200MB",
}  # fmt: skip
_READ = """
SELECT * FROM read_csv(
    $file, auto_detect = false, header = false, skip = $skip, delim = $delimiter, quote = $quote, escape = $quote,
    columns = $columns, nullstr = '', strict_mode = $strict, max_line_size = $longest, compression = 'none',
    hive_partitioning = false, null_padding = $short, store_rejects = true, rejects_limit = 100000
)
"""
_BROKEN = re.compile(r"unterminated|quote|maximum line size|buffer", re.IGNORECASE)


def read_text(source: Path, folder: Path, reading: Reading, progress: Progress) -> Written:
    """A text table of any encoding, delimiter and line end.

    Lines with more cells than the header, or fewer, are left out and counted; a file in which many are so is refused.

    Raises
    ------
    Fixable
        If it is no table, or larger than one may be.
    """
    plain = plain_text(source, folder, reading.encoding)
    given = reading.encoding or reading.delimiter  # else this reading is only the format
    manner = sniff(
        plain.file, delimiter=reading.delimiter, quote=reading.quote if given else None,
        header_row=reading.header_row if given else None,
    )  # fmt: skip
    check_width(len(manner.names))
    progress(0.1, "Reading rows")
    n_rows, rejected, n_rejected = _copied(plain.file, folder / ROWS, manner)
    if n_rows > MOST_ROWS:
        raise too_many_rows(n_rows)
    if n_rejected > max(10, 0.05 * (n_rows + n_rejected)):
        raise Fixable(
            WHAT,
            f"{n_rejected:,} of {n_rows + n_rejected:,} lines have more or fewer cells than the header "
            f"({len(manner.names):,}), the first of them line {rejected[0]:,}.",
            "Choose another delimiter or line of names, or look for unquoted delimiters inside cells.",
        )
    columns, notes = columns_of(manner.names, ["text"] * len(manner.names))
    if manner.header_row < 0:
        notes.append("No line holds names: columns are called by their place.")
    decimal = reading.decimal if given else manner.decimal
    told = replace(
        reading, encoding=plain.encoding, delimiter=manner.delimiter, quote=manner.quote, decimal=decimal,
        header_row=manner.header_row,
    )  # fmt: skip
    shifts = text_shifts(plain.file, manner, n_rows, rejected, n_rejected)
    if plain.file != source:
        plain.file.unlink()
    return Written(folder / ROWS, columns, n_rows, told, (), rejected, n_rejected, (*plain.notes, *notes), shifts)


def _copied(file: Path, out: Path, manner: Manner) -> tuple[int, tuple[int, ...], int]:
    """Rows written, the first lines that were not, and how many these are."""
    values = {
        "file": literal(file), "skip": manner.skip, "delimiter": manner.delimiter, "quote": manner.quote,
        "columns": {f"c{i}": "VARCHAR" for i in range(len(manner.names))}, "strict": True, "longest": LONGEST_CELL,
        "short": False,
    }  # fmt: skip
    connection = duckdb.connect(":memory:", config=_SETTINGS)
    try:
        connection.execute("SET temp_directory = ''")
        connection.execute("SET enable_progress_bar = false")
        connection.sql(_READ, params=values).write_parquet(str(out), compression="zstd", row_group_size=122_880)
        (n_rows,) = connection.execute("SELECT count(*) FROM read_parquet($out)", {"out": str(out)}).fetchone()
        _check_broken(connection)
        found = connection.execute(
            "SELECT DISTINCT line FROM reject_errors ORDER BY line LIMIT $n", {"n": SHOWN}
        ).fetchall()
        (n,) = connection.execute("SELECT count(DISTINCT line) FROM reject_errors").fetchone()
    except duckdb.OutOfMemoryException:
        raise MemoryError from None
    except duckdb.Error as fault:
        raise _unread(str(fault)) from None
    finally:
        connection.close()
    return n_rows, tuple(line for (line,) in found), n


def _check_broken(connection: duckdb.DuckDBPyConnection) -> None:
    """A line that is too short or too long can be left out; after a broken quotation no line means what it seems to."""
    found = connection.execute("SELECT min(line) FROM reject_errors WHERE error_type::VARCHAR NOT LIKE '%COLUMNS'")
    (line,) = found.fetchone() or (None,)
    if line is not None:
        raise _unread(f"unterminated quote Line: {line}")


def _unread(message: str) -> Fixable:
    """Why DuckDB refused, without its words: they quote cells."""
    line = re.search(r"Line: (\d+)", message)
    where = f" near line {int(line[1]):,}" if line else ""
    if _BROKEN.search(message):
        why = f"A quotation mark{where} is never closed, or a line is longer than any that is read."
    else:
        why = f"A line{where} does not have the form that the first lines have."
    return Fixable(WHAT, why, "Look at the file there, or choose another delimiter or quotation mark.")
