"""The directory knows the configuration, takes changes up when told to look, and says when it is blind."""

from collections.abc import Callable
from ipaddress import ip_network
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from gateway.clock import SECOND
from gateway.storage.database import Database
from gateway.storage.directory import Directory
from gateway.storage.errors import Blind, Unavailable
from gateway.storage.queries import accesses, accounts, carriers, optouts, tariff
from gateway.storage.records import Access
from tests.support.rows import NOW, add_access, add_account


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(database: Database, clock: Clock) -> Directory:
    directory = Directory(database, clock)
    directory.refresh()
    return directory


def change(database: Database, work: Callable[[Connection], object]) -> None:
    with database.transaction() as connection:
        work(connection)


def known(directory: Directory, login: str) -> Access:
    found = directory.access(login)
    assert found is not None
    return found


def test_access_with_all_it_may_and_its_account(database: Database, directory: Directory) -> None:
    with database.transaction() as connection:
        account = add_account(connection, timezone="Europe/Madrid", country="34", sender="Shop", redact_text=True)
        accounts.list_senders(connection, account, ["Shop", "Sale"])
        access_id = add_access(
            connection,
            account,
            protocols='["http", "smpp"]',
            operations='["sms", "user.getbalance"]',
            networks='["192.0.2.0/24", "2001:db8::/32"]',
            rate=2500,
            expires_at=NOW,
        )
    access = known(directory, "shop")
    assert access == directory.access_by_id(access_id)
    assert (access.id, access.name, access.login) == (access_id, "shop", "shop")
    assert access.protocols == {"http", "smpp"}
    assert access.operations == {"sms", "user.getbalance"}
    assert access.networks == (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))
    assert (access.rate, access.expires_at, access.revoked) == (2.5, NOW, False)
    assert access.account is directory.account(account)
    assert access.account.zone == ZoneInfo("Europe/Madrid")
    assert (access.account.country, access.account.sender) == ("34", "Shop")
    assert access.account.senders == {"Shop", "Sale"}
    assert access.account.redact_text
    assert not access.account.suspended
    assert access.secret not in repr(access)


def test_unrestricted_access(database: Database, directory: Directory) -> None:
    change(database, lambda c: add_access(c, add_account(c)))
    access = known(directory, "shop")
    assert (access.protocols, access.operations, access.networks, access.rate) == (None, None, None, None)
    assert access.account.senders is None


@pytest.mark.parametrize(
    "login",
    ["nobody", "", "a" * 255, "nul\0", "sur\ud800rogate", "Shop", "shop "],
    ids=["unknown", "empty", "too long", "NUL", "surrogate", "other case", "a space more"],
)
def test_strangers(database: Database, directory: Directory, login: str) -> None:
    change(database, lambda c: add_access(c, add_account(c)))
    assert directory.access(login) is None
    assert directory.access(login) is None


def test_email_ignores_case(database: Database, directory: Directory) -> None:
    change(database, lambda c: add_access(c, add_account(c), "ana@example.com"))
    assert known(directory, "Ana@Example.COM").login == "ana@example.com"


def test_unknown_ids(directory: Directory) -> None:
    assert directory.account(999) is None
    assert directory.access_by_id(999) is None


@pytest.mark.parametrize(
    ("work", "seen"),
    [
        pytest.param(
            lambda c, access: accesses.revoke(c, access.account.id, access.id, NOW),
            lambda d: known(d, "shop").revoked,
            id="revoked",
        ),
        pytest.param(
            lambda c, access: accesses.set_secret(c, access.account.id, access.id, "sha256$00"),
            lambda d: known(d, "shop").secret == "sha256$00",
            id="rotated",
        ),
        pytest.param(
            lambda c, access: accounts.change(c, access.account.id, suspended_at=NOW),
            lambda d: known(d, "shop").account.suspended,
            id="suspended",
        ),
        pytest.param(
            lambda c, access: add_access(c, access.account.id, "other"),
            lambda d: d.access("other") is not None,
            id="a stranger no more",
        ),
        pytest.param(
            lambda c, access: tariff.set_price(c, 0, "34", 5),
            lambda d: d.prices.price(1, "34600000001") == 5,
            id="price",
        ),
        pytest.param(
            lambda c, access: tariff.add_route(c, "34", 1, 7, 1),
            lambda d: getattr(d.routes.first("34600000001"), "cost", None) == 7,
            id="route",
        ),
        pytest.param(
            lambda c, access: carriers.add(c, "up", "smpp", {"host": "h"}, b"sealed", NOW),
            lambda d: "up" in {carrier.name for carrier in d.carriers.values()},
            id="carrier",
        ),
    ],
)
def test_changes_are_taken_up_at_the_next_look_and_not_before(
    database: Database,
    directory: Directory,
    work: Callable[[Connection, Access], object],
    seen: Callable[[Directory], bool],
) -> None:
    change(database, lambda c: add_access(c, add_account(c)))
    directory.refresh()
    access = known(directory, "shop")
    assert directory.access("other") is None
    assert not directory.refresh()
    change(database, lambda c: work(c, access))
    assert not seen(directory)
    version = directory.version
    assert directory.refresh()
    assert directory.version > version
    assert seen(directory)
    assert not directory.refresh()


def test_what_was_read_before_a_change_is_not_kept_after_it(database: Database, directory: Directory) -> None:
    """A look-up whose rows were read before a change, and which ends after the change was taken up."""
    change(database, lambda c: add_access(c, add_account(c)))
    directory.refresh()
    read = database.read

    def interrupted() -> object:
        database.read = read  # type: ignore[method-assign]
        context = read()

        class Late:
            def __enter__(self) -> Connection:
                return context.__enter__()

            def __exit__(self, *error: object) -> None:
                context.__exit__(*error)
                change(database, lambda c: accounts.change(c, 1, suspended_at=NOW))
                directory.refresh()

        return Late()

    database.read = interrupted  # type: ignore[method-assign, assignment]
    assert not known(directory, "shop").account.suspended
    assert known(directory, "shop").account.suspended


def test_memory_is_bounded(database: Database) -> None:
    small = Directory(database, capacity=3)
    small.refresh()
    with database.transaction() as connection:
        account = add_account(connection)
        for number in range(6):
            add_access(connection, account, f"shop{number}")
    for number in range(6):
        assert small.access(f"shop{number}") is not None
        assert small.access(f"nobody{number}") is None
    assert all(len(cache) <= 3 for cache in _caches(small))
    assert small.access("shop0") is not None


def _caches(directory: Directory) -> list[list[object]]:
    return [
        list(cache._values)
        for cache in (directory._logins, directory._strangers, directory._accesses, directory._accounts)
    ]


def test_blind_before_the_first_look(database: Database, clock: Clock) -> None:
    with pytest.raises(Blind):
        Directory(database, clock).check_fresh()


def test_blind_after_five_seconds_without_a_look(directory: Directory, clock: Clock) -> None:
    clock.now += 5 * SECOND
    directory.check_fresh()
    clock.now += 1
    with pytest.raises(Blind):
        directory.check_fresh()
    directory.refresh()
    directory.check_fresh()


def test_a_look_that_fails_confirms_nothing(
    database: Database, directory: Directory, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> object:
        raise Unavailable("away")

    monkeypatch.setattr(database, "read", away)
    clock.now += 5 * SECOND
    with pytest.raises(Unavailable):
        directory.refresh()
    directory.check_fresh()
    clock.now += 1
    with pytest.raises(Blind):
        directory.check_fresh()


def test_a_new_installation_sends_by_the_simulator_at_a_credit(directory: Directory) -> None:
    route = directory.routes.first("34600000001")
    assert route is not None
    assert directory.carriers[route.carrier_id].kind == "simulator"
    assert directory.prices.price(1, "34600000001") == 1_000_000


def test_knows_who_has_opt_outs(database: Database, directory: Directory) -> None:
    change(database, lambda c: add_access(c, add_account(c)))
    account_id = known(directory, "shop").account.id

    def told() -> tuple[bool, bool]:
        """Whether anything changed, and what is known then."""
        return directory.refresh(), known(directory, "shop").account.opt_outs

    assert told() == (True, False)
    change(database, lambda c: optouts.add(c, account_id, "34600000001", NOW))
    assert told() == (True, True)
    change(database, lambda c: optouts.add(c, account_id, "34600000002", NOW))
    change(database, lambda c: optouts.remove(c, account_id, "34600000001"))
    assert told() == (False, True)
    change(database, lambda c: optouts.remove(c, account_id, "34600000002"))
    assert told() == (True, False)
