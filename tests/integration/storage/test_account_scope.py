"""Every query of customers' data takes the account as its scope: in its signature, and in the SQL that it emits.

What may see or touch more than one account is named here, each with its reason.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import insert, update

from gateway import clock
from gateway.messaging.states import State
from gateway.storage.database import Database, driver
from gateway.storage.hosts import DirectHost
from gateway.storage.queries import (
    batches,
    contacts,
    delivery,
    groups,
    idempotency,
    inbound,
    ledger,
    messages,
    optouts,
    submitted,
    templates,
)
from gateway.storage.schema import account, balance, message
from gateway.storage.submission import Submission
from gateway.storage.writer import Writer
from tests.support.books import a_message, a_send, new_id

MODULES = (batches, contacts, delivery, groups, idempotency, inbound, ledger, messages, optouts, submitted, templates)
ACCOUNT, OTHER = 7_654_321_000_001, 7_654_321_000_002

WITHOUT_ACCOUNT: Mapping[str, str] = {
    "contacts.purge_orphans": "housekeeping: deletes what removed groups left, of whichever account",
}
ANY_ACCOUNT: Mapping[str, str] = {
    "inbound.latest": "the operator's list",
    "messages.page": "the operator's list; a customer's pages name the account",
    "messages.show": "the operator's command",
    "messages.segments": "the operator's command",
    "messages.cancel": "the operator's command",
    "messages.release": "the operator's command",
    "messages.hold_some": "the operator's command, after a backup was restored",
    "messages.release_some": "the operator's command, after a backup was restored",
}
# Statements that do not name the account, because an earlier one of the same transaction has found (and holds)
# the row as the account's: how many of them, and which.
FOLLOWING: Mapping[str, tuple[int, str]] = {
    "optouts.remove": (1, "the version of the configuration"),
    "messages.cancel": (2, "its segments, and the message itself, by the id that was held"),
    "submitted.cancel": (2, "as messages.cancel, which it calls for each"),
    "messages.release": (1, "the message itself, by the id that was held"),
    "messages.hold_some": (1, "the messages themselves, by the ids that were found"),
    "messages.release_some": (1, "the messages themselves, by the ids that were held"),
}


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for module in MODULES:
        for name, function in vars(module).items():
            if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_"):
                yield f"{_short(module)}.{name}", function


def _short(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


FUNCTIONS = dict(functions())
SCOPED = sorted(FUNCTIONS.keys() - WITHOUT_ACCOUNT.keys())


def test_exceptions_exist() -> None:
    assert {*WITHOUT_ACCOUNT, *ANY_ACCOUNT, *FOLLOWING} <= FUNCTIONS.keys()
    assert len(FUNCTIONS) > 30


@pytest.mark.parametrize("name", SCOPED)
def test_the_account_is_the_second_parameter(name: str) -> None:
    parameters = list(inspect.signature(FUNCTIONS[name]).parameters.values())
    assert [parameter.name for parameter in parameters[:2]] == ["connection", "account_id"]
    expected = int | None if name in ANY_ACCOUNT else int
    assert parameters[1].annotation == expected
    assert parameters[1].default is inspect.Parameter.empty


@pytest.fixture
def things(database: Database) -> dict[str, Any]:
    """One of everything that the account may have, and the arguments that name it."""
    now = clock.now()
    with database.transaction() as connection:
        for id_ in (ACCOUNT, OTHER):
            connection.execute(insert(account).values(id=id_, email=f"{id_}@example.com", created_at=now))
            connection.execute(insert(balance).values(account_id=id_, credits=1_000))
        group_id = groups.create(connection, ACCOUNT, "group", "mobile", ["name"], now)
        made = {
            "template_id": templates.add(connection, ACCOUNT, "title", "text", "mobile", now),
            "group_id": group_id,
            "contact_id": contacts.add(connection, ACCOUNT, group_id, "34600000001", {}, now),
        }
        optouts.add(connection, ACCOUNT, "34600000004", now)
    host, batch_id = DirectHost(Writer(database)), new_id()
    rows = [a_message(ACCOUNT), a_message(ACCOUNT, batch_id=batch_id)]
    host.submit(a_send(ACCOUNT, 1, "key"))
    host.submit(Submission(account_id=ACCOUNT, messages=rows, batch=(batch_id, ACCOUNT, now, 0, 0)))
    host.close()
    others = {
        "account_id": ACCOUNT,
        "batch_id": batch_id,
        "message_id": rows[0][0],
        "ids": [row[0] for row in rows],
        "key": "key",
        "since": 0,
        "now": now,
        "after": 0,
        "before": None,
        "limit": 10,
        "title": "t",
        "message": "m",
        "type_": "mobile",
        "name": "city",
        "fields": {},
        "mobile": "34600000002",
        "rows": [("34600000003", {})],
        "to_id": OTHER,
        "amount": 1,
        "note": "n",
        "reason": "restored",
        "state": None,
        "source": "Trunkline",
        "destination": "34600000004",
        "destinations": ["34600000004"],
        "unmatched": False,
    }
    return made | others


def emitted(database: Database, name: str, things: Mapping[str, Any], held: bool) -> tuple[Any, list[str]]:
    """What the function gives, and the statements that it runs, their values filled in; nothing is kept."""
    function = FUNCTIONS[name]
    arguments = {each: things[each] for each in inspect.signature(function).parameters if each != "connection"}
    if name == "groups.create":
        arguments["fields"] = []
    said: list[str] = []
    connection = database.writer_connection()
    database.take_turn()
    database.begin(connection)
    if held:
        stop = update(message).where(message.c.id == things["message_id"])
        connection.execute(stop.values(state=State.HELD.value, hold_reason="restored"))
    if name == "groups.remove_field":
        arguments["name"] = "name"
    if name == "optouts.add":
        arguments["destination"] = "34600000005"
    driver(connection).set_trace_callback(said.append)
    try:
        result = function(connection, **arguments)
    finally:
        driver(connection).set_trace_callback(None)
        database.rollback(connection)
        database.release_turn()
        connection.close()
    return result, said


@pytest.mark.parametrize("dialect", ["sqlite"])  # what tells its statements with their values
@pytest.mark.parametrize("name", SCOPED)
def test_every_statement_names_the_account(database: Database, things: dict[str, Any], name: str) -> None:
    _, said = emitted(database, name, things, held="release" in name)
    assert said
    unscoped = [statement for statement in said if str(ACCOUNT) not in statement]
    if name == "ledger.move":  # the other side of a move names its own account
        unscoped = [statement for statement in unscoped if str(OTHER) not in statement]
    assert len(unscoped) == FOLLOWING.get(name, (0, ""))[0], unscoped
    assert str(ACCOUNT) in said[0]


# What each gives to an account whose the thing is not; the rest neither gives nor changes a thing that has an owner.
NOTHING = (None, False, 0, [], {}, set())
OF_THINGS = sorted(
    name
    for name in SCOPED
    if {"template_id", "group_id", "contact_id", "message_id", "batch_id", "ids", "key", "reason", "destinations"}
    & inspect.signature(FUNCTIONS[name]).parameters.keys()
)


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("name", OF_THINGS)
def test_another_accounts_things_do_not_exist(database: Database, things: dict[str, Any], name: str) -> None:
    theirs = things | {"account_id": OTHER}
    if name in ("contacts.add", "contacts.add_many"):
        with pytest.raises(LookupError):
            emitted(database, name, theirs, held=False)
        return
    result, said = emitted(database, name, theirs, held="release" in name)
    assert result in NOTHING
    mine, _ = emitted(database, name, things, held="release" in name)
    if name != "messages.segments":  # nothing was handed to a carrier yet
        assert mine not in NOTHING
    assert not any(str(ACCOUNT) in statement for statement in said)
