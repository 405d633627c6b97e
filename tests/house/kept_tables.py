"""Small tables to attach to the cohorts of `kept_cohorts`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from bedside.cohort import Variable
from bedside.intake.visits_table import DAY, PATIENT, VisitsReport, write_visits
from bedside.intake.wide_table import WideReport, WideWriter
from bedside.store.attached import Attached, keep
from tests.house.kept_cohorts import WHO

GENES = ("TP53", "<script>alert(1)</script>", "A|B $E$", ":red[low]", "MYC", "TP53BP1")


def attach_genes(data: Path, cohort: str, *, n: int = 18, reader: str = "local", what: str = "expression",
                 title: str = "Array **1**", instead: str = "") -> Attached:  # fmt: skip
    """Genes of the first n patients: gene g of patient i is 10 g + i."""
    folder = Path(tempfile.mkdtemp(dir=data))
    with WideWriter(folder, [WHO.format(i) for i in range(n)]) as writer:
        writer.add(GENES, 10.0 * np.arange(len(GENES))[:, None] + np.arange(n))
    about = writer.finish(WideReport("rows", n))
    return keep(folder, cohort=cohort, reader=reader, kind="wide", what=what, title=title, unit="log2",
                sealed=about.tail_sha256, source_name="genes.txt", instead=instead, folder=data)  # fmt: skip


def attach_labs(data: Path, cohort: str, *, n: int = 20) -> Attached:
    """Two visits each: the marker CRP is 5 + i at day 10 and twice that at day 50."""
    folder = Path(tempfile.mkdtemp(dir=data))
    who = [WHO.format(i) for i in range(n) for _ in range(2)]
    frame = pd.DataFrame({PATIENT: who, DAY: [10.0, 50.0] * n, "CRP": [(5.0 + i // 2) * (1 + i % 2) for i in
                                                                      range(2 * n)]})  # fmt: skip
    about = write_visits(folder, frame, [Variable(name="CRP", kind="continuous", unit="mg/l")], VisitsReport())
    return keep(folder, cohort=cohort, reader="local", kind="visits", what="visits", title="Labs",
                sealed=about.sha256, folder=data)  # fmt: skip
