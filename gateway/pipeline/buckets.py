"""Counters that all processes of a machine share: a file of fixed size, mapped into each of them.

A bucket is a key of 64 bits and one time, by the generic cell rate algorithm (ITU-T I.371, annex A): the time
at which the bucket is empty again. Taking adds an interval to it, and is refused while it is further ahead of
the clock than the burst allows. So a bucket that nobody uses needs no memory and no upkeep.

The clock is CLOCK_MONOTONIC, the same for every process of the machine. A time further ahead than any
taking can have put it is from before a reboot, and counts for nothing.
"""

import fcntl
import os
import secrets
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from mmap import mmap
from pathlib import Path
from typing import Self

SLOTS = 65_536

_MAGIC = b"TRUNKBKT"
_VERSION = 1
_HEADER = struct.Struct("<8sII16s")  # magic, version, slots, key of the hash
_START = 64
_SLOT = struct.Struct("<QQ")  # key (0: never used), time in nanoseconds
_PROBES = 8
_RUN = struct.Struct("<16Q")
_PATIENCE = 50_000_000  # nanoseconds


class Buckets:
    """The machine's buckets. Intervals are in nanoseconds, a burst is how many takings may come at once.

    When more buckets are in use than there is room for, the emptiest gives way: it would have been the first
    to be empty.
    """

    def __init__(self, path: Path, slots: int = SLOTS, clock: Callable[[], int] = time.monotonic_ns) -> None:
        """Map the file at `path`, made anew where it is missing or of another size or version.

        `slots` is a power of two of at least 8. Raises `OSError` where the file cannot be made.
        """
        self._clock = clock
        self._slots = slots
        self._thread_lock = threading.Lock()
        self._fd = _open(path, slots)
        self._map = mmap(self._fd, _START + slots * _SLOT.size)
        self._hash_key: bytes = _HEADER.unpack_from(self._map)[3]

    def close(self) -> None:
        """Unmap the file; the counts stay in it."""
        self._map.close()
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def key(self, kind: str, *parts: str) -> int:
        """Give the key of a bucket: a keyed hash, so that nobody can choose two that meet (RFC 7693)."""
        data = "\0".join((kind, *parts)).encode("utf-8", "surrogatepass")
        digest = blake2b(data, digest_size=8, key=self._hash_key).digest()
        return int.from_bytes(digest, "little") or 1

    def take(self, key: int, interval: int, burst: float) -> bool:
        """Count one; False, and nothing is counted, when the bucket is full."""
        ahead = int((burst - 1) * interval)
        with self._locked():
            now = self._clock()
            offset, until = self._find(key, now)
            if until > now + ahead + interval:  # of an earlier boot, or of a slower rate
                until = now
            if until > now + ahead:
                return False
            _SLOT.pack_into(self._map, offset, key, until + interval)
            return True

    def full(self, key: int, interval: int, burst: float) -> bool:
        """Whether the next `take` would be refused; counts nothing and claims no room."""
        ahead = int((burst - 1) * interval)
        now = self._clock()
        until = self._look(key)
        return now + ahead < until <= now + ahead + interval

    def give_back(self, key: int, interval: int) -> None:
        """Undo one `take`."""
        with self._locked():
            now = self._clock()
            offset, until = self._find(key, now)
            if until > now:
                _SLOT.pack_into(self._map, offset, key, max(now, until - interval))

    def _run(self, key: int) -> tuple[int, tuple[int, ...]]:
        # The slots a key may be in: eight in a row, none across the end, one cache line or two.
        first = key & (self._slots - 1) & ~(_PROBES - 1)
        offset = _START + first * _SLOT.size
        return offset, _RUN.unpack_from(self._map, offset)

    def _look(self, key: int) -> int:
        _, run = self._run(key)
        for place in range(0, 2 * _PROBES, 2):
            if run[place] == key:
                return run[place + 1]
        return 0

    def _find(self, key: int, now: int) -> tuple[int, int]:
        """Give the place of the key's slot, or of the emptiest one, and from when on the bucket is empty."""
        offset, run = self._run(key)
        for place in range(0, 2 * _PROBES, 2):
            if run[place] == key:
                return offset + place * 8, max(run[place + 1], now)
        emptiest = min(range(1, 2 * _PROBES, 2), key=run.__getitem__) - 1
        return offset + emptiest * 8, now

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep the machine's other processes and this one's threads out, for some microseconds.

        A process that was stopped while it held the lock must not stop the others: after 50 ms they go on
        without it. The worst that can come of it is one call that is not counted.
        """
        with self._thread_lock:
            locked = self._flock()
            try:
                yield
            finally:
                if locked:
                    fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _flock(self) -> bool:
        deadline = 0
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                now = time.monotonic_ns()
                deadline = deadline or now + _PATIENCE
                if now > deadline:
                    return False
                os.sched_yield()
            else:
                return True


def _open(path: Path, slots: int) -> int:
    if slots < _PROBES or slots & (slots - 1):
        raise ValueError(f"{slots} slots: it must be a power of two, 8 or more.")
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # Only one process at a time looks and makes, so that all of them map the same file.
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not _fits(path, slots):
            _make(path, slots)
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    finally:
        os.close(folder)


def _fits(path: Path, slots: int) -> bool:
    try:
        with path.open("rb") as file:
            magic, version, found, _ = _HEADER.unpack(file.read(_HEADER.size))
            size = os.fstat(file.fileno()).st_size
    except (OSError, struct.error):
        return False
    return (magic, version, found, size) == (_MAGIC, _VERSION, slots, _START + slots * _SLOT.size)


def _make(path: Path, slots: int) -> None:
    # Written whole and then renamed: a file in use is never cut short under those who have it mapped. Its
    # bytes are written, not left out, since a full disk would otherwise kill whoever touches the page first.
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(fd, "wb") as file:  # noqa: PTH123 - a descriptor, made with its mode
        file.write(_HEADER.pack(_MAGIC, _VERSION, slots, secrets.token_bytes(16)).ljust(_START, b"\0"))
        file.write(bytes(slots * _SLOT.size))
    new.replace(path)
