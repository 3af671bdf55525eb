"""The first start makes what there is to try with, once, and gives secrets that work."""

import threading

from sqlalchemy import text

from gateway.storage import passwords
from gateway.storage.bootstrap import FirstStart, first_start
from gateway.storage.database import Database
from gateway.storage.directory import Directory
from gateway.storage.queries import contacts, groups, ledger, operators, templates
from tests.support.rows import CREDIT, NOW, add_account


def test_makes_an_operator_and_a_demo_account_whose_secrets_work(database: Database) -> None:
    made = first_start(database, NOW)
    assert made is not None
    operator, demo = made["operator"], made["demo"]
    assert operator is not None
    assert demo is not None
    directory = Directory(database)
    own, access = directory.access(demo["email"]), directory.access(demo["user"])
    assert own is not None
    assert access is not None
    assert passwords.verify(own.secret, demo["password"])
    assert passwords.verify(access.secret, demo["secret"])
    assert own.account == access.account
    assert own.account.country == "34"
    with database.read() as connection:
        known = operators.find(connection, operator["user"])
        account = own.account.id
        assert ledger.balance(connection, account) == 1000 * CREDIT
        assert [(row.id, "<name>" in row.message) for row in templates.list_(connection, account)] == [
            (demo["template"], True)
        ]
        assert [(row.id, row.count, row.fields) for row in groups.list_(connection, account)] == [
            (demo["group"], 2, ("name",))
        ]
        assert all(row.fields["name"] for row in contacts.page(connection, account, demo["group"], 0, 10))
    assert known is not None
    assert passwords.verify(known["secret"], operator["secret"])


def test_secrets_differ_and_are_stored_nowhere(database: Database) -> None:
    made = first_start(database, NOW)
    assert made is not None
    assert made["operator"] is not None
    assert made["demo"] is not None
    secrets = {made["operator"]["secret"], made["demo"]["secret"], made["demo"]["password"]}
    assert len(secrets) == 3
    with database.read() as connection:
        stored = [
            *connection.execute(text("SELECT * FROM access")),
            *connection.execute(text("SELECT * FROM operator")),
        ]
    assert not any(secret in str(row) for secret in secrets for row in stored)


def test_the_second_start_makes_nothing(database: Database) -> None:
    assert first_start(database, NOW) is not None
    assert first_start(database, NOW) is None


def test_an_account_made_before_needs_no_demo_but_an_operator(database: Database) -> None:
    with database.transaction() as connection:
        add_account(connection)
    made = first_start(database, NOW)
    assert made is not None
    assert made["operator"] is not None
    assert made["demo"] is None


def test_of_many_at_once_one_makes_it(database: Database) -> None:
    made: list[FirstStart | None] = []
    threads = [threading.Thread(target=lambda: made.append(first_start(database, NOW))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == 4
    assert sum(one is not None for one in made) == 1
