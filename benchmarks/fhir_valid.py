"""Are the resources of a folder formed as FHIR R4 says? By the class library of others (fhir.resources, BSD), offline.

    python -m benchmarks.fhir_valid DIR [--every N]

Looks at every N-th resource of each kind, prints how many of each are valid and what is wrong with the first of the
others, by field and never by value, and ends with 1 if there is any. The app itself validates nothing: what is not
formed as FHIR says is left out and counted.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from bedside.intake.standards.fhir_stream import Tally, resources
from bedside.intake.standards.recognise import recognise


def fault_of(told: Mapping[str, Any]) -> str:
    """The first thing that is wrong with a resource, by its field; empty if it is valid."""
    try:
        get_fhir_model_class(told["resourceType"]).model_validate(told)
    except KeyError:
        return "resourceType: unknown"
    except ValidationError as fault:
        first = fault.errors(include_input=False, include_url=False, include_context=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['type']}"
    return ""


def checked(files: Iterable[Path], every: int = 1) -> Iterator[tuple[str, str]]:
    """Kind and fault of every N-th resource of each kind."""
    seen: Counter[str] = Counter()
    for path in files:
        for _, told in resources(path, Tally(path.name)):
            kind = told["resourceType"]
            seen[kind] += 1
            if (seen[kind] - 1) % every == 0:
                yield kind, fault_of(told)


def main(arguments: list[str] | None = None) -> int:
    """Look at a folder; 1 if a resource is not valid."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fhir_valid", description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="look at every N-th resource of each kind only")
    chosen = parser.parse_args(arguments)
    begin = time.perf_counter()
    files = [path for found in recognise(chosen.folder) if found.kind == "fhir" for path in found.files]
    told = list(checked(files, max(1, chosen.every)))
    wrong = Counter((kind, fault) for kind, fault in told if fault)
    for kind, n in Counter(kind for kind, _ in told).most_common():
        sys.stdout.write(
            f"{kind:30} {n:>7,} looked at, {sum(k for (c, _), k in wrong.items() if c == kind):>6,} wrong\n"
        )
    for (kind, fault), n in wrong.most_common(20):
        sys.stdout.write(f"WRONG  {kind}.{fault} ({n:,})\n")
    sys.stdout.write(f"{len(files)} files, {len(told):,} resources, {time.perf_counter() - begin:.1f} s\n")
    return 1 if wrong or not told else 0


if __name__ == "__main__":
    sys.exit(main())
