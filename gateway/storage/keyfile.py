"""What must be readable again (carriers' passwords, signing keys), encrypted with a key outside the database.

AES-256-GCM (NIST SP 800-38D) with a random 96 bit nonce per sealing, in front of the sealed bytes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.storage.errors import Incompatible

# Loaded where something is sealed or opened: six megabytes that a dispatcher without carriers' passwords never needs.
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_FILE = "trunkline.key"
"""The key file's name in the data folder."""

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


class Sealer:
    """Seals and opens bytes with the key at `path`.

    The key is made, mode 0600, when something is first sealed and there is none; it is read once. Without
    the key file what was sealed is lost: a backup holds both.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cipher: AESGCM | None = None

    def seal(self, content: bytes) -> bytes:
        """Encrypt; sealing the same twice gives different bytes. Raises OSError when no key can be made."""
        if self._cipher is None and not self._path.exists():
            _create(self._path)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._key().encrypt(nonce, content, _VERSION)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt what `seal` gave.

        Raises Incompatible when the key file is missing or not a key, or when these bytes were sealed with
        another key or changed.
        """
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415

        version, nonce, content = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._key().decrypt(nonce, content, version)
        except (InvalidTag, ValueError):
            raise Incompatible(f"A stored secret was not sealed with the key file {self._path}.") from None

    def _key(self) -> AESGCM:
        if self._cipher is None:
            try:
                key = bytes.fromhex(self._path.read_text("ascii"))
            except FileNotFoundError:
                raise Incompatible(f"The key file {self._path} is missing; restore it from a backup.") from None
            except ValueError:
                key = b""
            if len(key) != _KEY_BYTES:
                raise Incompatible(f"The file {self._path} is no key file; restore it from a backup.")
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

            self._cipher = AESGCM(key)
        return self._cipher


def _create(path: Path) -> None:
    """Make a key file whole or not at all; where two make it at once, the first one's stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
