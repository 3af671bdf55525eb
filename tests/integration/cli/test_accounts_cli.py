"""`trunkline account` and `trunkline access`: what they print is what is so."""

import re
from collections.abc import Callable

import pytest

from gateway.storage import passwords
from gateway.storage.database import Database
from gateway.storage.directory import Directory
from tests.integration.cli.conftest import PASSWORD, Trunkline

Written = Callable[[str | bytes], str]


def verifies(database: Database, user: str, secret: str) -> bool:
    access = Directory(database).access(user)
    assert access is not None
    return passwords.verify(access.secret, secret)


def test_create_and_show(trunkline: Trunkline, database: Database) -> None:
    parent = trunkline.account("Parent@Example.com")
    made = trunkline.account(
        "ana@example.com",
        *("--credits", "12.5", "--country", "ES", "--timezone", "Europe/Madrid"),
        *("--sender", "Shop", "--parent", "parent@example.com", "--redact-text"),
    )
    assert parent["email"] == "parent@example.com"
    assert made.pop("created").endswith("Z")
    assert made == {
        "id": str(int(parent["id"]) + 1),
        "email": "ana@example.com",
        "parent": "parent@example.com",
        "credits": 12.5,
        "country": "34",
        "timezone": "Europe/Madrid",
        "sender": "Shop",
        "redact_text": True,
        "suspended": False,
    }
    shown = trunkline.ok("account", "show", "ANA@example.com")
    assert {name: shown[name] for name in made} == made
    assert [row["email"] for row in trunkline.ok("account", "list")] == ["parent@example.com", "ana@example.com"]
    assert verifies(database, "ana@example.com", PASSWORD)


def test_exact_credits_are_printed_as_exact_numbers(trunkline: Trunkline) -> None:
    trunkline.account("ana@example.com", "--credits", "1000000000.000001")
    result = trunkline.run("account", "show", "ana@example.com", "--json")
    assert '"credits":1000000000.000001,' in result.stdout


def test_credit_adds_and_takes_back(trunkline: Trunkline) -> None:
    trunkline.account()
    assert trunkline.ok("account", "credit", "ana@example.com", "10")["credits"] == 10
    assert trunkline.ok("account", "credit", "ana@example.com", "-2.5", "--note", "back")["credits"] == 7.5
    assert trunkline.fails("account", "credit", "ana@example.com", "-8") == (
        1,
        "trunkline: The balance of 7.5 does not cover 8.",
    )
    entries = trunkline.ok("account", "ledger", "ana@example.com")
    assert [(entry["kind"], entry["amount"], entry["note"]) for entry in entries] == [
        ("grant", -2.5, "back"),
        ("grant", 10, "by the operator"),
    ]


def test_set_changes_what_is_given(trunkline: Trunkline) -> None:
    trunkline.account("ana@example.com", "--sender", "Shop", "--redact-text")
    changed = trunkline.ok("account", "set", "ana@example.com", "--country", "+34", "--keep-text")
    assert (changed["country"], changed["sender"], changed["redact_text"]) == ("34", "Shop", False)


def test_senders_an_account_may_use(trunkline: Trunkline, database: Database) -> None:
    trunkline.account("ana@example.com")
    senders = lambda: Directory(database).access("ana@example.com").account.senders  # type: ignore[union-attr] # noqa: E731
    assert senders() is None
    trunkline.ok("account", "set", "ana@example.com", "--allow-sender", "Shop", "--allow-sender", "+34600000000")
    assert senders() == {"Shop", "34600000000"}
    trunkline.ok("account", "set", "ana@example.com", "--any-sender")
    assert senders() is None


def test_password_of_ones_own_or_made(trunkline: Trunkline, database: Database, written: Written) -> None:
    trunkline.account()
    file = written("another password\n")
    assert "secret" not in trunkline.ok("account", "password", "ana@example.com", "--password-file", file)
    assert verifies(database, "ana@example.com", "another password")
    assert not verifies(database, "ana@example.com", PASSWORD)
    made = trunkline.ok("account", "password", "ana@example.com")
    assert made["user"] == "ana@example.com"
    assert verifies(database, "ana@example.com", made["secret"])


def test_suspend_and_resume(trunkline: Trunkline, database: Database) -> None:
    trunkline.account()
    assert trunkline.ok("account", "suspend", "ana@example.com")["suspended"]
    first = Directory(database).access("ana@example.com")
    assert first is not None
    assert first.account.suspended
    assert trunkline.ok("account", "suspend", "ana@example.com")["suspended"]
    assert not trunkline.ok("account", "resume", "ana@example.com")["suspended"]


def test_access_is_created_with_all_restrictions(trunkline: Trunkline, database: Database) -> None:
    trunkline.account("ana@example.com", "--timezone", "Europe/Madrid")
    made = trunkline.ok(
        *("access", "create", "ana@example.com", "Web shop 1"),
        *("--protocol", "http", "--protocol", "smpp", "--operation", "SMS", "--operation", "user.getbalance"),
        *("--network", "192.0.2.0/24", "--network", "2001:db8::/32", "--rate", "30/m", "--expires", "2035-07-01"),
        *("--bind-limit", "4"),
    )
    assert set(made) == {"id", "account", "name", "user", "secret"}
    assert re.fullmatch(r"[a-z0-9-]{1,15}", made["user"])
    assert verifies(database, made["user"], made["secret"])
    own, listed = trunkline.ok("access", "list", "ana@example.com")
    assert own["user"] == "ana@example.com"
    assert {name: value for name, value in listed.items() if name != "created"} == {
        "id": made["id"],
        "name": "Web shop 1",
        "user": made["user"],
        "protocols": ["http", "smpp"],
        "operations": ["sms", "user.getbalance"],
        "networks": ["192.0.2.0/24", "2001:db8::/32"],
        "rate": 0.5,
        "expires": "2035-06-30T22:00:00Z",
        "bind_limit": 4,
        "revoked": None,
    }


@pytest.mark.parametrize(
    "name",
    ["shop", "A very long name of an access", "Ünïcödé", "商店", "(!)", "x" * 64],
    ids=["short", "long", "accents", "no ASCII", "no letters", "longest"],
)
def test_logins_fit_smpp_and_differ(trunkline: Trunkline, name: str) -> None:
    trunkline.account()
    trunkline.account("bob@example.com")
    users = {
        trunkline.ok("access", "create", email, name)["user"] for email in ("ana@example.com", "bob@example.com")
    }
    assert len(users) == 2
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,14}", user) for user in users)


def test_secret_fits_where_smpp_is_all_there_is(trunkline: Trunkline, database: Database) -> None:
    trunkline.account("ana@example.com")
    made = trunkline.ok("access", "create", "ana@example.com", "bind", "--protocol", "smpp")
    rotated = trunkline.ok("access", "rotate", "ana@example.com", "bind")
    assert [len(found["secret"]) for found in (made, rotated)] == [8, 8]
    assert verifies(database, made["user"], rotated["secret"])
    assert not verifies(database, made["user"], made["secret"])
    both = trunkline.ok("access", "create", "ana@example.com", "both", "--protocol", "smpp", "--protocol", "http")
    assert len(both["secret"]) == 24


def test_rotate_and_revoke(trunkline: Trunkline, database: Database) -> None:
    trunkline.account()
    made = trunkline.ok("access", "create", "ana@example.com", "shop")
    rotated = trunkline.ok("access", "rotate", "ana@example.com", "shop")
    assert (rotated["id"], rotated["user"]) == (made["id"], made["user"])
    assert verifies(database, made["user"], rotated["secret"])
    assert not verifies(database, made["user"], made["secret"])
    assert trunkline.ok("access", "revoke", "ana@example.com", "shop")["revoked"]
    revoked = Directory(database).access(made["user"])
    assert revoked is not None
    assert revoked.revoked
    code, line = trunkline.fails("access", "rotate", "ana@example.com", "shop")
    assert (code, line) == (1, "trunkline: the access shop of ana@example.com is revoked; make another one")
    again = trunkline.ok("access", "create", "ana@example.com", "shop")
    assert again["id"] != made["id"]


def test_a_running_process_sees_a_change_at_its_next_look(trunkline: Trunkline, database: Database) -> None:
    directory = Directory(database)
    directory.refresh()
    trunkline.account()
    made = trunkline.ok("access", "create", "ana@example.com", "shop")
    assert directory.refresh()
    assert directory.access(made["user"]) is not None
    trunkline.ok("access", "revoke", "ana@example.com", "shop")
    assert directory.refresh()
    found = directory.access(made["user"])
    assert found is not None
    assert found.revoked


def test_people_read_lines_and_tables(trunkline: Trunkline) -> None:
    trunkline.account("ana@example.com", "--credits", "3")
    assert trunkline.run("account", "list").stdout.splitlines() == [
        "ID  EMAIL            PARENT  CREDITS  SUSPENDED",
        "1   ana@example.com          3        no",
    ]
    assert "credits:     3\n" in trunkline.run("account", "show", "ana@example.com").stdout
    assert trunkline.run("template", "list", "ana@example.com").stderr == "(none)\n"
