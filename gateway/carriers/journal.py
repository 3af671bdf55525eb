"""What the simulated carrier took and still has to report, in a file outside the database.

One short line for each segment taken (`T ref message seq attempt destination due`, the time its receipt is due
in UTC microseconds, 0 for never) and for each receipt that was acknowledged (`A ref`). A batch is one `write`,
so it survives the death of the process; a line that was cut short was never answered and is dropped.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

LIMIT = 16 * 1024 * 1024
"""Bytes after which the journal is rewritten with what is still due."""


class Entry(NamedTuple):
    """A segment taken; `due` is when its receipt is, in UTC microseconds, 0 for never."""

    ref: str
    message_id: int
    seq: int
    attempt: int
    destination: str
    due: int


class Journal:
    """The journal at `path`. With `keep` nothing is ever removed from it, otherwise it stays below `limit`."""

    def __init__(self, path: Path, *, keep: bool = False, limit: int = LIMIT) -> None:
        self._path = path
        self._keep = keep
        self._limit = limit
        self._file = -1
        self._size = 0
        self._due: dict[str, Entry] = {}

    def open(self) -> list[Entry]:
        """Make the file (mode 0600) or read it; the segments whose receipts are still due. Raises OSError."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        whole = 0
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                self._take_in(line.decode("ascii").split())
        os.ftruncate(self._file, whole)
        self._size = whole
        if not self._keep:
            self._rewrite()
        return list(self._due.values())

    def took(self, entries: Sequence[Entry]) -> None:
        """Write down segments that are being taken. Raises OSError: then they were not."""
        self._write(map(_taken, entries))
        self._due.update((entry.ref, entry) for entry in entries if entry.due)

    def acknowledged(self, refs: Sequence[str]) -> None:
        """Write down that the receipts of these segments were acknowledged. Raises OSError."""
        self._write(f"A {ref}\n" for ref in refs)
        for ref in refs:
            self._due.pop(ref, None)
        if self._size > self._limit and not self._keep:
            self._rewrite()

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _take_in(self, words: list[str]) -> None:
        if words[0] == "T":
            ref, message_id, seq, attempt, destination, due = words[1:]
            if due != "0":
                self._due[ref] = Entry(ref, int(message_id), int(seq), int(attempt), destination, int(due))
        else:
            self._due.pop(words[1], None)

    def _write(self, lines: Iterable[str]) -> None:
        content = memoryview("".join(lines).encode("ascii"))
        while content:
            written = os.write(self._file, content)
            self._size += written
            content = content[written:]

    def _rewrite(self) -> None:
        """Replace the file by one that holds only what is due; a crash leaves the old or the new."""
        old, self._size = self._file, 0
        fresh = self._path.with_suffix(".new")
        self._file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._write(map(_taken, self._due.values()))
        fresh.replace(self._path)
        os.close(old)


def _taken(entry: Entry) -> str:
    return f"T {entry.ref} {entry.message_id} {entry.seq} {entry.attempt} {entry.destination} {entry.due}\n"
