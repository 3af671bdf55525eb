"""Reading a CSV file of contacts (RFC 4180), line by line and in bounded memory."""

import csv
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gateway.messaging.contact import MAIN_FIELD, contact_number
from gateway.messaging.quoting import quote

MAX_LINE = 16_384
"""Most bytes of a physical line."""

MAX_VALUES = 4_000
"""Most characters of a contact's values together, as for `group.addcontact`."""


class Unreadable(ValueError):
    """The file as a whole cannot be used; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A line that is right: the number as it is kept, and the values that are not empty."""

    mobile: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that cannot be a contact; `line` counts the file's lines from 1."""

    line: int
    reason: str


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """The file, to be read as often as need be: a pipe, and standard input for `-`, from a temporary copy.

    Raises Unreadable.
    """
    try:
        with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as file:
            if name != "-" and file.seekable():
                yield file
            else:
                with tempfile.TemporaryFile() as copy:
                    shutil.copyfileobj(file, copy)
                    yield copy
    except OSError as error:
        raise Unreadable(f"the file {name} cannot be read: {error.strerror}") from None


class Reader:
    """Reads one file; `position` is how many bytes of it were read."""

    def __init__(self, file: BinaryIO, fields: Sequence[str]) -> None:
        """Read the header. Raises Unreadable for one without mobile, or with names that the group has not."""
        self._file = file
        self._file.seek(0)
        self._lines = 0
        self._broken: str | None = None
        self.position = 0
        first = next(self._physical(), None)
        if first is None or self._broken:
            raise Unreadable(f"the file's first line cannot be read: {self._broken or 'the file is empty'}")
        first = first.removeprefix("\ufeff")
        self._delimiter = ";" if ";" in first and "," not in first else ","
        self._names = [name.strip() for name in next(csv.reader([first], delimiter=self._delimiter), [])]
        self._check_header(fields)

    def __iter__(self) -> Iterator[Contact | Fault]:
        """Every line after the header that is not blank."""
        while True:
            begun = self._lines + 1
            try:
                record = next(csv.reader(self._physical(), delimiter=self._delimiter, strict=True), None)
            except csv.Error as error:
                yield Fault(begun, self._broken or f"it is no CSV: {error}")
                self._broken = None
                continue
            if self._broken is not None:
                yield Fault(self._lines, self._broken)
                self._broken = None
            elif record is None:
                return
            elif record:
                yield self._contact(begun, record)

    def _physical(self) -> Iterator[str]:
        """The file's lines as text; one that is none ends the record, and `_broken` says why."""
        while line := self._file.readline(MAX_LINE + 1):
            self._lines += 1
            self.position += len(line)
            if len(line) > MAX_LINE:
                self._skip_line()
                self._broken = f"it is longer than {MAX_LINE} bytes"
                return
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                self._broken = f"it is not UTF-8 text at byte {error.start + 1}"
                return
            yield text

    def _skip_line(self) -> None:
        while rest := self._file.readline(MAX_LINE):
            self.position += len(rest)
            if rest.endswith(b"\n"):
                return

    def _check_header(self, fields: Sequence[str]) -> None:
        names = self._names
        if MAIN_FIELD not in names:
            raise Unreadable(f"the file's first line names no column {MAIN_FIELD!r}")
        for position, name in enumerate(names):
            if name in names[:position]:
                raise Unreadable(f"the file's first line names {quote(name)} twice")
        if foreign := [name for name in names if name != MAIN_FIELD and name not in fields]:
            known = ", ".join(fields) or "none"
            raise Unreadable(f"the group has no field {', '.join(map(quote, foreign[:10]))}; its fields are: {known}")

    def _contact(self, line: int, record: Sequence[str]) -> Contact | Fault:
        if len(record) != len(self._names):
            return Fault(line, f"it has {len(record)} values, and the first line {len(self._names)}")
        values = dict(zip(self._names, record, strict=True))
        mobile = values.pop(MAIN_FIELD)
        if not mobile.strip():
            return Fault(line, "it has no mobile")
        if sum(map(len, record)) > MAX_VALUES:
            return Fault(line, f"its values have more than {MAX_VALUES} characters together")
        if any("\0" in value for value in record):
            return Fault(line, "it holds the character U+0000")
        try:
            return Contact(contact_number(mobile), {name: value for name, value in values.items() if value})
        except ValueError as error:
            return Fault(line, str(error))
