"""Tables of the OMOP common data model, wherever they lie: CSV, Parquet, or a DuckDB file; only read."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from bedside.errors import Fixable
from bedside.intake.duck import literal
from bedside.intake.standards.omop_tables import COLUMNS, table_of
from bedside.intake.standards.recognise import Found

WHAT = "The database was not read."
SOURCE = "source"
_CLOSED = {
    "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
    "allow_community_extensions": "false", "python_enable_replacements": "false", "memory_limit": "2GB", "threads": "2",
}  # fmt: skip
_NUMBERS = frozenset({"value_as_number", "range_low", "range_high", "quantity"})
_WHOLE = frozenset({"year_of_birth", "month_of_birth", "day_of_birth", "days_supply"})


@dataclass(frozen=True)
class Relation:
    """Where one table is: what stands after FROM, and the columns that it has, by their names in lower case."""

    scan: exp.Expr
    columns: dict[str, str]
    is_text: bool
    file: str


@dataclass(eq=False)
class OmopSource:
    """An open source; queries are trees or constants, never text that was put together.

    Attributes
    ----------
    tables : dict
        Relation of each table that is there.
    n_rows : dict
        Rows of each.
    n_broken : dict
        Lines of a text file that have another number of cells than its header.
    """

    connection: duckdb.DuckDBPyConnection
    tables: dict[str, Relation] = field(default_factory=dict)
    n_rows: dict[str, int] = field(default_factory=dict)
    n_broken: dict[str, int] = field(default_factory=dict)

    def has(self, table: str) -> bool:
        """True if the table is there and has rows."""
        return self.n_rows.get(table, 0) > 0

    def select(self, table: str, columns: Sequence[str]) -> exp.Select:
        """The table's columns in their types; one that is not there is empty."""
        relation = self.tables[table]
        return exp.select(*(_typed(relation, name).as_(name) for name in columns)).from_(relation.scan.copy())

    def empty(self, column: str) -> exp.Expr:
        """Nothing, in the type of a column."""
        return exp.cast(exp.null(), _type(column))

    def keep(self, name: str, query: exp.Expr) -> None:
        """Put the rows of a query into a table of this connection's own."""
        made = exp.Create(this=exp.to_table(name), kind="TABLE", expression=query)
        self.run(made.sql(dialect="duckdb"))

    def run(self, query: str, values: dict[str, Any] | None = None) -> None:
        """A statement without rows."""
        with _told():
            self.connection.execute(query, values) if values else self.connection.execute(query)

    def ask(self, query: str, values: dict[str, Any] | None = None) -> pa.Table:
        """Rows of a query."""
        with _told(), self.connection.cursor() as cursor:
            return cursor.sql(query, params=values).to_arrow_table()


@contextmanager
def _told() -> Iterator[None]:
    """DuckDB's own messages quote cells; ours don't."""
    try:
        yield
    except duckdb.OutOfMemoryException as fault:
        raise Fixable(
            WHAT, "Its tables take more than 2 GB of memory.",
            "Put them into a DuckDB file, or take fewer persons along.",
        ) from fault  # fmt: skip
    except duckdb.Error as fault:
        raise Fixable(
            WHAT, "One of its tables is damaged, or is not what its columns say.",
            "Export the tables again as CSV in UTF-8 or as Parquet.",
        ) from fault  # fmt: skip


def _typed(relation: Relation, name: str) -> exp.Expr:
    if name not in relation.columns:
        return exp.cast(exp.null(), _type(name))
    column = exp.column(exp.to_identifier(relation.columns[name], quoted=True))
    kind = _type(name)
    if kind == "VARCHAR":
        text = exp.Trim(this=exp.cast(column, "VARCHAR"))
        return exp.Nullif(this=text, expression=exp.Literal.string(""))
    if kind == "DATE" and relation.is_text:
        written = exp.func("try_strptime", column.copy(), exp.Literal.string("%Y%m%d"), dialect="duckdb")
        return exp.Coalesce(this=exp.TryCast(this=column, to=exp.DataType.build("DATE")),
                            expressions=[exp.TryCast(this=written, to=exp.DataType.build("DATE"))])  # fmt: skip
    return exp.TryCast(this=column, to=exp.DataType.build(kind))


def _type(name: str) -> str:
    if name.endswith("_date"):
        return "DATE"
    if name.endswith("_datetime"):
        return "TIMESTAMP"
    if name in _NUMBERS:
        return "DOUBLE"
    whole = name.endswith("_id") and name not in ("vocabulary_id", "domain_id", "concept_class_id", "relationship_id")
    return "BIGINT" if whole or name in _WHOLE or name in ("concept_id_1", "concept_id_2") else "VARCHAR"


# ------------------------------------------------------------------ opening


@contextmanager
def open_omop(found: Found) -> Iterator[OmopSource]:
    """Open the tables of a source.

    Parameters
    ----------
    found : Found
        Of the kind ``omop``.

    Yields
    ------
    OmopSource
        Closed when the block ends. Nothing but the files of the source can be read through it, and nothing written.

    Raises
    ------
    Fixable
        If a file is damaged, or stands there twice.
    """
    connection = duckdb.connect(":memory:", config=_CLOSED)
    try:
        with _told():
            connection.execute("SET temp_directory = ''")
            connection.execute("SET TimeZone = 'UTC'")
        source = OmopSource(connection)
        database = found.of("database")
        if database:
            _attach(source, database[0])
        folders = [f"{found.root.resolve()}/", f"{literal(found.root)}/"]
        with _told():
            connection.execute("SET allowed_directories = $folders", {"folders": folders})
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
        if not database:
            _of_files(source, found)
        _count(source)
        yield source
    finally:
        connection.close()


def _attach(source: OmopSource, path: Path) -> None:
    """A DuckDB file, read only; its tables are found in whichever schema they are."""
    name = exp.Alias(this=exp.Literal.string(str(path.resolve())), alias=exp.to_identifier(SOURCE))
    tree = exp.Attach(this=name, expressions=[exp.AttachOption(this=exp.var("READ_ONLY"))])
    source.run(tree.sql(dialect="duckdb"))
    rows = source.ask(
        "SELECT table_schema, table_name, list(column_name) AS columns FROM information_schema.columns "
        "WHERE table_catalog = 'source' GROUP BY ALL ORDER BY ALL"
    ).to_pylist()
    for row in rows:
        columns = {name.lower(): name for name in row["columns"]}
        table = row["table_name"].lower()
        if table not in COLUMNS or table_of(frozenset(columns)) is None or table in source.tables:
            continue
        scan = exp.table_(exp.to_identifier(row["table_name"], quoted=True),
                          db=exp.to_identifier(row["table_schema"], quoted=True), catalog=SOURCE)  # fmt: skip
        source.tables[table] = Relation(scan, columns, False, path.name)


def _of_files(source: OmopSource, found: Found) -> None:
    for part in found.parts:
        if part.what in source.tables:
            raise Fixable(
                WHAT, f"There are two files with the table “{part.what}” in one folder.", "Leave one of them there."
            )  # fmt: skip
        with part.path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        source.tables[part.what] = _parquet(source, part.path) if is_parquet else _csv(part.path)


def _parquet(source: OmopSource, path: Path) -> Relation:
    scan = exp.Anonymous(this="read_parquet", expressions=[exp.Literal.string(literal(path))])
    names = source.ask(exp.select("*").from_(scan.copy()).limit(0).sql(dialect="duckdb")).column_names
    return Relation(scan, {name.lower(): name for name in names}, False, path.name)


def _csv(path: Path) -> Relation:
    """A text file, every cell as text: types are guessed from a sample by DuckDB, and then fail on the rest."""
    packed = path.name.lower().endswith(".gz")
    delimiter, quote, names = _header(path)
    options: dict[str, exp.Expr] = {
        "auto_detect": exp.false(), "header": exp.true(), "delim": exp.Literal.string(delimiter),
        "quote": exp.Literal.string(quote), "escape": exp.Literal.string(quote), "store_rejects": exp.true(),
        "nullstr": exp.Literal.string(""),
        "max_line_size": exp.Literal.number(16 * 2**20), "hive_partitioning": exp.false(),
        "compression": exp.Literal.string("gzip" if packed else "none"),
        "columns": exp.Struct(expressions=[
            exp.PropertyEQ(this=exp.to_identifier(name, quoted=True), expression=exp.Literal.string("VARCHAR"))
            for name in names
        ]),
    }  # fmt: skip
    told = [exp.PropertyEQ(this=exp.to_identifier(key), expression=value) for key, value in options.items()]
    scan = exp.Anonymous(this="read_csv", expressions=[exp.Literal.string(literal(path)), *told])
    return Relation(scan, {name.lower(): name for name in names}, True, path.name)


def _header(path: Path) -> tuple[str, str, tuple[str, ...]]:
    """Delimiter, quotation mark and names; vocabularies come with tabs, and quotation marks that mean nothing."""

    with ExitStack() as stack:
        if path.name.lower().endswith(".gz"):
            file: IO[bytes] = stack.enter_context(gzip.open(path))
        else:
            file = stack.enter_context(path.open("rb"))
        line = file.readline(2**20).decode("utf-8-sig", "replace").rstrip("\r\n")
    delimiter = max("\t,;|", key=line.count)
    names = next(csv.reader(io.StringIO(line), delimiter=delimiter), [])
    return delimiter, "" if delimiter == "\t" else '"', tuple(name.strip() for name in names)


def _count(source: OmopSource) -> None:
    """Rows of each table, and lines of text that are none, since they have another number of cells than the header."""
    n_rejected = 0
    for table, relation in source.tables.items():
        query = exp.select(exp.Count(this=exp.Star()).as_("n")).from_(relation.scan.copy())
        if not relation.is_text:
            source.n_rows[table] = _one(source, query.sql(dialect="duckdb"))
        else:
            # What a scan rejects is only noted where its rows are kept.
            made = exp.Create(this=exp.to_table("counted"), kind="TABLE", replace=True, expression=query)
            source.run(made.sql(dialect="duckdb"))
            source.n_rows[table] = _one(source, "SELECT n FROM counted")
            rejected = _rejected(source)
            source.n_broken[table], n_rejected = rejected - n_rejected, rejected


def _rejected(source: OmopSource) -> int:
    there = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'"
    if not _one(source, there):
        return 0
    return _one(source, "SELECT count(*) FROM (SELECT DISTINCT scan_id, line FROM reject_errors)")


def _one(source: OmopSource, query: str) -> int:
    """A number, asked on the connection itself: what a scan rejects stands in a table of the connection's own."""
    with _told():
        return int(source.connection.execute(query).fetchall()[0][0])
