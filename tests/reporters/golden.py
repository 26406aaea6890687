"""Golden files: what a report looks like, to be read in a review.

`python -m tests.reporters.golden` writes them anew and names those that changed; read the difference before a commit.
All are made of the fixed reports of `fixture.py`, so that no rule, scenario or clock changes them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"
REFRESH = "python -m tests.reporters.golden"


def compare(name: str, text: str) -> None:
    """Compares a text with the golden file of that name, byte for byte."""
    path = FOLDER / name
    if os.environ.get("PLAUDIT_WRITE_GOLDEN") == "1":
        FOLDER.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    expected = path.read_bytes() if path.exists() else b""
    assert text.encode() == expected, f"{name} changed; write it with `{REFRESH}` and read the difference"


def main() -> int:
    """Runs the tests that compare with golden files, each writing its own; returns what they return."""
    import pytest

    before = _contents()
    os.environ["PLAUDIT_WRITE_GOLDEN"] = "1"
    code = pytest.main(
        ["-q", "-p", "no:cacheprovider", "-k", "golden or looks_as_it_did or look_as_they_did", str(FOLDER.parent)]
    )
    after = _contents()
    for name in sorted(after):
        if before.get(name) != after[name]:
            sys.stdout.write(f"written: {FOLDER / name}\n")
    return int(code)


def _contents() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in FOLDER.iterdir()} if FOLDER.is_dir() else {}


if __name__ == "__main__":
    sys.exit(main())
