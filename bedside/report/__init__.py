"""What leaves Bedside as a file."""

from __future__ import annotations

from bedside.report.csv import csv_bytes, file_name

__all__ = ["csv_bytes", "file_name"]
