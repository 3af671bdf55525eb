"""Messages from the call to their end, and what they cost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.conftest import World
from tests.support.door import Customer
from tests.support.wait import settled, until

PRICE = 0.75
FINAL = {"DELIVERED", "UNDELIVERED", "EXPIRED", "REJECTED", "CANCELLED"}

# What becomes of a number, by its last four digits: the status that comes, and whether it is the last one.
RULES = {
    "0001": "DELIVERED",
    "0002": "UNDELIVERED",
    "0003": "EXPIRED",
    "0004": "REJECTED",
    "0005": "DELIVERED",
    "0006": "SENT",
    "0007": "DELIVERED",
    "0008": "DELIVERED",
    "0009": "SENT",
    "1234": "DELIVERED",
}


@pytest.fixture(scope="session")
def sender(world: World) -> Customer:
    """An account with 1,000 credits and a price of its own."""
    found = world.door.customer("--credits", "1000", "--timezone", "America/New_York")
    world.door.cli("price", "set", "", str(PRICE), "--account", found.email)

    settled(lambda: _send(world, found, "34600000001")["credits"] == PRICE, "the price")
    return found


@pytest.fixture(scope="session")
def sent(world: World, sender: Customer) -> dict[str, str]:
    """The id of a message to a number of each rule."""
    return {digits: _send(world, sender, f"3460000{digits}")["messageid"] for digits in RULES}


def _send(world: World, sender: Customer, to: str, **more: str) -> Any:
    found = world.door.call(sender.access, "sms.sendsms", {"from": "Shop", "to": to, "sms": "Hi", **more})
    assert found["status"] == "SUCCESS", found
    return found["result"]


def balance(world: World, customer: Customer) -> float:
    found: float = world.door.call(customer.access, "user.getbalance")["result"]
    return found


@pytest.mark.parametrize(("digits", "status"), RULES.items())
def test_rule_of_the_number(world: World, sender: Customer, sent: dict[str, str], digits: str, status: str) -> None:
    seen = []

    def read() -> str:
        seen.extend(world.door.status(sender.access, sent[digits]))
        return seen[-1]

    until(lambda: read() == status, 30, f"{status} of {digits}, not {seen[-1:]}")
    assert set(seen) <= {"QUEUED", "SENT", status}
    (row,) = world.door.call(sender.access, "sms.getdeliverystatus", {"messages": sent[digits]})["result"]
    assert (row["deliverydate"] is not None) == (status in FINAL)


def test_ends(world: World, sender: Customer, sent: dict[str, str]) -> None:
    """Receipts that come later, twice or never change nothing that is final; only what was refused is refunded."""
    ids = {message_id: digits for digits, message_id in sent.items()}
    until(lambda: world.door.status(sender.access, *sent.values()) == list(RULES.values()), 30, "the ends of all")
    shown = {digits: world.door.cli("message", "show", message_id) for message_id, digits in ids.items()}
    assert {digits: message["refunded"] for digits, message in shown.items()} == {
        digits: PRICE if status == "REJECTED" else 0 for digits, status in RULES.items()
    }
    assert {digits: message["credits"] for digits, message in shown.items()} == dict.fromkeys(RULES, PRICE)
    attempts = {digits: len(message["parts"]) for digits, message in shown.items()}
    assert attempts == {**dict.fromkeys(RULES, 1), "0005": 2}
    ledger = world.door.cli("account", "ledger", sender.email, "--limit", "1000")
    assert balance(world, sender) == sum(entry["amount"] for entry in ledger)
    messages = world.door.cli("message", "list", "--account", sender.email, "--limit", "1000")
    assert balance(world, sender) == 1000 - sum(one["credits"] - one["refunded"] for one in messages)
    assert shown["0004"]["error"] == "invalid destination"


def test_delivery_date_is_in_the_accounts_time_zone(world: World, sender: Customer, sent: dict[str, str]) -> None:
    def row() -> Any:
        found = world.door.call(sender.access, "sms.getdeliverystatus", {"messages": sent["0001"]})["result"][0]
        return found if found["deliverydate"] else None

    final = world.door.cli("message", "show", until(row, what="the receipt")["messageid"])["final"]
    utc = datetime.fromisoformat(final.replace("Z", "+00:00"))
    shown = datetime.fromisoformat(row()["deliverydate"])
    assert timedelta(hours=4) <= utc.replace(tzinfo=None) - shown <= timedelta(hours=5)


def test_long_text_costs_each_segment(world: World) -> None:
    customer = world.door.customer("--credits", "5")
    found = _send(world, customer, "34600000001", sms="a" * 161)
    assert (found["segments"], found["credits"], found["encoding"]) == (2, 2, "GSM7")
    found = _send(world, customer, "34600000001", sms="я" * 71)
    assert (found["segments"], found["credits"], found["encoding"]) == (2, 2, "UCS2")
    assert balance(world, customer) == 1
    values = {"from": "Shop", "to": "34600000001", "sms": "a" * 161}
    assert world.door.outcome(customer.access, "sms.sendsms", values) == "NO_CREDITS"
    assert balance(world, customer) == 1


def test_scheduled(world: World) -> None:
    customer = world.door.customer("--credits", "1")
    due = datetime.now(UTC) + timedelta(seconds=2)
    message_id = _send(world, customer, "34600000001", scheduledatetime=due.isoformat())["messageid"]
    assert world.door.status(customer.access, message_id) == ["SCHEDULED"]
    assert balance(world, customer) == 0
    until(lambda: world.door.status(customer.access, message_id) == ["DELIVERED"], 20, "DELIVERED when it was due")
    shown = world.door.cli("message", "show", message_id)
    assert datetime.fromisoformat(shown["sent"].replace("Z", "+00:00")) >= due.replace(microsecond=0)


def test_scheduled_and_cancelled(world: World) -> None:
    customer = world.door.customer("--credits", "2.5", "--timezone", "Asia/Tokyo")
    when = (datetime.now(UTC) + timedelta(hours=10)).strftime("%Y-%m-%d %H:%M:%S")  # in an hour, in Tokyo
    found = _send(world, customer, "34600000001", scheduledatetime=when, sms="a" * 200)
    assert (balance(world, customer), found["credits"]) == (0.5, 2)
    shown = world.door.cli("message", "show", found["messageid"])
    due = datetime.fromisoformat(shown["due"].replace("Z", "+00:00"))
    assert (due + timedelta(hours=9)).strftime("%Y-%m-%d %H:%M:%S") == when
    cancelled = world.door.cli("message", "cancel", found["messageid"])
    assert (cancelled["state"], cancelled["refunded"]) == ("CANCELLED", 2)
    assert world.door.status(customer.access, found["messageid"]) == ["CANCELLED"]
    assert balance(world, customer) == 2.5


def test_group_send(world: World) -> None:
    """Contacts of which one cannot be served: it is REJECTED and free, and the rest is delivered."""
    customer = world.door.customer("--credits", "3")
    group = world.door.call(customer.access, "group.creategroup", {"name": "g", "fields": "name"})["result"]["id"]
    for mobile, name in (("600000001", "Ana"), ("+34600000002", "Luis"), ("1", "Nobody")):
        contact = {"idgroup": group, "mobile": mobile, "fields": f"name:{name}"}
        assert world.door.outcome(customer.access, "group.addcontact", contact) == "SUCCESS"
    made = {"title": "t", "message": "Hello <name>"}
    template = world.door.call(customer.access, "template.addtemplate", made)["result"]["id"]
    values = {"countrycode": "34", "idgroup": group, "idtemplate": template}
    found = world.door.call(customer.access, "sms.sendsmstogroupfromtemplate", values)["result"]
    assert (found["count"], found["credits"], balance(world, customer)) == (3, 2, 1)
    ids = {row["destination"]: row["messageid"] for row in found["destinations"]}
    assert list(ids) == ["34600000001", "34600000002", "1"]
    expected = ["DELIVERED", "UNDELIVERED", "REJECTED"]
    until(lambda: world.door.status(customer.access, *ids.values()) == expected, 20, "the ends of the batch")
    asked = {"messages": ",".join(ids.values())}
    rows = world.door.call(customer.access, "sms.getdeliverystatus", asked)["result"]
    assert [row["sms"] for row in rows] == ["Hello Ana", "Hello Luis", "Hello Nobody"]
    assert balance(world, customer) == 1


def test_group_send_that_is_too_dear_is_refused_whole(world: World) -> None:
    customer = world.door.customer("--credits", "1")
    group = world.door.call(customer.access, "group.creategroup", {"name": "g"})["result"]["id"]
    for mobile in ("+34600000001", "+34600000002"):
        world.door.call(customer.access, "group.addcontact", {"idgroup": group, "mobile": mobile})
    values = {"from": "Shop", "countrycode": "34", "idgroup": group, "sms": "Hi"}
    assert world.door.outcome(customer.access, "sms.sendsmstogroup", values) == "NO_CREDITS"
    assert balance(world, customer) == 1
    assert world.door.cli("message", "list", "--account", customer.email) == []
