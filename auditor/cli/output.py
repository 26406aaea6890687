"""Where results go: every place is tried before collecting begins, and every file is replaced whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from auditor.cli.formats import HTML_DIR, Document
from auditor.cli.report_names import PLACEHOLDERS
from auditor.errors import DeliveryError, UsageError
from auditor.replacement import FolderReplacement, Replacement


class Sink(Protocol):
    """One place that takes one document.  `write` raises OSError or DeliveryError."""

    def write(self, data: Document) -> None: ...

    def discard(self) -> None: ...


class FileSink:
    """A file that is replaced when its document is whole, and `latest`, a copy of it.

    A copy and not a link: it stays when the dated file is deleted, and every web server and volume can serve it.
    """

    def __init__(self, path: Path, latest: Path | None = None, mode: int | None = None) -> None:
        self.path = path
        self.written = False
        self.replacement = _replacement(path, mode)
        try:
            self._latest = None if latest is None else _replacement(latest, mode)
        except BaseException:
            self.replacement.discard()
            raise

    def write(self, data: Document) -> None:
        try:
            self.replacement.file.write(whole(data))
            self.commit()
        except BaseException:
            self.discard()
            raise

    def commit(self) -> None:
        """Gives what was written into `replacement` its name, then its copy."""
        self.replacement.commit()
        if self._latest is not None:
            with self.path.open("rb") as file:
                shutil.copyfileobj(file, self._latest.file)
            self._latest.commit()
        self.written = True

    def discard(self) -> None:
        self.replacement.discard()
        if self._latest is not None:
            self._latest.discard()


class DeviceSink:
    """A pipe, a terminal, /dev/null: nothing to rename, so it is written to directly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, data: Document) -> None:
        with self.path.open("wb") as file:
            file.write(whole(data))

    def discard(self) -> None:
        """Nothing was left there."""


class FolderSink:
    """A folder that is replaced when all of its files are whole."""

    def __init__(self, path: Path) -> None:
        from auditor.reporters.html import FOLDER_FILES

        self._replacement = FolderReplacement(path, FOLDER_FILES)

    def write(self, data: Document) -> None:
        if not isinstance(data, Mapping):
            raise TypeError("one document is no folder")
        try:
            self._replacement.commit(data)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        self._replacement.discard()


def whole(data: Document) -> bytes:
    """One document as it is written.  Raises TypeError for a folder."""
    if isinstance(data, Mapping):
        raise TypeError("a folder is no single document")
    return data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data


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


#: Formats whose file another user reads, whatever the umask: node_exporter runs as one of its own.
_MODES = {"prometheus": 0o644}


@contextmanager
def opened(
    formats: Sequence[tuple[str, Path | None]],
    save: Path | None = None,
    latest: Mapping[Path, Path] | None = None,
    html_dir: Path | None = None,
) -> Iterator[Outputs]:
    """Opens every place, before anything is asked of the cloud.  Raises UsageError where that cannot be done.

    `latest` names the copies of some of the files; `html_dir` is the folder the HTML report goes to as separate files.
    """
    if html_dir is not None:
        formats = [*formats, (HTML_DIR, html_dir)]
    latest = latest or {}
    standard = [name for name, path in formats if path is None]
    if len(standard) > 1:
        raise UsageError(
            f"only one format can go to standard output, not {' and '.join(standard)}; write {standard[-1]}=FILE"
        )
    seen: dict[Path, str] = {}
    named = [*formats, *([("the snapshot", save)] if save is not None else [])]
    named += [(f"the latest {name}", latest[path]) for name, path in named if path is not None and path in latest]
    for name, path in named:
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
            documents.append(Output(name, path, _sink(name, path, latest)))
        if save is not None:
            if _is_device(save):  # a snapshot is renamed into its place, which would put a file where a device was
                raise UsageError(f"{save}: is no file; a snapshot needs one")
            outputs.save = FileSink(save, latest.get(save))
        yield outputs
    finally:
        outputs.discard()


def _sink(name: str, path: Path | None, latest: Mapping[Path, Path]) -> Sink | None:
    if path is None:
        return None
    if name == HTML_DIR:
        if any(f"{{{placeholder}}}" in path.name for placeholder in PLACEHOLDERS):
            raise UsageError(f"{path}: placeholders stand in names of files; --html-dir is the same folder every time")
        try:
            return FolderSink(path)
        except FileNotFoundError:
            raise UsageError(f"{path}: the folder {path.parent} does not exist; create it first") from None
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or type(error).__name__}") from None
    return DeviceSink(path) if _is_device(path) else FileSink(path, latest.get(path), _MODES.get(name))


def write_file(path: Path, data: Document) -> None:
    """One document into one file.  Raises DeliveryError."""
    try:
        (DeviceSink(path) if _is_device(path) else FileSink(path)).write(data)
    except OSError as error:
        raise DeliveryError(f"{path}: cannot be written: {error.strerror}") from None


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _replacement(path: Path, mode: int | None = None) -> Replacement:
    try:
        return Replacement(path, mode)
    except FileNotFoundError:
        raise UsageError(f"{path}: the folder {path.parent} does not exist; create it first") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or type(error).__name__}") from None
