"""How long every machine format takes for a hundred thousand findings, and how much memory.

    python benchmarks/formats.py             every format, 100,000 findings
    python benchmarks/formats.py ocsf 20000  one format, that many findings

Each format runs in a process of its own that writes into a file.  Seconds are those of the processor, for a machine may
be busy with other things; building the findings is not counted.  Fails (exit 1) above the budgets.
"""

from __future__ import annotations

import importlib
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.reporters.fixture import big_report

FORMATS = ("ocsf", "ecs", "ndjson", "csv", "junit", "codequality", "sarif", "markdown", "github", "prometheus")
NUMBER = 100_000

#: Seconds of the processor and MiB (the findings themselves included); OCSF is the promise, the rest follows it.
BUDGETS = {"ocsf": (5.0, 500), "ecs": (10.0, 500), "ndjson": (10.0, 700)}
OTHERS = (10.0, 900)


def peak_mebibytes() -> float:
    """VmHWM: `ru_maxrss` of a child includes the peak of its parent."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def measure(name: str, number: int) -> tuple[float, float, float]:
    """Seconds, MiB at the peak, MB written."""
    report = big_report(number)
    module = importlib.import_module(f"auditor.reporters.{name}")
    with tempfile.TemporaryFile("w", encoding="utf-8", newline="") as out:
        started = time.process_time()
        if name in ("ocsf", "ecs", "ndjson"):
            for line in module.lines(report):
                out.write(line + "\n")
        else:
            out.write(module.render(report))
        out.flush()
        seconds = time.process_time() - started
        out.seek(0, 2)
        return seconds, peak_mebibytes(), out.tell() / 1e6


def main() -> int:
    names = FORMATS if len(sys.argv) < 2 else (sys.argv[1],)
    number = NUMBER if len(sys.argv) < 3 else int(sys.argv[2])
    late = False
    context = multiprocessing.get_context("spawn")
    for name in names:
        with context.Pool(1) as pool:
            seconds, mebibytes, size = pool.apply(measure, (name, number))
        budget_seconds, budget_mebibytes = BUDGETS.get(name, OTHERS)
        over = seconds > budget_seconds or mebibytes > budget_mebibytes
        late |= over
        verdict = f"OVER {budget_seconds} s, {budget_mebibytes} MiB" if over else "ok"
        print(f"{name:12} {number:7} findings {seconds:6.2f} s {mebibytes:6.0f} MiB {size:7.1f} MB  {verdict}")
    return int(late)


if __name__ == "__main__":
    sys.exit(main())
