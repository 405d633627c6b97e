"""Spark on this machine, for tests and benchmarks: nothing listens beyond loopback, nothing is written but to a folder
that is gone afterwards.

Needs Java 17 (``bash scripts/find_java.sh``) and ``requirements-all.txt``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.sql.shuffle.partitions": "4",
    "spark.log.level": "ERROR",
}


@contextmanager
def own_session() -> Iterator[SparkSession]:
    """A session with two threads, stopped afterwards."""
    from pyspark.sql import SparkSession  # only the slow suite and the benchmarks have it

    with tempfile.TemporaryDirectory(prefix="bedside_spark_") as folder:
        builder = SparkSession.builder.master("local[2]").appName("Bedside")
        for name, value in {**SETTINGS, "spark.local.dir": folder, "spark.sql.warehouse.dir": folder}.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        try:
            yield session
        finally:
            session.stop()
