"""The key that our tokens are signed with: made, sealed, rotated with overlap, opened.

Ed25519 (RFC 8032; `EdDSA` of RFC 8037): nobody but us verifies our tokens, and it signs fast and needs no random
number for it.
"""

import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import Connection

from gateway.clock import SECOND
from gateway.storage import versions
from gateway.storage.keyfile import Sealer
from gateway.storage.queries import keys
from gateway.storage.records import SigningKey

ALGORITHM = "EdDSA"

LIFE = 3600
"""Seconds between a token's `iat` and `exp`, at most."""

SKEW = 30
"""Seconds by which clocks may differ."""

OVERLAP = (LIFE + 2 * SKEW) * SECOND
"""Microseconds after which every access token that was given out before has expired."""


def first(connection: Connection, sealer: Sealer, now: int) -> None:
    """Make the first key, unless there is one: of several processes that find none, one makes it."""
    versions.bump(connection)  # locks its row: another process waits here
    if keys.signing(connection) is None:
        rotate(connection, sealer, now, now)


def rotate(connection: Connection, sealer: Sealer, now: int, retires_at: int) -> str:
    """Sign with a new key from now on, and with the present one's tokens valid until `retires_at`; the new kid.

    Raises OSError where the key file cannot be made, Incompatible where it cannot be read.
    """
    key = Ed25519PrivateKey.generate()
    sealed = sealer.seal(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
    kid = keys.OURS + secrets.token_urlsafe(9)
    keys.replace_signing(connection, kid, ALGORITHM, sealed, public, now=now, retires_at=retires_at)
    return kid


def opened(sealer: Sealer, key: SigningKey) -> Ed25519PrivateKey:
    """The private key. Raises Incompatible where the key file is not the one that it was sealed with."""
    return Ed25519PrivateKey.from_private_bytes(sealer.open(key.sealed_key))
