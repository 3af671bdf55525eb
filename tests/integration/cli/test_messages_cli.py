"""`trunkline message` and `trunkline log`."""

import json
from typing import Any

import pytest
from sqlalchemy import insert

from gateway import clock
from gateway.messaging.states import State
from gateway.storage import ids
from gateway.storage.database import Database
from gateway.storage.queries import messages as messages_of
from gateway.storage.queries import nodes
from gateway.storage.schema import call_log
from tests.integration.cli.conftest import Trunkline
from tests.support.rows import CREDIT, NOW, add_batch, add_message, add_segment

ANA, BOB = "ana@example.com", "bob@example.com"


@pytest.fixture
def messages(trunkline: Trunkline, database: Database) -> None:
    """Ana's messages 1 to 3, and Bob's 4."""
    trunkline.account(ANA)
    trunkline.account(BOB)
    with database.transaction() as connection:
        add_message(connection, 1, 1, State.QUEUED, price=2 * CREDIT, segments=2)
        add_message(connection, 1, 2, State.HELD, hold_reason="restored")
        add_message(connection, 1, 3, State.SENT, text="two\nlines\x1b[2J")
        add_segment(connection, 3, 1)
        add_message(connection, 2, 4, State.HELD, hold_reason="restored")


@pytest.mark.usefixtures("messages")
def test_list(trunkline: Trunkline) -> None:
    def numbers(*options: str) -> list[str]:
        return [row["id"] for row in trunkline.ok("message", "list", *options)]

    assert numbers() == ["4", "3", "2", "1"]
    assert numbers("--account", ANA) == ["3", "2", "1"]
    assert numbers("--state", "held") == ["4", "2"]
    assert numbers("--before", "3", "--limit", "1") == ["2"]


@pytest.mark.usefixtures("messages")
def test_show(trunkline: Trunkline) -> None:
    shown = trunkline.ok("message", "show", "3")
    assert (shown["id"], shown["state"], shown["credits"], shown["text"]) == ("3", "SENT", 1, "two\nlines\x1b[2J")
    assert shown["parts"] == [
        {"seq": 1, "attempt": 1, "state": "SENT", "carrier_ref": "3-1", "error": None},
    ]
    text = trunkline.run("message", "show", "3").stdout
    assert "\x1b" not in text
    assert r"two\nlines\x1b[2J" in text


@pytest.mark.usefixtures("messages")
def test_cancel_refunds_once(trunkline: Trunkline) -> None:
    assert trunkline.ok("message", "cancel", "1") == {"id": "1", "state": "CANCELLED", "refunded": 2}
    assert trunkline.ok("account", "show", ANA)["credits"] == 2
    assert trunkline.fails("message", "cancel", "1") == (
        1,
        "trunkline: The message 1 is CANCELLED; only one that is not yet sent can be cancelled.",
    )
    assert trunkline.ok("account", "show", ANA)["credits"] == 2


@pytest.mark.usefixtures("messages")
def test_release(trunkline: Trunkline) -> None:
    assert trunkline.fails("message", "release", "1") == (1, "trunkline: The message 1 is QUEUED, not HELD.")
    assert trunkline.ok("message", "release", "2")["released"] == 1
    assert trunkline.ok("message", "release", "--all", "--reason", "doubt") == {"released": 0}
    assert trunkline.ok("message", "release", "--all", "--account", ANA) == {"released": 0}
    assert trunkline.ok("message", "release", "--all") == {"released": 1}
    assert trunkline.ok("message", "list", "--state", "HELD") == []


def test_hold(trunkline: Trunkline, database: Database) -> None:
    """What is accepted and not yet sent is held as after a restore, and may go again when it is released."""
    unsent = {State.SCHEDULED: 1, State.QUEUED: 2, State.SENDING: 3, State.HELD: 4, State.STAGED: 5}
    trunkline.account(ANA)
    with database.transaction() as connection:
        for state, number in unsent.items():
            add_message(connection, 1, number, state, hold_reason="suspended" if state is State.HELD else None)
        add_message(connection, 1, 6, State.HELD, hold_reason="restored")
        add_message(connection, 1, 7, State.SENT)
        add_message(connection, 1, 8, State.DELIVERED)
        assert messages_of.hold_some(connection, 1, 2) == 2
    trunkline.account(BOB)
    assert trunkline.ok("message", "hold", "--all", "--account", BOB) == {"held": 0}
    assert trunkline.ok("message", "hold", "--all") == {"held": 3}
    assert trunkline.ok("message", "hold", "--all") == {"held": 0}
    shown = [trunkline.ok("message", "show", str(number)) for number in range(1, 9)]
    assert [(one["state"], one["hold_reason"]) for one in shown] == [
        *[("HELD", "restored")] * 6,
        ("SENT", None),
        ("DELIVERED", None),
    ]
    assert [one["possible_duplicate"] for one in shown] == [True] * 5 + [False] * 3
    assert trunkline.ok("message", "release", "--all") == {"released": 6}


def test_hold_leaves_a_bulk_send_that_is_being_accepted(trunkline: Trunkline, database: Database) -> None:
    trunkline.account(ANA)
    with database.transaction() as connection:
        for number, opened in ((1, False), (2, True)):
            add_batch(connection, 1, number, opened=opened)
            add_message(connection, 1, number, State.STAGED, batch_id=number)
    assert trunkline.ok("message", "hold", "--all") == {"held": 1}
    assert [row["id"] for row in trunkline.ok("message", "list", "--state", "HELD")] == ["2"]


def test_hold_is_for_a_gateway_that_is_stopped(trunkline: Trunkline, database: Database) -> None:
    trunkline.account(ANA)
    with database.transaction() as connection:
        add_message(connection, 1, 1, State.QUEUED)
        nodes.beat(connection, nodes.Node("n", "sms1", "dispatch", 7, 1), clock.now())
    refusal = "trunkline: The gateway runs (dispatch on sms1, process 7): stop it first."
    assert trunkline.fails("message", "hold", "--all") == (1, refusal)
    assert trunkline.ok("message", "show", "1")["state"] == "QUEUED"


def test_resuming_an_account_lets_its_queue_go_and_no_other(trunkline: Trunkline, database: Database) -> None:
    trunkline.account(ANA)
    trunkline.account(BOB)
    with database.transaction() as connection:
        for number in range(1, 4):
            add_message(connection, 1, number, State.HELD, hold_reason="suspended")
        add_message(connection, 1, 5, State.HELD, hold_reason="doubt")
        add_message(connection, 2, 6, State.HELD, hold_reason="suspended")
    trunkline.ok("account", "suspend", ANA)
    assert trunkline.ok("account", "resume", ANA)["released"] == 3
    assert [row["id"] for row in trunkline.ok("message", "list", "--state", "HELD")] == ["6", "5"]


def log_row(number: int, ago: int, **changes: Any) -> dict[str, Any]:
    at = clock.now() - ago
    row = {
        "id": ids.first(at) + number,
        "at": at,
        "account_id": 1,
        "access_id": 1,
        "login": ANA,
        "source_ip": "192.0.2.1",
        "protocol": "http",
        "class": "sms",
        "method": "sendsms",
        "parameters": json.dumps({"to": "34600000001"}),
        "outcome": "SUCCESS",
        "response": "{}",
        "duration_us": 1500,
        "request_id": f"r{number}",
    }
    return row | changes


SHORT = json.dumps({"status": "ERROR", "error": "NO_CREDITS", "detail": "The balance is short."})


@pytest.fixture
def calls(trunkline: Trunkline, database: Database) -> str:
    """Four calls, told apart by their request ids; the login of Ana's access shop."""
    trunkline.account(ANA)
    made = trunkline.ok("access", "create", ANA, "shop")
    with database.transaction() as connection:
        for row in (
            log_row(1, 3 * clock.DAY),
            log_row(2, 3 * clock.HOUR, access_id=int(made["id"]), outcome="NO_CREDITS", response=SHORT),
            log_row(3, 10 * clock.MINUTE, method="getbalance", **{"class": "user"}),
            log_row(4, clock.MINUTE, account_id=None, access_id=None, source_ip="2001:db8::1", login="eve"),
        ):
            connection.execute(insert(call_log).values(**row))
    return str(made["user"])


@pytest.mark.parametrize(
    ("options", "found"),
    [
        pytest.param((), ["r4", "r3", "r2"], id="a day without options"),
        pytest.param(("--since", "7d"), ["r4", "r3", "r2", "r1"], id="a week"),
        pytest.param(("--since", "15m"), ["r4", "r3"], id="minutes"),
        pytest.param(("--since", "2020-01-01"), ["r4", "r3", "r2", "r1"], id="a date"),
        pytest.param(("--since", "7d", "--until", "1d"), ["r1"], id="until"),
        pytest.param(("--account", ANA), ["r3", "r2", "r1"], id="an account"),
        pytest.param(("--account", ANA, "--access", "shop"), ["r2"], id="an access of an account"),
        pytest.param(("--access", "shop"), ["r2"], id="an access by its name alone"),
        pytest.param(("--access", ANA), ["r3", "r1"], id="the account's own"),
        pytest.param(("--method", "sendsms"), ["r4", "r2"], id="method"),
        pytest.param(("--method", "user.getbalance"), ["r3"], id="class and method"),
        pytest.param(("--ip", "2001:db8::1"), ["r4"], id="address"),
        pytest.param(("--outcome", "no_credits"), ["r2"], id="outcome"),
        pytest.param(("--limit", "1"), ["r4"], id="limit"),
    ],
)
@pytest.mark.usefixtures("calls")
def test_log(trunkline: Trunkline, options: tuple[str, ...], found: list[str]) -> None:
    assert [row["request_id"] for row in trunkline.ok("log", "list", *options)] == found


def test_log_is_in_the_order_of_time(trunkline: Trunkline, database: Database) -> None:
    """Processes take ids in blocks, so a later call can have a smaller one."""
    trunkline.account(ANA)
    with database.transaction() as connection:
        for number, age in ((1, clock.SECOND), (2, 20 * clock.SECOND)):
            row = log_row(number, age, id=ids.first(clock.now()) + number)
            connection.execute(insert(call_log).values(**row))
    assert [row["request_id"] for row in trunkline.ok("log", "list")] == ["r1", "r2"]


def test_log_by_login_and_page_by_page(trunkline: Trunkline, calls: str) -> None:
    assert [row["request_id"] for row in trunkline.ok("log", "list", "--access", calls)] == ["r2"]
    first = trunkline.run("log", "list", "--account", ANA, "--limit", "2", "--json")
    hint, before = first.stderr.rsplit(" ", 1)
    assert hint == "There may be more: --before"
    rest = trunkline.ok("log", "list", "--account", ANA, "--limit", "2", "--before", before.strip())
    assert [row["request_id"] for row in rest] == ["r1"]


@pytest.mark.usefixtures("calls")
def test_log_line_for_people(trunkline: Trunkline) -> None:
    header, line = trunkline.run("log", "list", "--limit", "1").stdout.splitlines()
    assert " ".join(header.split()) == "AT SOURCE_IP PROTOCOL LOGIN OPERATION OUTCOME MS DETAIL PARAMETERS"
    assert line.split()[1:] == ["2001:db8::1", "http", "eve", "sms.sendsms", "SUCCESS", "1.5", "to=34600000001"]


@pytest.mark.usefixtures("calls")
def test_log_line_says_why_a_call_was_refused(trunkline: Trunkline) -> None:
    _, line = trunkline.run("log", "list", "--outcome", "NO_CREDITS").stdout.splitlines()
    assert line.endswith("  NO_CREDITS  1.5  The balance is short.  to=34600000001")


@pytest.mark.usefixtures("messages")
def test_an_access_name_of_several_accounts_needs_the_account(trunkline: Trunkline) -> None:
    for email in (ANA, BOB):
        trunkline.ok("access", "create", email, "shop")
    assert trunkline.fails("log", "list", "--access", "shop") == (
        2,
        "trunkline: several accounts have an access named 'shop': say which with --account",
    )
    assert trunkline.ok("log", "list", "--access", "shop", "--account", ANA) == []


def test_times_of_rows(trunkline: Trunkline, database: Database) -> None:
    trunkline.account(ANA)
    with database.transaction() as connection:
        add_message(connection, 1, 1, State.QUEUED)
    shown = trunkline.ok("message", "show", "1")
    assert (shown["accepted"], shown["sent"]) == ("2027-01-15T08:00:00Z", None)
    assert NOW == 1_800_000_000 * clock.SECOND
