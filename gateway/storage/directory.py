"""What every call needs of the configuration, kept in memory: accesses, accounts, routes, prices, carriers.

Every change of these bumps a version in its transaction (`storage.versions`); the host of a process calls
`refresh` four times a second, which reads the version and, when it moved, forgets everything. A process that
cannot confirm the version for five seconds is blind and has to refuse service, because a revoked access may
still be in its memory.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import ip_network
from types import MappingProxyType
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, RowMapping

from gateway.clock import SECOND
from gateway.messaging.routing import PriceTable, RouteTable
from gateway.storage import versions
from gateway.storage.database import Database
from gateway.storage.errors import Blind
from gateway.storage.queries import accesses, accounts, carriers, keys, optouts, tariff
from gateway.storage.records import Access, Account, Carrier, Key, SigningKey

BLIND_AFTER = 5 * SECOND
CAPACITY = 10_000
"""Most accesses, accounts and unknown logins each that are remembered."""

MAX_LOGIN = 254

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def monotonic() -> int:
    """Microseconds of a clock that nobody sets."""
    return time.monotonic_ns() // 1000


class Directory:
    """The configuration as of `version`, revoked tokens as of `tokens_version`.

    `routes`, `prices` and `carriers` (by id) are of `refresh`'s last time.
    `clock` gives microseconds. Look-ups are a dictionary probe; what is not yet known is read from the
    database. Any number of threads or greenlets may use it, one at a time `refresh`.
    """

    routes: RouteTable
    prices: PriceTable
    carriers: Mapping[int, Carrier]
    version: int
    tokens_version: int

    def __init__(self, database: Database, clock: Callable[[], int] = monotonic, capacity: int = CAPACITY) -> None:
        self._database = database
        self._clock = clock
        self._confirmed: int | None = None
        # What is read while the version moves must not stay: taken to keep something, and to forget everything.
        self._keeping = threading.Lock()
        self.version = self.tokens_version = -1
        self.routes, self.prices, self.carriers = RouteTable(()), PriceTable(()), MappingProxyType({})
        self._logins: _Recent[str, Access | None] = _Recent(capacity)
        self._strangers: _Recent[str, Access | None] = _Recent(capacity)
        self._accesses: _Recent[int, Access | None] = _Recent(capacity)
        self._accounts: _Recent[int, Account | None] = _Recent(capacity)
        self._keys: _Recent[str, Key | None] = _Recent(capacity)
        self._signing: _Recent[str, SigningKey | None] = _Recent(1)

    def access(self, login: str) -> Access | None:
        """The access of this login, a revoked one too; e-mails ignore case. Raises Unavailable."""
        found = self._logins.get(login)
        if found is not None:
            return found
        if login in self._strangers or len(login) > MAX_LOGIN or not login.isprintable():
            return None
        version = self.version
        with self._database.read() as connection:
            row = accesses.by_login(connection, login.lower() if "@" in login else login)
            found = self._access(connection, row) if row is not None else None
        self._keep(self._logins if found is not None else self._strangers, login, found, version)
        return found

    def access_by_id(self, access_id: int) -> Access | None:
        """The access of this id, a revoked one too. Raises Unavailable."""
        found = self._accesses.get(access_id)
        if found is None:
            version = self.version
            with self._database.read() as connection:
                row = accesses.by_id(connection, access_id)
                found = self._access(connection, row) if row is not None else None
            if found is not None:
                self._keep(self._accesses, access_id, found, version)
        return found

    def account(self, account_id: int) -> Account | None:
        """The account of this id, a suspended one too. Raises Unavailable."""
        found = self._accounts.get(account_id)
        if found is None:
            with self._database.read() as connection:
                found = self._account(connection, account_id)
        return found

    def key(self, kid: str) -> Key | None:
        """The key of this id that tokens may be signed with, ours or an access's. Raises Unavailable.

        One of ours that has retired is given too: its `retires_at` says so.
        """
        found = self._keys.get(kid)
        if found is None:
            version = self.version
            with self._database.read() as connection:
                found = keys.by_kid(connection, kid)
            if found is not None:
                self._keep(self._keys, kid, found, version)
        return found

    def signing_key(self) -> SigningKey | None:
        """The key that our tokens are signed with now, None before the first one. Raises Unavailable."""
        found = self._signing.get("")
        if found is None:
            version = self.version
            with self._database.read() as connection:
                found = keys.signing(connection)
            if found is not None:
                self._keep(self._signing, "", found, version)
        return found

    def refresh(self) -> bool:
        """Confirm the version, and take up what changed; whether anything did. Raises Unavailable."""
        begun = self._clock()
        with self._database.read() as connection:
            version, tokens_version = versions.current(connection)
            changed = version != self.version
            if changed:
                # Read after the version, so they are at least as new.
                routes = RouteTable(tariff.routes(connection))
                prices = PriceTable(tariff.prices(connection))
                known = MappingProxyType({carrier.id: carrier for carrier in carriers.list_(connection)})
        if changed:
            with self._keeping:
                self.routes, self.prices, self.carriers = routes, prices, known
                for cache in (
                    *(self._logins, self._strangers, self._accesses, self._accounts),
                    *(self._keys, self._signing),
                ):
                    cache.clear()
                self.version = version
        self.tokens_version = tokens_version
        self._confirmed = begun
        return changed

    def check_fresh(self) -> None:
        """Raise Blind when the version was not confirmed within the last five seconds."""
        if self._confirmed is None or self._clock() - self._confirmed > BLIND_AFTER:
            raise Blind("The configuration cannot be confirmed now; try again later.")

    def _access(self, connection: Connection, row: RowMapping) -> Access | None:
        owner = self._accounts.get(row["account_id"]) or self._account(connection, row["account_id"])
        return _access(row, owner) if owner is not None else None

    def _account(self, connection: Connection, account_id: int) -> Account | None:
        version = self.version
        row = accounts.get(connection, account_id)
        if row is None:
            return None
        listed = frozenset(accounts.senders(connection, account_id)) if row["listed_senders"] else None
        found = _account(row, listed, optouts.any_(connection, account_id))
        self._keep(self._accounts, account_id, found, version)
        return found

    def _keep(self, cache: "_Recent[_Key, _Value]", key: _Key, value: _Value, version: int) -> None:
        # Read before a change that was taken up meanwhile: good for this call, too old to keep.
        with self._keeping:
            if version == self.version:
                cache.put(key, value)


class _Recent(Generic[_Key, _Value]):
    """A dictionary of bounded size that forgets what was not asked for the longest time."""

    __slots__ = ("_capacity", "_values")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values: OrderedDict[_Key, _Value] = OrderedDict()

    def __contains__(self, key: _Key) -> bool:
        return key in self._values

    def get(self, key: _Key) -> _Value | None:
        value = self._values.get(key)
        if value is not None:
            # Another thread may have forgotten it this moment.
            with suppress(KeyError):
                self._values.move_to_end(key)
        return value

    def put(self, key: _Key, value: _Value) -> None:
        self._values[key] = value
        if len(self._values) > self._capacity:
            self._values.popitem(last=False)

    def clear(self) -> None:
        self._values.clear()


def _account(row: RowMapping, senders: frozenset[str] | None, opt_outs: bool) -> Account:
    return Account(
        id=row["id"],
        email=row["email"],
        zone=ZoneInfo(row["timezone"]),
        country=row["country"],
        sender=row["sender"],
        parent_id=row["parent_id"],
        senders=senders,
        redact_text=row["redact_text"],
        suspended=row["suspended_at"] is not None,
        opt_outs=opt_outs,
    )


def _access(row: RowMapping, account: Account) -> Access:
    networks = _names(row["networks"])
    return Access(
        id=row["id"],
        account=account,
        name=row["name"],
        login=row["login"],
        secret=row["secret"],
        protocols=_names(row["protocols"]),
        operations=_names(row["operations"]),
        networks=tuple(ip_network(network) for network in sorted(networks)) if networks is not None else None,
        rate=row["rate"] / 1000 if row["rate"] is not None else None,
        bind_limit=row["bind_limit"],
        expires_at=row["expires_at"],
        revoked=row["revoked_at"] is not None,
        generation=row["generation"],
    )


def _names(listed: str | None) -> frozenset[str] | None:
    return frozenset(orjson.loads(listed)) if listed is not None else None
