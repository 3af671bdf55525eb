"""Accounts and their accesses, as the operator makes them."""

import pytest

from gateway.storage import versions
from gateway.storage.database import Database
from gateway.storage.errors import Conflict
from gateway.storage.queries import accesses, accounts
from tests.support.rows import CREDIT, NOW, add_access, add_account


def test_account_is_found_with_balance_and_parent(database: Database) -> None:
    with database.transaction() as connection:
        parent = add_account(connection, "parent@example.com")
        account = add_account(
            connection, granted=2, parent_id=parent, timezone="Europe/Madrid", country="34", sender="Shop"
        )
    with database.read() as connection:
        found = accounts.find(connection, "ana@example.com")
        assert found == accounts.get(connection, account)
    assert found is not None
    chosen = ("id", "email", "parent", "credits", "timezone", "country", "sender", "suspended_at")
    assert [found[name] for name in chosen] == [
        account,
        "ana@example.com",
        "parent@example.com",
        2 * CREDIT,
        "Europe/Madrid",
        "34",
        "Shop",
        None,
    ]


def test_email_is_taken_once(database: Database) -> None:
    with database.transaction() as connection:
        add_account(connection)
    with pytest.raises(Conflict, match=r"an account ana@example\.com already"), database.transaction() as connection:
        add_account(connection)


def test_accounts_come_in_pages(database: Database) -> None:
    with database.transaction() as connection:
        assert not accounts.any_exists(connection)
        ids = [add_account(connection, f"{number}@example.com") for number in range(5)]
        assert accounts.any_exists(connection)
        first = accounts.page(connection, limit=3)
        rest = accounts.page(connection, after=first[-1]["id"], limit=3)
    assert [row["id"] for row in [*first, *rest]] == ids


def test_listed_senders(database: Database) -> None:
    with database.transaction() as connection:
        account = add_account(connection)
        accounts.list_senders(connection, account, ["Shop", "34600000001"])
        assert accounts.senders(connection, account) == ["34600000001", "Shop"]
        accounts.list_senders(connection, account, [])
        assert accounts.senders(connection, account) == []
        found = accounts.get(connection, account)
    assert found is not None
    assert not found["listed_senders"]


def test_every_change_bumps_the_version(database: Database) -> None:
    with database.transaction() as connection:
        account = add_account(connection)
        access = add_access(connection, account)
    for change in (
        lambda c: accounts.create(c, "new@example.com", now=NOW),
        lambda c: accounts.change(c, account, suspended_at=NOW),
        lambda c: accounts.list_senders(c, account, ["Shop"]),
        lambda c: add_access(c, account, "other"),
        lambda c: accesses.set_secret(c, account, access, "sha256$"),
        lambda c: accesses.revoke(c, account, access, NOW),
    ):
        with database.transaction() as connection:
            before = versions.current(connection)
            change(connection)
            assert versions.current(connection) > before


def test_version_starts_without_its_row(database: Database) -> None:
    from gateway.storage.schema import config_version  # noqa: PLC0415

    with database.transaction() as connection:
        connection.execute(config_version.delete())
        assert versions.current(connection).config == 0
        versions.bump(connection)
        assert versions.current(connection).config == 1


def test_access_name_is_taken_within_its_account(database: Database) -> None:
    with database.transaction() as connection:
        ana, bob = add_account(connection), add_account(connection, "bob@example.com")
        add_access(connection, ana)
        add_access(connection, bob, login="shop-of-bob")
    with pytest.raises(Conflict, match="an access named 'shop' already"), database.transaction() as connection:
        add_access(connection, ana, login="another")
    with pytest.raises(Conflict, match="login 'shop' is taken"), database.transaction() as connection:
        add_access(connection, bob, "elsewhere", login="shop")


def test_revoked_access_gives_its_name_up_and_stays(database: Database) -> None:
    with database.transaction() as connection:
        account = add_account(connection)
        first = add_access(connection, account)
        accesses.revoke(connection, account, first, NOW)
        accesses.revoke(connection, account, first, NOW + 1)
        second = add_access(connection, account, login="shop-again")
        rows = accesses.list_(connection, account)
    assert [(row["id"], row["name"], row["revoked_at"]) for row in rows] == [
        (first, f"shop~{first}", NOW),
        (second, "shop", None),
    ]


def test_access_of_another_account_is_out_of_reach(database: Database) -> None:
    with database.transaction() as connection:
        ana, bob = add_account(connection), add_account(connection, "bob@example.com")
        access = add_access(connection, ana)
        accesses.revoke(connection, bob, access, NOW)
        accesses.set_secret(connection, bob, access, "sha256$")
        assert accesses.find(connection, bob, "shop") is None
        found = accesses.by_id(connection, access)
    assert found is not None
    assert found["revoked_at"] is None
    assert found["secret"] != "sha256$"
