"""A STOP in one process, then a send in another: by the running gateway's front door."""

import pytest

from tests.support.door import Customer, Door
from tests.support.wait import settled, until

HELLO = {"from": "Shop", "sms": "hello"}


@pytest.fixture
def customer(door: Door) -> Customer:
    return door.customer("--credits", "1000", "--country", "34")


def outcome(door: Door, customer: Customer, number: str) -> str:
    return door.outcome(customer.access, "sms.sendsms", {**HELLO, "to": number})


def test_the_first_of_an_account_is_known_everywhere_soon(door: Door, customer: Customer) -> None:
    number = "34600000701"
    assert outcome(door, customer, number) == "SUCCESS"
    door.cli("optout", "add", customer.email, number)
    settled(lambda: outcome(door, customer, number) == "OPTED_OUT", "the list")
    door.cli("optout", "remove", customer.email, number)
    settled(lambda: outcome(door, customer, number) == "SUCCESS", "the empty list")


def test_every_later_one_is_known_at_once(door: Door, customer: Customer) -> None:
    first = "34600000702"
    door.cli("optout", "add", customer.email, first)
    settled(lambda: outcome(door, customer, first) == "OPTED_OUT", "the list")
    for number in range(34600000710, 34600000722):
        assert outcome(door, customer, str(number)) == "SUCCESS"
        door.cli("optout", "add", customer.email, str(number))
        assert [outcome(door, customer, str(number)) for _ in range(4)] == ["OPTED_OUT"] * 4


def test_a_group_send_after_a_stop_leaves_it_out(door: Door, customer: Customer) -> None:
    def made(operation: str, **values: str) -> str:
        found: str = door.call(customer.access, operation, values)["result"]["id"]
        return found

    group = made("group.creategroup", name="All")
    for number in ("+34600000731", "600000732"):
        made("group.addcontact", idgroup=group, mobile=number)
    door.cli("optout", "add", customer.email, "34600000731")
    settled(lambda: outcome(door, customer, "34600000731") == "OPTED_OUT", "the list")
    send = {**HELLO, "countrycode": "34", "idgroup": group}
    result = door.call(customer.access, "sms.sendsmstogroup", send)["result"]
    assert (result["count"], result["credits"]) == (2, 1)
    rejected, sent = (entry["messageid"] for entry in result["destinations"])
    assert door.status(customer.access, rejected) == ["REJECTED"]
    assert door.cli("message", "show", rejected)["error"] == "OPTED_OUT"
    until(lambda: door.status(customer.access, sent) == ["DELIVERED"], 20, "DELIVERED")
    door.cli("optout", "add", customer.email, "34600000732")
    assert door.outcome(customer.access, "sms.sendsmstogroup", send) == "OPTED_OUT"
