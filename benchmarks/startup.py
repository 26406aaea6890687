"""Start-up: `plaudit --help` and `--version` against a bare click group of the same size, in fresh processes.

Both are started in turn, so that a busy machine slows both; the smallest time of each counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE = """
import click

@click.group()
@click.version_option("1", prog_name="bare")
def cli():
    "A group."
{commands}
cli()
"""
COMMAND = """
@cli.command()
@click.option("--one", help="x")
def {name}():
    "Does something."
"""
BUDGET = 1.5


def seconds(command: list[str]) -> float:
    """Wall time of one run."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> int:
    """Prints the times and their ratios; 1 if a ratio is beyond its budget and `--check` was given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    os.environ["PYTHONPATH"] = str(root)
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE.format(commands="".join(COMMAND.format(name=f"c{n}") for n in range(8))), encoding="utf-8")
        for argument in ("--help", "--version"):
            ours = [sys.executable, "-m", "auditor", argument]
            theirs = [sys.executable, str(bare), argument]
            pairs = [(seconds(ours), seconds(theirs)) for _ in range(options.runs)]
            mine, floor = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
            worst = max(worst, mine / floor)
            ratio = mine / floor
            print(f"{argument:<10} plaudit {mine * 1000:5.1f} ms   bare click {floor * 1000:5.1f} ms   x {ratio:.2f}")
    print(f"budget x {BUDGET}")
    return int(options.check and worst > BUDGET)


if __name__ == "__main__":
    sys.exit(main())
