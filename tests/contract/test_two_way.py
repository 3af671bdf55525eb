"""From a mobile to a customer and back: a carrier's SMSC, the running gateway, every way to read."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.smpp.pdu import DeliverSm
from tests.support.door import Customer, Door
from tests.support.simulator import Simulator, simulator
from tests.support.smpp import Esme
from tests.support.wait import settled, until

MOBILE = "34600000801"
LONG = "A long answer with € and ñ, in several parts. " * 8


@pytest.fixture
def smsc(door: Door, tmp_path: Path) -> Iterator[Simulator]:
    """A carrier that the gateway is bound to."""
    with simulator(tmp_path) as running:
        options = {"host": running.host, "port": running.port, "system_id": "trunkline", "reconnect": "0.1"}
        given = [part for name, value in options.items() for part in ("--option", f"{name}={value}")]
        name = f"up{running.port}"
        door.cli("carrier", "add", name, "--kind", "smpp", *given, "--option", "password=-", typed="secret\n")
        yield running
        door.cli("carrier", "remove", name)


@pytest.fixture
def customer(door: Door) -> Customer:
    return door.customer("--credits", "100", "--country", "34")


def number_of(customer: Customer, door: Door, *more: str) -> str:
    """A number of the customer's own, and nobody else's."""
    number = str(int(customer.email[1:8], 16) % 10**7)
    door.cli("inbound", "add", number, customer.email, *more)
    return number


def got(door: Door, customer: Customer) -> list[str]:
    page = door.call(customer.access, "sms.getinbound")["result"]
    return [message["text"] for message in page["messages"]]


def test_a_message_comes_in_is_read_and_answered_with_stop(door: Door, smsc: Simulator, customer: Customer) -> None:
    number = number_of(customer, door)
    smsc.deliver(MOBILE, number, "Hello 😀")
    smsc.deliver(MOBILE, number, LONG.strip())
    until(lambda: len(got(door, customer)) == 2, 30, "both messages")
    assert got(door, customer) == ["Hello 😀", LONG.strip()]
    (message, _) = door.call(customer.access, "sms.getinbound")["result"]["messages"]
    assert (message["from"], message["to"]) == (MOBILE, number)
    hello = {"from": "Shop", "to": MOBILE, "sms": "hello"}
    assert door.outcome(customer.access, "sms.sendsms", hello) == "SUCCESS"
    smsc.deliver(MOBILE, number, "Stop!")
    settled(lambda: door.outcome(customer.access, "sms.sendsms", hello) == "OPTED_OUT", "the end of sends", 30)
    smsc.deliver(MOBILE, number, "START")
    settled(lambda: door.outcome(customer.access, "sms.sendsms", hello) == "SUCCESS", "sends again", 30)


def test_a_bound_receiver_is_handed_it(door: Door, smsc: Simulator, customer: Customer) -> None:
    number = number_of(customer, door)
    smsc.deliver(MOBILE, number, "before the bind")
    until(lambda: got(door, customer), 30, "the first message")
    with Esme(door.gateway.smpp_port) as esme:
        esme.bound(customer.access.user, customer.access.password, "receiver")
        texts = []
        for text in ("before the bind", "after it"):
            if text == "after it":
                smsc.deliver(MOBILE, number, text)
            handed = esme.expect(DeliverSm)
            esme.answer(handed)
            assert (handed.source_addr, handed.destination_addr) == (MOBILE, number)
            texts.append(handed.short_message.decode("ascii"))
        esme.unbind()
    assert texts == ["before the bind", "after it"]


def test_what_is_nobodys_is_the_operators(door: Door, smsc: Simulator) -> None:
    smsc.deliver(MOBILE, "999000", "Who are you?")

    def seen() -> list[str]:
        rows = door.cli("inbound", "messages", "--unmatched")
        return [row["text"] for row in rows if row["to"] == "999000"]

    until(seen, 30, "the message")
