"""What was taken, one JSON object a line, in a file that others may count."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson


class Journal:
    """The journal at `path`, appended to (mode 0600 if it is new); without a path it keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        """Raises OSError."""
        self._file = -1
        if path is not None:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    @property
    def kept(self) -> bool:
        """Whether anything is written at all."""
        return self._file >= 0

    def took(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Write lines; they outlive this process once this returns. Raises OSError: then some may be missing."""
        content = memoryview(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        while self.kept and content:
            content = content[os.write(self._file, content) :]

    def close(self) -> None:
        """Close the file."""
        if self.kept:
            os.close(self._file)
            self._file = -1
