"""The opt-out list through the whole pipeline, on both databases: kept, and heeded by every send."""

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from gateway.messaging.states import State
from gateway.operations import bulk
from gateway.storage.database import Database
from gateway.storage.queries import optouts
from gateway.storage.schema import batch, message
from tests.support.books import check_books, rows_of
from tests.support.pipeline import CREDIT, Customer, Installation, installed

ANA, BOB, EVA = "34600000001", "34600000002", "34600000003"
REFUSED = ("OPTED_OUT", f"to: {ANA} is on this account's opt-out list.")


@pytest.fixture
def installation(database: Database, tmp_path: Path) -> Iterator[Installation]:
    with installed(database, tmp_path / "files") as installation:
        yield installation
        check_books(database)


@pytest.fixture
def shop(installation: Installation) -> Customer:
    return installation.customer()


def stop(customer: Customer, *numbers: str) -> None:
    for number in numbers:
        assert customer.answer("optout.addoptout", number=number) is None
    customer.installation.gateway.refresh()


def listed(customer: Customer, **asked: str) -> tuple[list[str], str | None]:
    page = customer.answer("optout.getoptouts", **asked)
    return [entry["number"] for entry in page["optouts"]], page["next"]


def send(to: str = ANA, **more: str) -> dict[str, str]:
    return {"from_": "Shop", "to": to, "sms": "hello"} | more


def test_numbers_are_kept_in_one_form_and_once(installation: Installation, shop: Customer) -> None:
    other = installation.customer()
    stop(shop, "+34600000002", "600000001", "0034600000001", EVA)
    assert listed(shop) == ([ANA, BOB, EVA], None)
    assert listed(other) == ([], None)
    (entry, *_) = shop.answer("optout.getoptouts")["optouts"]
    assert len(entry["addeddate"]) == len("2026-01-01 00:00:00")
    assert shop.answer("optout.deleteoptout", number="600000002") is None
    assert listed(shop) == ([ANA, EVA], None)
    gone = ("INCORRECT_PARAM", f"number: {BOB} is not on the account's opt-out list")
    assert shop.refusal("optout.deleteoptout", number=BOB) == gone
    assert other.refusal("optout.deleteoptout", number=ANA) == (gone[0], gone[1].replace(BOB, ANA))


def test_a_long_list_is_given_in_parts(shop: Customer) -> None:
    stop(shop, ANA, BOB, EVA)
    assert listed(shop, limit="2") == ([ANA, BOB], BOB)
    assert listed(shop, limit="2", after=BOB) == ([EVA], None)
    assert listed(shop, limit="3") == ([ANA, BOB, EVA], None)
    assert listed(shop, after="34600000001") == ([BOB, EVA], None)
    assert listed(shop, after="9") == ([], None)


@pytest.mark.parametrize(
    ("name", "parameters", "code", "detail"),
    [
        ("addoptout", {}, "MISSING_COMPULSORY_PARAM", "number"),
        ("deleteoptout", {}, "MISSING_COMPULSORY_PARAM", "number"),
        ("addoptout", {"number": "x"}, "INCORRECT_PARAM", "number: The number 'x' holds"),
        ("deleteoptout", {"number": "12"}, "INCORRECT_PARAM", "number: The number '12' is possible neither"),
        ("getoptouts", {"limit": "0"}, "INCORRECT_PARAM", "limit: must be a whole number"),
        ("getoptouts", {"after": "+34"}, "INCORRECT_PARAM", "after: must be a number in digits"),
        ("getoptouts", {"after": "3" * 16}, "INCORRECT_PARAM", "after: must be a number in digits"),
    ],
    ids=str,
)
def test_values_that_cannot_be(shop: Customer, name: str, parameters: dict[str, str], code: str, detail: str) -> None:
    found = shop.refusal(f"optout.{name}", **parameters)
    assert found[0] == code
    assert detail in str(found[1])


def test_a_send_to_who_opted_out_is_refused_and_free(installation: Installation, shop: Customer) -> None:
    other = installation.customer()
    stop(shop, ANA)
    for to in (ANA, "600000001", "+34600000001"):
        assert shop.refusal("sms.sendsms", **send(to)) == REFUSED
    template = shop.template("hello")
    assert shop.refusal("sms.sendsmsfromtemplate", to=ANA, idtemplate=template) == REFUSED
    later = send(scheduledatetime="2099-01-01 10:00:00")
    assert shop.refusal("sms.sendsms", **later)[0] == "INCORRECT_PARAM"
    assert rows_of(installation.database, message) == []
    assert shop.balance == 1_000 * CREDIT
    shop.answer("sms.sendsms", **send(BOB))
    other.answer("sms.sendsms", **send())
    shop.answer("optout.deleteoptout", number=ANA)
    installation.gateway.refresh()
    shop.answer("sms.sendsms", **send())


def test_which_error_wins(installation: Installation, shop: Customer) -> None:
    """What is wrong with the call, then who wants nothing, then routes and credits."""
    poor = installation.customer(0)
    stop(shop, ANA)
    stop(poor, ANA)
    installation.serve_only("44")
    assert shop.refusal("sms.sendsms", **send(sms="x" * 4_001))[0] == "INCORRECT_PARAM"
    assert shop.refusal("sms.sendsms", **send()) == REFUSED
    assert shop.refusal("sms.sendsms", **send(BOB))[0] == "NO_ROUTE_AVAILABLE"
    assert poor.refusal("sms.sendsms", **send()) == REFUSED
    assert poor.refusal("sms.sendsms", **send("447700900123"))[0] == "NO_CREDITS"


def test_what_was_answered_before_is_answered_again(shop: Customer) -> None:
    first = shop.answer("sms.sendsms", **send(idempotencykey="k"))
    stop(shop, ANA)
    assert shop.answer("sms.sendsms", **send(idempotencykey="k")) == first


def group(customer: Customer, *members: str) -> dict[str, str]:
    return {"from_": "Shop", "countrycode": "34", "idgroup": customer.group(*members), "sms": "hello"}


def test_a_group_leaves_out_who_opted_out(
    installation: Installation, shop: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PIECE", 2)
    stop(shop, ANA, EVA)
    result = shop.answer("sms.sendsmstogroup", **group(shop, ANA, BOB, "600000003", "12", "+34600000001", BOB))
    assert (result["count"], result["credits"]) == (6, 2 * CREDIT)
    found = sorted(rows_of(installation.database, message), key=lambda row: row["id"])
    assert [(row["destination"], row["state"], row["price"], row["error"]) for row in found] == [
        (ANA, State.REJECTED, 0, "OPTED_OUT"),
        (BOB, State.STAGED, CREDIT, None),
        (EVA, State.REJECTED, 0, "OPTED_OUT"),
        ("12", State.REJECTED, 0, "INVALID_NUMBER"),
        (ANA, State.REJECTED, 0, "OPTED_OUT"),
        (BOB, State.STAGED, CREDIT, None),
    ]
    assert shop.balance == 998 * CREDIT
    statuses = shop.answer("sms.getdeliverystatus", messages=",".join(str(row["id"]) for row in found[:2]))
    assert [status["deliverystatus"] for status in statuses] == ["REJECTED", "QUEUED"]


def test_a_template_to_a_group_too(installation: Installation, shop: Customer) -> None:
    stop(shop, ANA)
    given = group(shop, ANA, BOB)
    del given["sms"]
    result = shop.answer("sms.sendsmstogroupfromtemplate", **given, idtemplate=shop.template("To <mobile>"))
    assert result["credits"] == CREDIT
    assert {row["destination"]: row["error"] for row in rows_of(installation.database, message)} == {
        ANA: "OPTED_OUT",
        BOB: None,
    }


@pytest.mark.parametrize(
    ("members", "code", "detail"),
    [
        ([ANA, "600000002"], "OPTED_OUT", "idgroup: All contacts of {} are on the opt-out list."),
        ([ANA, "12"], "NO_ROUTE_AVAILABLE", "idgroup: No route serves any contact of {}."),
        ([ANA, "447700900123"], "NO_ROUTE_AVAILABLE", "idgroup: No route serves any contact of {}."),
    ],
    ids=["all opted out", "one opted out, one no number", "one opted out, one without a route"],
)
def test_a_group_of_which_nobody_can_be_sent_to(
    installation: Installation, shop: Customer, members: list[str], code: str, detail: str
) -> None:
    installation.serve_only("34")
    stop(shop, ANA, BOB)
    given = group(shop, *members)
    assert shop.refusal("sms.sendsmstogroup", **given) == (code, detail.format(given["idgroup"]))
    assert rows_of(installation.database, message) == rows_of(installation.database, batch) == []
    assert shop.balance == 1_000 * CREDIT


def test_an_account_without_a_list_looks_nothing_up(shop: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one with a list does, so that the first half of this can fail."""
    asked: list[int] = []
    among = optouts.among

    def counting(connection: Connection, account_id: int, destinations: Collection[str]) -> set[str]:
        asked.append(account_id)
        return among(connection, account_id, destinations)

    monkeypatch.setattr(optouts, "among", counting)
    shop.answer("sms.sendsms", **send())
    shop.answer("sms.sendsmstogroup", **group(shop, ANA, BOB))
    assert asked == []
    stop(shop, EVA)
    asked.clear()
    shop.answer("sms.sendsms", **send())
    shop.answer("sms.sendsmstogroup", **group(shop, ANA, BOB))
    assert asked == [shop.account_id] * 2
