"""Turns at writing, for processes that share one SQLite file.

SQLite itself lets writers poll for its lock, which starves some and fails others. Here they queue in the
kernel: `flock` on one file is the turn, and a second file is a turnstile. Whoever waits for the turn holds the
turnstile, so that a busy process that ends its turn and wants the next one comes after those who wait. The
kernel frees both when their holder dies, however it dies.
"""

import fcntl
import os
from pathlib import Path


class Turn:
    """A process's claim to the turn at `path`; files are made with mode 0600.

    Not re-entrant, and held by one at a time even within a process: two `Turn`s of one path exclude each
    other. No threading lock is involved, so `take` may run in a native thread of a process whose threading
    is patched. Not to be carried over a fork: parent and child would share one claim.
    """

    def __init__(self, path: Path) -> None:
        self._pid = os.getpid()
        self._turn = _open(path.with_suffix(".lock"))
        self._turnstile = _open(path.with_suffix(".next"))
        self.held = False
        self._idle = [True]  # popped by who takes: atomic without a lock

    def take(self, blocking: bool = True) -> bool:
        """Take the turn; True when it is ours. Without `blocking` False at once if others have or await it."""
        if os.getpid() != self._pid:
            raise RuntimeError("a turn cannot be carried over a fork: open the database in the new process")
        try:
            self._idle.pop()
        except IndexError:
            raise RuntimeError("the turn is already taken, or waited for, by this process") from None
        taken = False
        try:
            taken = self.held = self._acquire(0 if blocking else fcntl.LOCK_NB)
        finally:
            if not taken:
                self._idle.append(True)
        return taken

    def release(self) -> None:
        """End the turn, from any thread; nothing happens if it is not ours."""
        if self.held:
            self.held = False
            fcntl.flock(self._turn, fcntl.LOCK_UN)
            self._idle.append(True)

    def close(self) -> None:
        """Give up the claim, and the turn if it is held."""
        self._idle.clear()
        self.held = False
        for descriptor in (self._turn, self._turnstile):
            os.close(descriptor)

    def _acquire(self, flag: int) -> bool:
        try:
            fcntl.flock(self._turnstile, fcntl.LOCK_EX | flag)
        except BlockingIOError:
            return False
        try:
            fcntl.flock(self._turn, fcntl.LOCK_EX | flag)
        except BlockingIOError:
            return False
        finally:
            fcntl.flock(self._turnstile, fcntl.LOCK_UN)
        return True


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
