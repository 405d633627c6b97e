"""The server key and patient tokens."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.errors import Fixable
from bedside.store.folder import data_folder
from bedside.store.key import find_patient, patient_token, server_key, subkey

KEY = b"k" * 32


def test_the_key_is_made_once_and_private(tmp_path: Path):
    key = server_key(tmp_path)
    assert len(key) == 32
    assert server_key(tmp_path) == key
    assert (tmp_path / "server.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["server.key"]


def test_starting_at_once_agrees_on_one_key(tmp_path: Path):
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: server_key(tmp_path), range(64)))
    assert len(keys) == 1


def test_a_damaged_key_is_refused(tmp_path: Path):
    (tmp_path / "server.key").write_bytes(b"short")
    with pytest.raises(Fixable, match="holds 5 bytes"):
        server_key(tmp_path)


def test_data_folder_follows_the_environment_and_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    loose = tmp_path / "loose"
    loose.mkdir(mode=0o755)
    monkeypatch.setenv("BEDSIDE_DATA", str(loose))
    assert data_folder() == loose
    assert loose.stat().st_mode & 0o777 == 0o700


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "file"))
    with pytest.raises(Fixable, match="data folder"):
        data_folder()


def test_a_token_is_the_published_construction():
    """HMAC-SHA256 with a key derived for this cohort, base64url, 22 characters."""
    token = patient_token(KEY, "gbsg2", "304")
    assert token == patient_token(KEY, "gbsg2", "304")
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", token)
    assert token not in {
        patient_token(KEY, "pbc", "304"),
        patient_token(KEY, "gbsg2", "305"),
        patient_token(b"j" * 32, "gbsg2", "304"),
        patient_token(KEY, "gbsg2:3", "04"),
    }


def test_keys_for_two_purposes_differ():
    assert subkey(KEY, "pass") != subkey(KEY, "patient:pass")


@given(st.lists(st.text(), unique=True, min_size=1, max_size=30), st.data())
def test_a_token_finds_its_patient_and_no_other(identifiers: list[str], data: st.DataObject):
    row = data.draw(st.integers(0, len(identifiers) - 1))
    token = patient_token(KEY, "c", identifiers[row])
    assert find_patient(KEY, "c", identifiers, token) == row
    assert find_patient(KEY, "other", identifiers, token) is None


@given(st.text())
def test_anything_may_stand_in_a_link(token: str):
    assert find_patient(KEY, "c", ["1", "2"], token) is None


def test_repeated_identifiers_give_the_first_row():
    assert find_patient(KEY, "c", ["7", "8", "8"], patient_token(KEY, "c", "8")) == 1


def test_a_hundred_thousand_patients_are_searched():
    identifiers = [str(number) for number in range(100_000)]
    token = patient_token(KEY, "c", "99999")
    assert find_patient(KEY, "c", identifiers, token) == 99_999
    assert find_patient(KEY, "c", identifiers, token) == 99_999
