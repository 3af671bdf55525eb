"""The data folder as the processes share it: who runs on it, and what is thrown away at a start."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.hosting.waiting import wait_until

# Roles whose supervisor was killed end by themselves; a new supervisor waits so many seconds for that.
PATIENCE = 30.0


def metrics_folder(data: Path) -> Path:
    """Where the processes keep their counters."""
    return data / "run" / "metrics"


class Folder:
    """A data folder, made with mode 0700 where it is missing.

    `shared` is a descriptor for the roles to inherit: as long as one of them lives, nobody else runs here.
    """

    def __init__(self, path: Path) -> None:
        """Raises `OSError`, its text one sentence, where the folder cannot be used."""
        self._path = path
        self._run = path / "run"
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._run.mkdir(exist_ok=True, mode=0o700)
            self._own = _open(self._run / "supervisor.lock")
            self.shared = _open(self._run / "roles.lock")
        except OSError as error:
            raise OSError(f"the data folder {path} cannot be used: {error.strerror}") from None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep every other supervisor out. Raises `OSError`, its text one sentence, where there is one."""
        if not _taken(self._own):
            raise OSError(
                f"trunkline already runs on {self._path}{self._by()}: stop it, or choose another folder with --data"
            )
        os.ftruncate(self._own, 0)
        os.pwrite(self._own, str(os.getpid()).encode(), 0)
        if not wait_until(lambda: _taken(self.shared), PATIENCE):
            raise OSError(f"processes of an earlier run on {self._path} have not ended: end them first")
        try:
            yield
        finally:
            os.close(self.shared)
            os.close(self._own)

    def clean(self) -> None:
        """Throw away the counters of the processes of the last run."""
        folder = metrics_folder(self._path)
        folder.mkdir(exist_ok=True, mode=0o700)
        for file in folder.glob("*.db"):
            file.unlink(missing_ok=True)

    def _by(self) -> str:
        number = os.pread(self._own, 20, 0).decode("ascii", "replace")
        return f" (process {number})" if number.isdigit() else ""


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _taken(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
