"""``python -m benchmarks.parity DIR``: every number of a folder of references against Bedside's own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.parity.compare import Tally
from benchmarks.parity.kinds import documentation
from benchmarks.parity.runner import run


def main() -> int:
    """Print a line per block and the sum; the exit code says whether all agreed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parity", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="folder with blocks.json, reference files and inputs")
    parser.add_argument("--only", default="", help="only blocks whose address holds this text")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the first failing numbers of each block")
    parser.add_argument("--kinds", action="store_true", help="print what can be computed, with its options, and stop")
    asked = parser.parse_args()
    if asked.kinds:
        print("\n\n".join(told for told in documentation()))
        return 0
    if asked.folder is None:
        parser.error("which folder?")
    total, unsupported = Tally(), 0
    for line in run(asked.folder, only=asked.only):
        tally = line.tally
        parts = [f"{tally.passed} passed"]
        parts += [f"{tally.failed} FAILED"] if tally.failed else []
        parts += [f"{tally.gaps} missing values DIFFER"] if tally.gaps else []
        parts += [f"{line.unsupported} unsupported ({line.note})"] if line.unsupported else []
        parts += [line.note] if line.note and not line.unsupported else []
        parts += [f"worst {tally.worst:.1e}"] if tally.passed else []
        print(f"{line.at}  {line.compute}: {', '.join(parts)}", flush=True)
        for fault in tally.faults[: 12 if asked.verbose else 0]:
            print(f"    {fault}")
        total.add(tally)
        unsupported += line.unsupported
    if total.gaps:
        print(f"{total.gaps} places are missing or infinite on one side only")
    print(f"{total.passed} passed, {total.failed} failed, {unsupported} unsupported")
    return int(bool(total.failed or total.gaps))


if __name__ == "__main__":
    sys.exit(main())
