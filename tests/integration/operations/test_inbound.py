"""getinbound and what follows a STOP, through the whole pipeline, on both databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from gateway.storage.database import Database
from gateway.storage.schema import inbound_route
from tests.support.arrivals import ANA, NUMBER, Arrivals, arrived, pieces
from tests.support.dispatch import NOW, World
from tests.support.pipeline import Customer, Installation, installed


@pytest.fixture
def installation(database: Database, tmp_path: Path) -> Iterator[Installation]:
    with installed(database, tmp_path / "files") as installation:
        yield installation


@pytest.fixture
def shop(installation: Installation) -> Customer:
    """It has the number, and is in Madrid."""
    return owner(installation, "")


@pytest.fixture
def desk(database: Database) -> Arrivals:
    return Arrivals(World(database))


def owner(installation: Installation, keyword: str) -> Customer:
    customer = installation.customer()
    with installation.database.transaction() as connection:
        connection.execute(
            insert(inbound_route).values(account_id=customer.account_id, number=NUMBER, keyword=keyword)
        )
    return customer


def got(customer: Customer, **asked: str) -> tuple[list[str], str | None]:
    page: dict[str, Any] = customer.answer("sms.getinbound", **asked)
    return [entry["text"] for entry in page["messages"]], page["next"]


def test_what_came_in_is_given_to_its_account(installation: Installation, shop: Customer, desk: Arrivals) -> None:
    other = owner(installation, "pizza")
    desk.give(arrived("Olá <&> 😀"), arrived("Pizza, four"), *pieces(["long ", "one"]), arrived("x", destination="9"))
    page = shop.answer("sms.getinbound")
    first, second = page["messages"]
    assert first == {
        "id": first["id"],
        "from": ANA,
        "to": NUMBER,
        "text": "Olá <&> 😀",
        "receiveddate": "2027-01-15 09:00:00",
    }
    assert second["text"] == "long one"
    assert page["next"] is None
    assert got(other) == (["Pizza, four"], None)
    assert got(installation.customer()) == ([], None)


def test_in_parts_and_on_from_the_last(shop: Customer, desk: Arrivals) -> None:
    for text in "abc":
        desk.give(arrived(text))
    ids = [entry["id"] for entry in shop.answer("sms.getinbound")["messages"]]
    assert got(shop, limit="2") == (["a", "b"], ids[1])
    assert got(shop, limit="2", after=ids[1]) == (["c"], None)
    assert got(shop, limit="3") == (["a", "b", "c"], None)
    assert got(shop, after=ids[2]) == ([], None)
    desk.give(arrived("d"))
    assert got(shop, after=ids[2]) == (["d"], None)


def test_later_ones_have_higher_ids_whoever_delivers_them(shop: Customer, desk: Arrivals) -> None:
    """Whoever reads on from the last id misses nothing, also where a message is dated before it."""
    desk.give(arrived("a"))
    (entry,) = shop.answer("sms.getinbound")["messages"]
    desk.lease = desk.world.lease(desk.world.new_carrier("other"))
    desk.give(arrived("b", at=NOW - 1_000_000))
    assert got(shop, after=entry["id"]) == (["b"], None)


@pytest.mark.parametrize(
    ("parameters", "detail"),
    [
        ({"after": "x"}, "after: must be an id in digits, as getinbound gives it, not 'x'."),
        ({"limit": "1001"}, "limit: must be a whole number from 1 to 1000, not '1001'."),
    ],
    ids=str,
)
def test_values_that_cannot_be(shop: Customer, parameters: dict[str, str], detail: str) -> None:
    assert shop.refusal("sms.getinbound", **parameters) == ("INCORRECT_PARAM", detail)


def test_after_stop_sends_are_refused_and_after_start_no_more(shop: Customer, desk: Arrivals) -> None:
    """As soon as the version was looked at, which every process does four times a second."""
    hello = {"from_": "Shop", "to": ANA, "sms": "hello"}

    def after(text: str) -> str:
        desk.give(arrived(text))
        shop.installation.gateway.refresh()
        reply = shop.call("sms.sendsms", {"from": "Shop", "to": ANA, "sms": "hello"})
        return "SUCCESS" if reply.error is None else reply.error.value

    shop.answer("sms.sendsms", **hello)
    assert [after(text) for text in ("hi", "STOP", "hi!", "start", "Baja.")] == [
        *("SUCCESS", "OPTED_OUT", "OPTED_OUT", "SUCCESS", "OPTED_OUT"),
    ]
    assert [entry["number"] for entry in shop.answer("optout.getoptouts")["optouts"]] == [ANA]
    assert got(shop)[0] == ["hi", "STOP", "hi!", "start", "Baja."]


def test_the_second_who_stops_is_refused_at_once(shop: Customer, desk: Arrivals) -> None:
    """The directory knows already that there is a list: nothing has to be looked at again."""
    desk.give(arrived("STOP", source="34600000009"))
    shop.installation.gateway.refresh()
    desk.give(arrived("STOP"))
    assert shop.refusal("sms.sendsms", from_="Shop", to=ANA, sms="hello")[0] == "OPTED_OUT"
