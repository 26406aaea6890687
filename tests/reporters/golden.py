"""Golden files: what a report looks like, to be read in a review.  PLAUDIT_WRITE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def compare(name: str, text: str) -> None:
    """Compares a text with the golden file of that name, byte for byte."""
    path = FOLDER / name
    if os.environ.get("PLAUDIT_WRITE_GOLDEN") == "1":
        FOLDER.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    assert text.encode() == path.read_bytes(), f"{name} changed; look at it, then write it with PLAUDIT_WRITE_GOLDEN=1"
