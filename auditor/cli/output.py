"""Where results go: every place is tried before collecting begins, and every file is replaced whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from auditor.errors import DeliveryError, UsageError
from auditor.replacement import Replacement


class Sink(Protocol):
    """One place that takes one document.  `write` raises OSError or DeliveryError."""

    def write(self, data: str | bytes) -> None: ...

    def discard(self) -> None: ...


class FileSink:
    """A file that is replaced when its document is whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.replacement = _replacement(path)

    def write(self, data: str | bytes) -> None:
        try:
            self.replacement.file.write(data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data)
            self.replacement.commit()
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        self.replacement.discard()


class DeviceSink:
    """A pipe, a terminal, /dev/null: nothing to rename, so it is written to directly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, data: str | bytes) -> None:
        with self.path.open("wb") as file:
            file.write(data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data)

    def discard(self) -> None:
        """Nothing was left there."""


@dataclass(frozen=True, slots=True)
class Output:
    """One requested document; `sink` is None for standard output."""

    name: str
    path: Path | None
    sink: Sink | None


class Outputs:
    """All places a command was asked to write to, opened.  What was not written when the block ends is discarded."""

    def __init__(self, documents: Sequence[Output], save: FileSink | None) -> None:
        self.documents = documents
        self.save = save

    def discard(self) -> None:
        for output in self.documents:
            if output.sink is not None:
                output.sink.discard()
        if self.save is not None:
            self.save.discard()


@contextmanager
def opened(formats: Sequence[tuple[str, Path | None]], save: Path | None = None) -> Iterator[Outputs]:
    """Opens every place, before anything is asked of the cloud.  Raises UsageError where that cannot be done."""
    standard = [name for name, path in formats if path is None]
    if len(standard) > 1:
        raise UsageError(
            f"only one format can go to standard output, not {' and '.join(standard)}; write {standard[-1]}=FILE"
        )
    seen: dict[Path, str] = {}
    for name, path in [*formats, *([("the snapshot", save)] if save is not None else [])]:
        if path is None:
            continue
        try:
            place = path.resolve()
        except (OSError, ValueError):  # a loop of links, a null byte
            raise UsageError(f"{str(path)!r} is not a file name") from None
        if place in seen and not _is_device(place):
            raise UsageError(f"{path}: both {seen[place]} and {name} would be written there; name two files")
        seen[place] = name
    documents: list[Output] = []
    outputs = Outputs(documents, None)
    try:
        for name, path in formats:
            sink = None if path is None else DeviceSink(path) if _is_device(path) else FileSink(path)
            documents.append(Output(name, path, sink))
        if save is not None:
            if _is_device(save):  # a snapshot is renamed into its place, which would put a file where a device was
                raise UsageError(f"{save}: is no file; a snapshot needs one")
            outputs.save = FileSink(save)
        yield outputs
    finally:
        outputs.discard()


def write_file(path: Path, data: str | bytes) -> None:
    """One document into one file.  Raises DeliveryError."""
    try:
        (DeviceSink(path) if _is_device(path) else FileSink(path)).write(data)
    except OSError as error:
        raise DeliveryError(f"{path}: cannot be written: {error.strerror}") from None


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _replacement(path: Path) -> Replacement:
    try:
        return Replacement(path)
    except FileNotFoundError:
        raise UsageError(f"{path}: the folder {path.parent} does not exist; create it first") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or type(error).__name__}") from None
