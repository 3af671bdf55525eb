"""What commands change takes effect in the running gateway, without a restart."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.conftest import World
from tests.support.door import PASSWORD, Customer, Login, error
from tests.support.wait import settled, until

WRONG = error("INCORRECT_USER_PASSWORD", "The user or the password is wrong.")


@pytest.fixture
def customer(world: World) -> Customer:
    return world.door.customer("--credits", "100")


def becomes(world: World, who: Login, expected: object, operation: str = "user.getbalance", **values: str) -> None:
    settled(lambda: world.door.call(who, operation, values) == expected, f"{expected}")


def test_access_made(world: World, customer: Customer) -> None:
    assert world.door.outcome(customer.access, "user.getbalance") == "SUCCESS"


def test_access_revoked(world: World, customer: Customer) -> None:
    login = world.door.access(customer.email, name="shop")
    assert world.door.outcome(login, "user.getbalance") == "SUCCESS"
    world.door.cli("access", "revoke", customer.email, "shop")
    becomes(world, login, error("NOT_PERMITTED", "This access was revoked."))
    assert world.door.outcome(customer.access, "user.getbalance") == "SUCCESS"


def test_access_replaced_by_one_of_another_network(world: World, customer: Customer) -> None:
    door = world.door
    before = door.access(customer.email, "--network", "127.0.0.12/32", name="office")
    assert door.outcome(before, "user.getbalance", source="127.0.0.12") == "SUCCESS"
    assert door.outcome(before, "user.getbalance", source="127.0.0.13") == "IP_NOT_ALLOWED"
    door.cli("access", "revoke", customer.email, "office")
    after = door.access(customer.email, "--network", "127.0.0.13/32", "--network", "2001:db8::/32", name="office")
    settled(
        lambda: door.outcome(before, "user.getbalance", source="127.0.0.12") == "NOT_PERMITTED",
        "what the access may do",
    )
    assert door.outcome(after, "user.getbalance", source="127.0.0.13") == "SUCCESS"
    assert door.outcome(after, "user.getbalance", source="127.0.0.12") == "IP_NOT_ALLOWED"


def test_secret_rotated(world: World, customer: Customer) -> None:
    login = world.door.access(customer.email, name="shop")
    made = world.door.cli("access", "rotate", customer.email, "shop")
    settled(
        lambda: world.door.outcome(Login(made["user"], made["secret"]), "user.getbalance") == "SUCCESS", "the new"
    )
    assert world.door.call(login, "user.getbalance") == WRONG


def test_password_changed(world: World, customer: Customer) -> None:
    assert world.door.outcome(customer.own, "user.getbalance") == "SUCCESS"
    another = PASSWORD[::-1]
    world.door.cli("account", "password", customer.email, "--password-file", "-", typed=another)
    new = Login(customer.email, another)
    settled(lambda: world.door.outcome(new, "user.getbalance") == "SUCCESS", "the new password")
    assert world.door.call(customer.own, "user.getbalance") == WRONG


def test_account_suspended_and_resumed(world: World, customer: Customer) -> None:
    world.door.cli("account", "suspend", customer.email)
    for login in (customer.access, customer.own):
        becomes(world, login, error("NOT_PERMITTED", "The account is suspended."))
    world.door.cli("account", "resume", customer.email)
    becomes(world, customer.access, {"status": "SUCCESS", "result": 100})


def test_queue_of_a_suspended_account_is_held(world: World, customer: Customer) -> None:
    door = world.door
    due = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    values = {"from": "Shop", "to": "34600000001", "sms": "Hi", "scheduledatetime": due}
    sent = door.call(customer.access, "sms.sendsms", values)["result"]["messageid"]
    door.cli("account", "suspend", customer.email)
    held = until(lambda: _held(world, sent), 20, "the hold")
    assert (held["state"], held["hold_reason"]) == ("HELD", "suspended")
    door.cli("account", "resume", customer.email)
    settled(lambda: door.outcome(customer.access, "user.getbalance") == "SUCCESS", "what the access may do")
    until(lambda: door.status(customer.access, sent) == ["DELIVERED"], 20, "DELIVERED after the hold")


def _held(world: World, message_id: str) -> Any:
    found = world.door.cli("message", "show", message_id)
    return found if found["hold_reason"] else None


def test_credits_granted(world: World) -> None:
    customer = world.door.customer()
    values = {"from": "Shop", "to": "34600000001", "sms": "Hi"}
    assert world.door.outcome(customer.access, "sms.sendsms", values) == "NO_CREDITS"
    world.door.cli("account", "credit", customer.email, "1.5")
    assert world.door.call(customer.access, "user.getbalance")["result"] == 1.5
    assert world.door.outcome(customer.access, "sms.sendsms", values) == "SUCCESS"
    assert world.door.call(customer.access, "user.getbalance")["result"] == 0.5


def test_prices(world: World, customer: Customer) -> None:
    door = world.door

    def price(to: str) -> float:
        values = {"from": "Shop", "to": to, "sms": "Hi"}
        found: float = door.call(customer.access, "sms.sendsms", values)["result"]["credits"]
        return found

    door.cli("price", "set", "", "0.5", "--account", customer.email)
    settled(lambda: price("34600000001") == 0.5, "the account's price")
    door.cli("price", "set", "346", "0.000001", "--account", customer.email)
    settled(lambda: price("34600000001") == 0.000001, "the price of the longer prefix")
    assert price("351912345678") == 0.5
    door.cli("price", "remove", "346", "--account", customer.email)
    settled(lambda: price("34600000001") == 0.5, "the price of the shorter prefix")
    door.cli("price", "remove", "", "--account", customer.email)
    settled(lambda: price("34600000001") == 1, "everybody's price")
    before = door.call(customer.access, "user.getbalance")["result"]
    # Micro-credits: what Python makes of the two balances is no exact difference.
    charged = price("34600000001")
    assert charged == round(before - door.call(customer.access, "user.getbalance")["result"], 6)


def test_routes(world: World, customer: Customer) -> None:
    """The last route of all is taken away and put back: no other test runs meanwhile."""
    door = world.door
    values = {"from": "Shop", "to": "423660000001", "sms": "Hi"}
    carrier = f"second-{uuid4().hex[:8]}"
    assert door.outcome(customer.access, "sms.sendsms", values) == "SUCCESS"
    door.cli("route", "remove", "", "simulator")
    try:
        expected = error("NO_ROUTE_AVAILABLE", "to: No route serves 423660000001.")
        becomes(world, customer.access, expected, "sms.sendsms", **values)
        door.cli("carrier", "add", carrier, "--kind", "simulator")
        door.cli("route", "add", "4236", carrier)
        settled(lambda: door.outcome(customer.access, "sms.sendsms", values) == "SUCCESS", "the new route")
        assert door.outcome(customer.access, "sms.sendsms", {**values, "to": "34600000001"}) == "NO_ROUTE_AVAILABLE"
        sent = door.call(customer.access, "sms.sendsms", values)["result"]["messageid"]
        until(lambda: door.status(customer.access, sent) == ["DELIVERED"], 20, "delivery by the new carrier")
        shown = door.cli("message", "show", sent)
        (listed,) = [one for one in door.cli("carrier", "list") if one["name"] == carrier]
        assert shown["carrier_id"] == listed["id"]
        door.cli("route", "remove", "4236", carrier)
    finally:
        door.cli("route", "add", "", "simulator")
    settled(lambda: door.outcome(customer.access, "sms.sendsms", values) == "SUCCESS", "the route back")
