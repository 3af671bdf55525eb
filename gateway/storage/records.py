"""Accounts, accesses and carriers as the directory hands them out: immutable, ready for the hot path."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any
from zoneinfo import ZoneInfo

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Account:
    """A customer. `country` is the default calling code in digits, `sender` the default sender, or "".

    `opt_outs` says whether any recipient wants no more from it.
    """

    id: int
    email: str
    zone: ZoneInfo
    country: str = ""
    sender: str = ""
    parent_id: int | None = None
    senders: frozenset[str] | None = None  # None: any sender
    redact_text: bool = False
    suspended: bool = False
    opt_outs: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """One way into an account.

    `secret` is an argon2id hash or "sha256$" and hex. `protocols`, `operations` (class.method) and
    `networks` of None mean no restriction. `rate` is in calls per second. Times in UTC microseconds. Tokens
    that were given out in another `generation` are void.
    """

    id: int
    account: Account
    name: str
    login: str
    secret: str = field(repr=False)
    protocols: frozenset[str] | None = None
    operations: frozenset[str] | None = None
    networks: tuple[Network, ...] | None = None
    rate: float | None = None
    bind_limit: int | None = None
    expires_at: int | None = None
    revoked: bool = False
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Key:
    """A public key that tokens are verified with, and what it may sign.

    `algorithm` is the only one of it (RFC 8725, section 3.1), `public_key` PEM. `access_id` is whose tokens it
    signs, None for one of ours, which verifies until `retires_at` (UTC microseconds, None for no end).
    """

    kid: str
    algorithm: str
    public_key: str
    access_id: int | None = None
    retires_at: int | None = None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key that our tokens are signed with, sealed by `storage.keyfile`."""

    kid: str
    algorithm: str
    sealed_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Carrier:
    """An upstream SMSC. `options` are strings as given on the command line, `secrets` sealed bytes or None."""

    id: int
    name: str
    kind: str
    options: Mapping[str, Any]
    sealed_secrets: bytes | None = field(default=None, repr=False)
