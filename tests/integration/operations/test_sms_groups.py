"""Bulk sends through the whole pipeline, on both databases: whole or not at all, debited once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import clock
from gateway.messaging.states import State
from gateway.operations.bulk import PIECE
from gateway.storage.database import Database
from gateway.storage.errors import Unavailable
from gateway.storage.queries import batches, contacts, groups, ledger
from gateway.storage.schema import batch, call_log, idempotency, message
from gateway.storage.schema import ledger as ledger_table
from gateway.storage.submission import Submission
from tests.support.books import check_books, rows_of
from tests.support.pipeline import CREDIT, Customer, Installation, installed

NO_CREDITS = ("NO_CREDITS", "The balance does not cover this send; nothing was sent.")


@pytest.fixture
def installation(database: Database, tmp_path: Path) -> Iterator[Installation]:
    with installed(database, tmp_path / "files", max_batch=3_000) as installation:
        yield installation


@pytest.fixture
def ana(installation: Installation) -> Iterator[Customer]:
    yield installation.customer()
    check_books(installation.database)


def to_group(group: str, **changes: str) -> dict[str, str]:
    return {"from_": "Shop", "countrycode": "34", "idgroup": group, "sms": "hello"} | changes


def messages(installation: Installation) -> list[Any]:
    return sorted(rows_of(installation.database, message), key=lambda row: row["id"])


def nothing_left(installation: Installation) -> bool:
    database = installation.database
    debits = rows_of(database, ledger_table, ledger_table.c.kind == "debit")
    return not (rows_of(database, message) or rows_of(database, batch) or debits or rows_of(database, idempotency))


def numbers(count: int, first: int = 34600000000) -> list[str]:
    return [str(first + number) for number in range(count)]


def test_a_group_is_sent_to(installation: Installation, ana: Customer) -> None:
    result = ana.answer("sms.sendsmstogroup", **to_group(ana.group("34600000001", "600000002", "+447700900123")))
    rows = messages(installation)
    listed = [{"messageid": str(row["id"]), "destination": row["destination"]} for row in rows]
    assert result == {"id": result["id"], "count": 3, "credits": 3 * CREDIT, "destinations": listed}
    assert [row["destination"] for row in rows] == ["34600000001", "34600000002", "447700900123"]
    assert {(row["state"], row["batch_id"], row["text"]) for row in rows} == {
        (State.STAGED, int(result["id"]), "hello")
    }
    (opened,) = rows_of(installation.database, batch)
    assert (opened["id"], opened["count"], opened["credits"]) == (int(result["id"]), 3, 3 * CREDIT)
    assert opened["opened_at"] is not None
    assert ana.balance == 997 * CREDIT
    (log,) = rows_of(installation.database, call_log)
    assert (log["method"], log["outcome"]) == ("sendsmstogroup", "SUCCESS")


def test_the_text_of_a_plain_bulk_send_has_no_placeholders(installation: Installation, ana: Customer) -> None:
    group = ana.group(("34600000001", {"name": "Ana"}), fields=("name",))
    ana.answer("sms.sendsmstogroup", **to_group(group, sms="Hi <name>"))
    assert [row["text"] for row in messages(installation)] == ["Hi <name>"]


def test_a_template_is_filled_from_each_contact(installation: Installation, ana: Customer) -> None:
    group = ana.group(
        ("600000001", {"name": "Ana", "city": "Rome"}), ("34600000002", {"name": "x" * 200}), fields=("name", "city")
    )
    template = ana.template("Hi <name>, <mobile>")
    result = ana.answer("sms.sendsmstogroupfromtemplate", countrycode="34", idgroup=group, idtemplate=template)
    assert [row["text"] for row in messages(installation)] == ["Hi Ana, 34600000001", f"Hi {'x' * 200}, 34600000002"]
    assert [row["price"] for row in messages(installation)] == [CREDIT, 2 * CREDIT]
    assert result["credits"] == 3 * CREDIT


def test_a_missing_value_names_its_placeholder_and_contact(installation: Installation, ana: Customer) -> None:
    group = ana.group(("600000001", {"name": "Ana"}), ("600000002", {}), fields=("name",))
    last = max(row["id"] for row in rows_of(installation.database, contacts.contact))
    parameters = {"countrycode": "34", "idgroup": group, "idtemplate": ana.template("Hi <name>")}
    assert ana.refusal("sms.sendsmstogroupfromtemplate", **parameters) == (
        "INCORRECT_PARAM",
        f"idtemplate: The placeholder <name> has no value in contact {last}.",
    )
    assert nothing_left(installation)


def test_a_field_that_was_removed_has_no_value(installation: Installation, ana: Customer) -> None:
    group = ana.group(("600000001", {"name": "Ana"}), fields=("name",))
    ana.answer("group.deletefield", idgroup=group, field="name")
    parameters = {"countrycode": "34", "idgroup": group, "idtemplate": ana.template("<name>")}
    assert ana.refusal("sms.sendsmstogroupfromtemplate", **parameters)[0] == "INCORRECT_PARAM"
    assert nothing_left(installation)


def test_contacts_that_cannot_be_served_are_rejected_and_free(installation: Installation, ana: Customer) -> None:
    installation.serve_only("34")
    group = ana.group("34600000001", "447700900123", "12", "600000002")
    result = ana.answer("sms.sendsmstogroup", **to_group(group))
    assert (result["count"], result["credits"]) == (4, 2 * CREDIT)
    found = [(row["destination"], row["state"], row["price"], row["error"]) for row in messages(installation)]
    assert found == [
        ("34600000001", State.STAGED, CREDIT, None),
        ("447700900123", State.REJECTED, 0, "NO_ROUTE_AVAILABLE"),
        ("12", State.REJECTED, 0, "INVALID_NUMBER"),
        ("34600000002", State.STAGED, CREDIT, None),
    ]
    ids = ",".join(entry["messageid"] for entry in result["destinations"])
    statuses = [status["deliverystatus"] for status in ana.answer("sms.getdeliverystatus", messages=ids)]
    assert statuses == ["QUEUED", "REJECTED", "REJECTED", "QUEUED"]


def test_a_group_that_nobody_serves(installation: Installation, ana: Customer) -> None:
    installation.serve_only("44")
    group = ana.group("34600000001", "12")
    expected = ("NO_ROUTE_AVAILABLE", f"idgroup: No route serves any contact of {group}.")
    assert ana.refusal("sms.sendsmstogroup", **to_group(group, idempotencykey="k")) == expected
    assert nothing_left(installation)


def test_an_empty_group(installation: Installation, ana: Customer) -> None:
    group = ana.group()
    expected = ("INCORRECT_PARAM", f"idgroup: The group {group} has no contacts.")
    assert ana.refusal("sms.sendsmstogroup", **to_group(group)) == expected
    assert nothing_left(installation)


def test_a_group_that_is_too_large(installation: Installation, ana: Customer) -> None:
    group = ana.group(*numbers(3_001))
    expected = ("INCORRECT_PARAM", f"idgroup: The group {group} has 3001 contacts and 3000 is the most.")
    assert ana.refusal("sms.sendsmstogroup", **to_group(group)) == expected


@pytest.mark.parametrize(
    ("credits_", "covered"),
    [pytest.param(2_500 * CREDIT, True, id="exactly"), pytest.param(2_500 * CREDIT - 1, False, id="one-short")],
)
def test_a_send_of_several_pieces_is_debited_once_or_refused_whole(
    installation: Installation, credits_: int, covered: bool
) -> None:
    customer = installation.customer(credits_)
    parameters = to_group(customer.group(*numbers(2_500)), idempotencykey="k")
    if not covered:
        assert customer.refusal("sms.sendsmstogroup", **parameters) == NO_CREDITS
        assert nothing_left(installation)
        assert customer.balance == credits_
        return
    result = customer.answer("sms.sendsmstogroup", **parameters)
    assert (result["count"], result["credits"]) == (2_500, 2_500 * CREDIT)
    assert [entry["destination"] for entry in result["destinations"]] == numbers(2_500)
    assert customer.balance == 0
    debits = rows_of(installation.database, ledger_table, ledger_table.c.kind == "debit")
    assert [row["amount"] for row in debits] == [-2_500 * CREDIT]
    assert customer.answer("sms.sendsmstogroup", **parameters) == result
    check_books(installation.database)


def test_destinations_are_read_page_by_page(installation: Installation, ana: Customer) -> None:
    parameters = {"from": "Shop", "countrycode": "34", "idgroup": ana.group(*numbers(2_001)), "sms": "x"}
    installation.set_price("", 1)
    reply = ana.call("sms.sendsmstogroup", parameters)
    pages = [len(page) for page in reply.result["destinations"].pages()]
    assert pages == [PIECE, PIECE, 1]
    assert [len(page) for page in reply.result["destinations"].pages()] == pages


def test_credits_spent_while_a_send_is_staged_refuse_it_whole(installation: Installation) -> None:
    customer = installation.customer(1_500 * CREDIT)
    group = customer.group(*numbers(1_500))

    def spend() -> None:
        with installation.database.transaction() as connection:
            ledger.grant(connection, customer.account_id, -CREDIT, "spent", clock.now())

    interfere(installation, after=2, how=spend)
    assert customer.refusal("sms.sendsmstogroup", **to_group(group, idempotencykey="k")) == NO_CREDITS
    assert nothing_left(installation)
    assert customer.balance == 1_499 * CREDIT


def test_a_group_removed_while_it_is_staged_refuses_the_send(installation: Installation) -> None:
    customer = installation.customer(2_000 * CREDIT)
    group = customer.group(*numbers(1_500))

    def remove() -> None:
        with installation.database.transaction() as connection:
            groups.remove(connection, customer.account_id, int(group), clock.now())

    interfere(installation, after=1, how=remove)
    assert customer.refusal("sms.sendsmstogroup", **to_group(group))[0] == "NOT_ACCESS_TO_GROUP"
    assert nothing_left(installation)
    assert customer.balance == 2_000 * CREDIT


def test_a_batch_that_was_swept_is_not_paid(installation: Installation) -> None:
    customer = installation.customer(2_000 * CREDIT)

    def sweep() -> None:
        (row,) = rows_of(installation.database, batch)
        with installation.database.transaction() as connection:
            while batches.discard(connection, customer.account_id, row["id"], PIECE):
                pass

    interfere(installation, after=2, how=sweep)
    with pytest.raises(LookupError):
        customer.call(
            "sms.sendsmstogroup", {"from": "x", "countrycode": "34", "sms": "x"} | group_of(customer, 1_500)
        )
    assert nothing_left(installation)
    assert customer.balance == 2_000 * CREDIT


def group_of(customer: Customer, size: int) -> dict[str, str]:
    return {"idgroup": customer.group(*numbers(size))}


def test_two_sends_with_one_key_at_once_send_once(installation: Installation, ana: Customer) -> None:
    group, other = ana.group(*numbers(50)), []

    def meanwhile() -> None:
        other.append(ana.answer("sms.sendsmstogroup", **to_group(group, idempotencykey="k")))

    interfere(installation, after=1, how=meanwhile)
    result = ana.answer("sms.sendsmstogroup", **to_group(group, idempotencykey="k"))
    assert [result] == other
    assert (len(messages(installation)), len(rows_of(installation.database, batch))) == (50, 1)
    assert ana.balance == 950 * CREDIT


def test_a_crash_between_pieces_leaves_an_unopened_batch(installation: Installation) -> None:
    customer = installation.customer(2_000 * CREDIT)
    group = customer.group(*numbers(1_500))

    customer.answer("user.getbalance")  # has the process take its ids

    class Crash(BaseException):
        """The process is killed: nothing runs after it."""

    def crash(*_: Any) -> Any:
        raise Crash

    original = installation.host.submit
    calls: list[Submission] = []

    def submit(submission: Submission) -> Any:
        calls.append(submission)
        return original(submission) if len(calls) <= 2 else crash()

    installation.host.submit = submit  # type: ignore[method-assign]
    transact, installation.host.transact = installation.host.transact, crash  # type: ignore[method-assign]
    with pytest.raises(Crash):
        customer.answer("sms.sendsmstogroup", **to_group(group))
    installation.host.transact = transact  # type: ignore[method-assign]
    (left,) = rows_of(installation.database, batch)
    assert (left["opened_at"], len(messages(installation))) == (None, 1_500)
    assert customer.balance == 2_000 * CREDIT
    while installation.host.transact(
        lambda connection: batches.discard(connection, customer.account_id, left["id"], PIECE)
    ):
        pass
    assert nothing_left(installation)


def test_a_database_that_goes_away_between_pieces_leaves_nothing_when_it_is_back(installation: Installation) -> None:
    customer = installation.customer(2_000 * CREDIT)

    def away() -> None:
        raise Unavailable("away")

    interfere(installation, after=1, how=away)
    code, _ = customer.refusal("sms.sendsmstogroup", **to_group(customer.group(*numbers(1_500))))
    assert code == "UNAVAILABLE"
    assert nothing_left(installation)


def test_another_account_may_not_discard_or_list_a_batch(installation: Installation, ana: Customer) -> None:
    bob = installation.customer()
    batch_id = int(ana.answer("sms.sendsmstogroup", **to_group(ana.group("34600000001")))["id"])
    with installation.database.transaction() as connection:
        assert batches.discard(connection, bob.account_id, batch_id, PIECE) == 0
        assert batches.discard(connection, ana.account_id, batch_id, PIECE) == 0
        assert batches.destinations(connection, bob.account_id, batch_id, 0, PIECE) == []
    assert len(messages(installation)) == 1


def interfere(installation: Installation, after: int, how: Callable[[], Any]) -> None:
    """Have something else happen, once, when `after` submissions are stored."""
    submit, stored = installation.host.submit, []

    def watched(submission: Submission) -> Any:
        verdict = submit(submission)
        stored.append(submission)
        if len(stored) == after:
            how()
        return verdict

    installation.host.submit = watched  # type: ignore[method-assign]
