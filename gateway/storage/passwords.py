"""Secrets at rest: argon2id for passwords that people choose, SHA-256 for secrets that we make.

A generated secret holds 144 random bits, so that nobody can try them all and a fast digest keeps it; a chosen
password can be guessed, so that each guess has to cost (RFC 9106; OWASP Password Storage Cheat Sheet). So has a
guess at one of the eight characters that SMPP has room for.
"""

import hashlib
import hmac
import secrets
import string

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

_FAST = "sha256$"
_SECRET_BYTES = 18
_LETTERS = string.ascii_letters + string.digits
_SHORT = 8

# 64 MiB, three passes, one lane: about 0.15 s of one core, and never more memory than that per verification.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1, type=Type.ID)


def hash_password(password: str) -> str:
    """Give the argon2id hash of a password that somebody chose; takes about 0.15 s of CPU and 64 MiB."""
    return _HASHER.hash(_bytes(password))


def new_secret() -> str:
    """Make a secret of 144 random bits: 24 characters of the URL-safe base64 alphabet (RFC 4648, section 5)."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def new_short_secret() -> str:
    """Make a secret for SMPP clients, which cut a password after eight characters (SMPP 3.4, 5.2.2): 47 random bits.

    Store it with `hash_password`.
    """
    return "".join(secrets.choice(_LETTERS) for _ in range(_SHORT))


def hash_secret(secret: str) -> str:
    """Give what is stored of a secret that `new_secret` made: ``sha256$`` and its digest in hex."""
    return _FAST + hashlib.sha256(_bytes(secret)).hexdigest()


def is_slow(secret_hash: str) -> bool:
    """Whether verifying against this hash costs the CPU time of a chosen password."""
    return not secret_hash.startswith(_FAST)


def verify(secret_hash: str, candidate: str) -> bool:
    """Whether the candidate is the secret of this hash; both are compared in constant time.

    False for a hash that is neither of the two kinds.
    """
    if not is_slow(secret_hash):
        return hmac.compare_digest(secret_hash.encode(), hash_secret(candidate).encode())
    try:
        return _HASHER.verify(secret_hash, _bytes(candidate))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(text: str) -> bytes:
    # A lone surrogate can come from a broken request: it makes a wrong password, not a failure.
    return text.encode("utf-8", "surrogatepass")
