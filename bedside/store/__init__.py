"""What outlives a tab: the server's own key, and the opaque tokens made with it."""

from __future__ import annotations

from bedside.store.folder import data_folder
from bedside.store.key import find_patient, patient_token, server_key, subkey

__all__ = ["data_folder", "find_patient", "patient_token", "server_key", "subkey"]
