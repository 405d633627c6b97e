"""Several types of event that exclude each other, and several states in a row."""

from __future__ import annotations
