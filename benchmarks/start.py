"""How long from process start to a healthy answer, beside a bare Streamlit app in the same run.

    python -m benchmarks.start [rounds]

Bar: median of 10 at most 1.5 s on two cores. The ratio to the bare app says
what Bedside itself costs, whatever the machine is doing at the time.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BAR_SECONDS = 1.5
BARE = "import streamlit as st\nst.title('Hello')\n"
PORT = 8597


def seconds_to_health(app: Path, folder: Path) -> float:
    """Start `app` and wait for its health endpoint."""
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.port", str(PORT), "--server.headless=true"]
    surroundings = {**os.environ, "BEDSIDE_DATA": str(folder / "data")}
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/_stcore/health", timeout=5) as answer:
                    if answer.status == 200:
                        return time.perf_counter() - begin
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.01)
        raise SystemExit(f"{app} ended with {process.returncode} before it was healthy")
    finally:
        process.terminate()
        process.wait()


def main(rounds: int) -> None:
    """Alternate the two, so that both meet the same load, and print medians."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bare").mkdir()
        bare = folder / "bare" / "hello.py"
        bare.write_text(BARE, encoding="utf-8")
        apps = {"Bedside": ROOT / "app.py", "bare Streamlit": bare}
        for app in apps.values():
            seconds_to_health(app, folder)
        times: dict[str, list[float]] = {label: [] for label in apps}
        for _ in range(rounds):
            for label, app in apps.items():
                times[label].append(seconds_to_health(app, folder))
    medians = {label: statistics.median(values) for label, values in times.items()}
    lines = [
        f"{label:15} median {medians[label]:.2f} s  ({min(values):.2f} to {max(values):.2f}, n = {len(values)})"
        for label, values in times.items()
    ]
    ratio = medians["Bedside"] / medians["bare Streamlit"]
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    lines += [f"ratio {ratio:.2f}   bar {BAR_SECONDS} s   load {load} on {os.cpu_count()} cores"]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
