"""How long every machine format takes for a hundred thousand findings, and how much memory.

    python benchmarks/formats.py             every format, 100,000 findings
    python benchmarks/formats.py ocsf 20000  one format, that many findings

Each format runs in a process of its own that writes into a file.  Seconds are those of the processor, for a machine may
be busy with other things; building the findings is not counted.  Events are compared with the least that could be done:
encoding the same objects once more with the JSON encoder of the standard library and writing them.  A ratio says the
same on every machine.  Fails (exit 1) above the budgets.
"""

from __future__ import annotations

import importlib
import itertools
import json
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
#: Times the floor; measured 1.7.
RATIO = 3.0
EVENTS = ("ocsf", "ecs", "ndjson")
_CHUNK = 2_000


def peak_mebibytes() -> float:
    """VmHWM: `ru_maxrss` of a child includes the peak of its parent."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def floor(path: Path) -> float:
    """Seconds to encode and write the objects of a file once more, a few at a time so that memory says nothing."""
    encode = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
    seconds = 0.0
    with path.open(encoding="utf-8") as lines, tempfile.TemporaryFile("w", encoding="utf-8") as out:
        while chunk := list(itertools.islice(lines, _CHUNK)):
            objects = [json.loads(line) for line in chunk]
            started = time.process_time()
            for each in objects:
                out.write(encode(each) + "\n")
            seconds += time.process_time() - started
    return seconds


def measure(name: str, number: int) -> tuple[float, float, float, float]:
    """Seconds, MiB at the peak, MB written, times the floor (0 where there is none)."""
    report = big_report(number)
    module = importlib.import_module(f"auditor.reporters.{name}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        with path.open("w", encoding="utf-8", newline="") as out:
            started = time.process_time()
            if name in EVENTS:
                for line in module.lines(report):
                    out.write(line + "\n")
            else:
                out.write(module.render(report))
            out.flush()
            seconds = time.process_time() - started
        peak = peak_mebibytes()
        ratio = seconds / floor(path) if name in EVENTS else 0.0
        return seconds, peak, path.stat().st_size / 1e6, ratio


def main() -> int:
    names = FORMATS if len(sys.argv) < 2 else (sys.argv[1],)
    number = NUMBER if len(sys.argv) < 3 else int(sys.argv[2])
    late = False
    context = multiprocessing.get_context("spawn")
    for name in names:
        with context.Pool(1) as pool:
            seconds, mebibytes, size, ratio = pool.apply(measure, (name, number))
        budget_seconds, budget_mebibytes = BUDGETS.get(name, OTHERS)
        over = seconds > budget_seconds or mebibytes > budget_mebibytes or ratio > RATIO
        late |= over
        verdict = f"OVER {budget_seconds} s, {budget_mebibytes} MiB, x {RATIO:g}" if over else "ok"
        floors = f"x {ratio:4.1f}" if ratio else "      "
        print(f"{name:12} {number:7} findings {seconds:6.2f} s {floors} {mebibytes:6.0f} MiB {size:7.1f} MB  {verdict}")
    return int(late)


if __name__ == "__main__":
    sys.exit(main())
