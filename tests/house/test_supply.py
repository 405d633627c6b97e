"""What is installed is what was locked, and not older than its security fixes.

No feed of advisories can be reached from here, and a scanner that reaches
none says "no known vulnerabilities". So the floors are written down.
"""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.version import Version

from tests.serving import ROOT

FLOORS = {
    "streamlit": "1.54.0",  # CVE-2026-33682
    "starlette": "1.1.0",  # CVE-2026-48818, CVE-2025-62727, CVE-2025-54121
    "python-multipart": "0.0.27",  # CVE-2026-42561
    "authlib": "1.6.9",  # CVE-2026-27962, CVE-2025-61920, CVE-2025-62706
    "pyarrow": "14.0.1",  # CVE-2023-47248
}
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-all.txt")
EXTRA = "requirements-boost.txt"  # is put beside the first, not in its place
OMOP = "requirements-omop.txt"  # so is this


def _locked(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", path.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_installed_and_locked_versions_carry_the_fixes(name: str, floor: str):
    assert Version(metadata.version(name)) >= Version(floor)
    for lock in LOCKS:
        assert Version(_locked(ROOT / lock)[name]) >= Version(floor)


@pytest.mark.parametrize(("lock", "at_least"), [*((lock, 40) for lock in LOCKS), (EXTRA, 2), (OMOP, 1)])
def test_every_locked_package_has_hashes(lock: str, at_least: int):
    text = (ROOT / lock).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", text.split("\n", 2)[2])
    assert len(blocks) >= at_least
    for block in blocks:
        assert re.match(r"[a-z0-9._-]+==", block) and "--hash=sha256:" in block, block[:80]


def test_the_locks_agree():
    run, dev, everything = (_locked(ROOT / lock) for lock in LOCKS)
    assert {name: dev.get(name) for name in run} == run
    assert {name: everything.get(name) for name in dev} == dev
    assert {name: dev.get(name) for name in _locked(ROOT / OMOP)} == _locked(ROOT / OMOP)
    extra = _locked(ROOT / EXTRA)
    assert {name: dev.get(name) for name in extra} == extra
    assert extra.items() - {name: extra[name] for name in direct_names("requirements-boost.in")}.items() <= run.items()


def direct_names(file: str) -> set[str]:
    """What a file of requirements asks for by name."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return {name.lower() for name in re.findall(r"^([A-Za-z0-9._-]+)", text, re.MULTILINE)}


def test_the_lock_holds_every_direct_dependency():
    for stem in ("requirements", "requirements-boost", "requirements-omop"):
        assert direct_names(f"{stem}.in") <= set(_locked(ROOT / f"{stem}.txt"))


def test_every_direct_dependency_says_why():
    for file in ("requirements.in", "requirements-boost.in", "requirements-omop.in"):
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            assert line.startswith("#") or not line or "#" in line, line


def test_nothing_under_the_gpl_or_with_a_gpu_library():
    locked = set(_locked(ROOT / "requirements.txt")) | set(_locked(ROOT / EXTRA))
    assert not locked & {"scikit-survival", "xgboost"}
    assert not any(name.startswith("nvidia-") for name in locked)


def test_the_font_comes_with_its_licence():
    assert "SIL OPEN FONT LICENSE" in (ROOT / "static" / "fonts" / "OFL.txt").read_text(encoding="utf-8")
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_static_holds_nothing_but_looks():
    kinds = {path.suffix for path in (ROOT / "static").rglob("*") if path.is_file()}
    assert kinds <= {".woff2", ".txt", ".svg", ".png", ".css", ".js"}
