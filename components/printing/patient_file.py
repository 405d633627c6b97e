"""A sheet as a file: one page of PDF that says its title and its language, and nothing about a patient."""

from __future__ import annotations

import io
import re
from datetime import datetime

from matplotlib.figure import Figure

LANGUAGE = "en-GB"
ROOT = re.compile(rb"/Root (\d+) 0 R")
SIZE = re.compile(rb"/Size (\d+)")
INFO = re.compile(rb"/Info (\d+) 0 R")
START = re.compile(rb"startxref\n(\d+)\n%%EOF\s*$")


def one_page(sheet: Figure, *, title: str, made: datetime) -> bytes:
    """The drawn sheet as PDF.

    Parameters
    ----------
    sheet : matplotlib.figure.Figure
    title : str
        Of the kind of sheet: the file's own description names nobody.
    made : datetime
    """
    out = io.BytesIO()
    about = {"Title": title, "Creator": "Bedside", "Producer": "Bedside", "CreationDate": made}
    sheet.savefig(out, format="pdf", metadata=about)
    return with_language(out.getvalue())


def with_language(pdf: bytes) -> bytes:
    """The same file with its language, and its title in the window's bar: an update at its end, as the format allows.

    References
    ----------
    ISO 32000-1, 7.5.6 (incremental updates), 7.7.2 (catalog: Lang, ViewerPreferences).
    """
    trailer = pdf[pdf.rindex(b"trailer") :]
    root, size, info, start = (pattern.search(trailer) for pattern in (ROOT, SIZE, INFO, START))
    if root is None or size is None or info is None or start is None:
        raise ValueError("not a file with a plain table of its objects")
    number = root[1]
    head = b"\n%s 0 obj\n" % number
    body = pdf[pdf.index(head) + len(head) :].partition(b"endobj")[0].strip()
    more = b" /Lang (%s) /ViewerPreferences << /DisplayDocTitle true >> >>" % LANGUAGE.encode()
    at = len(pdf) + (not pdf.endswith(b"\n"))
    written = b"%s 0 obj\n%s\nendobj\n" % (number, body.removesuffix(b">>").rstrip() + more)
    table = b"xref\n%s 1\n%010d 00000 n \n" % (number, at)
    end = b"trailer\n<< /Size %s /Root %s 0 R /Info %s 0 R /Prev %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        size[1], number, info[1], start[1], at + len(written),
    )  # fmt: skip
    return pdf + b"\n" * (at - len(pdf)) + written + table + end
