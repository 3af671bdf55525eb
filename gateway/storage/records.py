"""Accounts, accesses and carriers as the directory hands them out: immutable, ready for the hot path."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any
from zoneinfo import ZoneInfo

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Account:
    """A customer. `country` is the default calling code in digits, `sender` the default sender, or ""."""

    id: int
    email: str
    zone: ZoneInfo
    country: str = ""
    sender: str = ""
    parent_id: int | None = None
    senders: frozenset[str] | None = None  # None: any sender
    redact_text: bool = False
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """One way into an account.

    `secret` is an argon2id hash or "sha256$" and hex. `protocols`, `operations` (class.method) and
    `networks` of None mean no restriction. `rate` is in calls per second. Times in UTC microseconds.
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


@dataclass(frozen=True, slots=True)
class Carrier:
    """An upstream SMSC. `options` are strings as given on the command line, `secrets` sealed bytes or None."""

    id: int
    name: str
    kind: str
    options: Mapping[str, Any]
    sealed_secrets: bytes | None = field(default=None, repr=False)
