"""The server's secret key, and patient tokens that say nothing about the patient."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from bedside.errors import Fixable
from bedside.store.folder import data_folder

KEY_BYTES = 32
TOKEN_LENGTH = 22  # 132 bits in URL-safe base64


def server_key(folder: Path | None = None) -> bytes:
    """The key of this installation, made on first use and the same ever after.

    Parameters
    ----------
    folder : Path, optional
        Where the file ``server.key`` lies; by default the data folder.

    Returns
    -------
    bytes
        32 bytes. Two processes that start at once agree: the file is written
        under another name and linked into place, which only one of them can do.

    Raises
    ------
    Fixable
        If the file cannot be read or written, or does not hold 32 bytes.
    """
    path = (folder or data_folder()) / "server.key"
    try:
        if not path.exists():
            _create(path)
        key = path.read_bytes()
    except OSError as fault:
        raise Fixable(
            "Bedside cannot use its server key.",
            f"{path} could not be read or written ({fault.strerror or 'unknown reason'}).",
            "Give this user the right to write that folder, or set BEDSIDE_DATA to another one.",
        ) from fault
    if len(key) != KEY_BYTES:
        raise Fixable(
            "Bedside cannot use its server key.",
            f"{path} holds {len(key)} bytes where {KEY_BYTES} are expected.",
            "Remove the file: a new key is made at the next start, and links to patients made with the old one end.",
        )
    return key


def _create(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # another process was first: its key is the key
    finally:
        draft.unlink()


def subkey(key: bytes, purpose: str) -> bytes:
    """A key for one purpose, so that a signature made for one is worth nothing for another."""
    return hmac.new(key, b"bedside:" + purpose.encode(), hashlib.sha256).digest()


def patient_token(key: bytes, cohort_key: str, identifier: str) -> str:
    """An opaque name for a patient, safe in a link, a log and a browser history.

    Parameters
    ----------
    key : bytes
        The server key.
    cohort_key : str
        The cohort's key or fingerprint. The same identifier has unrelated
        tokens in two cohorts.
    identifier : str
        The patient's identifier in the cohort.

    Returns
    -------
    str
        22 URL-safe characters: HMAC-SHA256 cut to 132 bits.
    """
    return _token(_cohort_key(key, cohort_key), identifier)


def find_patient(key: bytes, cohort_key: str, identifiers: Sequence[str], token: str) -> int | None:
    """The row of the patient whom a token names, or None.

    Parameters
    ----------
    key : bytes
        The server key.
    cohort_key : str
        As given to `patient_token`.
    identifiers : sequence of str, shape (n_patients,)
        Identifiers in row order.
    token : str
        Whatever stood in the link; anything may stand there.

    Returns
    -------
    int or None
        Row position, counted from 0; the first one if identifiers repeat.

    Notes
    -----
    Every candidate is compared in constant time, and all of them are, so that
    the time taken tells neither how much of a guess was right nor where.
    """
    if len(token) != TOKEN_LENGTH or not token.isascii():
        return None
    wanted = token.encode()
    found = None
    for row, candidate in enumerate(_tokens(_cohort_key(key, cohort_key), tuple(identifiers))):
        if hmac.compare_digest(candidate, wanted) and found is None:
            found = row
    return found


def patient_tokens(key: bytes, cohort_key: str, identifiers: Sequence[str]) -> tuple[str, ...]:
    """`patient_token` of every patient, in row order."""
    return tuple(token.decode("ascii") for token in _tokens(_cohort_key(key, cohort_key), tuple(identifiers)))


def _cohort_key(key: bytes, cohort_key: str) -> bytes:
    return subkey(key, f"patient:{cohort_key}")


def _token(cohort: bytes, identifier: str) -> str:
    # surrogatepass: an identifier read from a badly coded file must not stop the page.
    digest = hmac.digest(cohort, identifier.encode("utf-8", "surrogatepass"), "sha256")
    return base64.urlsafe_b64encode(digest)[:TOKEN_LENGTH].decode("ascii")


@lru_cache(maxsize=4)
def _tokens(cohort: bytes, identifiers: tuple[str, ...]) -> tuple[bytes, ...]:
    """All tokens of a cohort: 1e5 patients take a fifth of a second once, a few milliseconds after."""
    return tuple(_token(cohort, identifier).encode("ascii") for identifier in identifiers)
