"""SMPP clients that others wrote, bound to the running gateway as customers.

`make test` leaves this folder out, `make test-interop` runs it and writes docs/interoperability.md of it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.interop import outside
from tests.interop.cells import Cell, held_to
from tests.interop.smpp.clients import CLIENTS, Client, Step, bind
from tests.interop.smpp.kannel import Kannel, kannel
from tests.interop.smpp.scissors import scissors
from tests.interop.soap.clients import printed
from tests.support.door import Customer, Door, Login
from tests.support.gateway import Gateway
from tests.support.wait import until

EXTENSION = "Price {10} [€] ~\\^|"
EMOJI = "Ελλάδα 日本 😀"
LONG = "One of three parts. " * 20  # 400 septets
DELIVERED = 2  # message_state, SMPP 3.4, 5.2.28
RECEIPT = 0x04  # esm_class, 5.2.12
BAD_STATE, WRONG, THROTTLED = 0x04, 0x0E, 0x58
INTERNATIONAL = {"source_addr_ton": 5, "source_addr_npi": 0, "dest_addr_ton": 1, "dest_addr_npi": 1}
NUMBER = "34600000001"  # of which the simulated carrier delivers at once


def message(text: str, to: str = NUMBER, **fields: Any) -> Step:
    """The step of submitting a text, as the client encodes and splits it."""
    return {
        "do": "submit",
        "text": text,
        "fields": {
            **INTERNATIONAL,
            "source_addr": "Trunkline",
            "destination_addr": to,
            "registered_delivery": 1,
            **fields,
        },
    }


def deliveries(count: int) -> Step:
    return {"do": "await", "count": count, "seconds": 30}


@dataclass
class Caller:
    """One client, as one customer with an access for SMPP alone."""

    client: Client
    door: Door
    customer: Customer
    who: Login

    @property
    def port(self) -> int:
        return self.door.gateway.smpp_port

    def run(self, *steps: Step, mode: str = "transceiver", who: Login | None = None) -> list[Any]:
        """What each step gave, after a bind that was accepted."""
        bound, *results = self.client.run(self.port, bind(who or self.who, mode), *steps)
        assert bound == {"status": 0, "system_id": "Trunkline"}, bound
        return results

    def row(self, message_id: str) -> Any:
        """The message as its owner sees it by HTTP."""
        (row,) = self.door.call(self.customer.access, "sms.getdeliverystatus", {"messages": message_id})["result"]
        return row


def transmitter(caller: Caller) -> None:
    (sent,) = caller.run(message("Hello"), mode="transmitter")
    assert sent["status"] == 0
    assert caller.row(sent["message_id"])["sms"] == "Hello"


def receiver(caller: Caller) -> None:
    """What it may not send is refused, and the receipt of what another bind sent comes here."""
    (refused,) = caller.run(message("Hello"), mode="receiver")
    assert refused["status"] == BAD_STATE
    (sent,) = caller.run(message("Hello"), mode="transmitter")
    (found,) = caller.run(deliveries(1), mode="receiver")
    assert [one["receipted_message_id"] for one in found] == [sent["message_id"]]


def transceiver(caller: Caller) -> None:
    sent, found = caller.run(message("Hello"), deliveries(1))
    assert [one["receipted_message_id"] for one in found] == [sent["message_id"]]


def receipts(caller: Caller) -> None:
    """By TLV and by text, from the destination to the source."""
    sent, (found,) = caller.run(message("Hello"), deliveries(1))
    assert (found["source"], found["destination"]) == (NUMBER, "Trunkline")
    assert (found["esm_class"], found["message_state"]) == (RECEIPT, DELIVERED)
    assert re.match(
        rf"id:{sent['message_id']} sub:001 dlvrd:001 submit date:\d+ done date:\d+ stat:DELIVRD", found["text"]
    )


def undelivered(caller: Caller) -> None:
    sent, (found,) = caller.run(message("Hello", "34600000002"), deliveries(1))
    assert (found["receipted_message_id"], found["message_state"]) == (sent["message_id"], 5)
    assert "stat:UNDELIV" in found["text"]


def extension(caller: Caller) -> None:
    """As septets, which is what data_coding 0 means here."""
    octets = "507269636520 1b28 3130 1b29 20 1b3c 1b65 1b3e 20 1b3d 1b2f 1b14 1b40".replace(" ", "")
    step = message("", data_coding=0)
    (sent,) = caller.run({**{name: value for name, value in step.items() if name != "text"}, "hex": octets})
    assert sent["status"] == 0
    assert caller.row(sent["message_id"])["sms"] == EXTENSION


def emoji(caller: Caller) -> None:
    (sent,) = caller.run(message(EMOJI, data_coding=8))
    assert caller.row(sent["message_id"])["sms"] == EMOJI


def parts(caller: Caller) -> None:
    """Three parts with a user data header: three messages, three receipts."""
    steps = [
        {
            "do": "submit",
            "hex": bytes((5, 0, 3, 77, 3, part)).hex() + text.encode().hex(),
            "fields": message("", esm_class=0x40, data_coding=0)["fields"],
        }
        for part, text in enumerate((LONG[:153], LONG[153:306], LONG[306:]), 1)
    ]
    *sent, found = caller.run(*steps, deliveries(3))
    ids = [one["message_id"] for one in sent]
    assert len(set(ids)) == 3
    assert sorted(one["receipted_message_id"] for one in found) == sorted(ids)
    assert "".join(caller.row(one)["sms"] for one in ids) == LONG


def payload(caller: Caller) -> None:
    """message_payload: one message, which we cut."""
    step = {name: value for name, value in message("").items() if name != "text"}
    sent, found = caller.run({**step, "payload": LONG}, deliveries(1))
    assert caller.row(sent["message_id"])["sms"] == LONG
    assert [one["receipted_message_id"] for one in found] == [sent["message_id"]]


def query(caller: Caller) -> None:
    sent, _, found = caller.run(
        message("Hello"), deliveries(1), {"do": "query", "fields": {"message_id": "0", **_source()}}
    )
    assert found["status"] != 0, "an id of nobody's"
    (found,) = caller.run({"do": "query", "fields": {"message_id": sent["message_id"], **_source()}})
    assert (found["status"], found["message_id"], found["message_state"]) == (0, sent["message_id"], DELIVERED)


def cancel(caller: Caller) -> None:
    """A scheduled message is cancelled once."""
    (sent,) = caller.run(message("Later", schedule_delivery_time="000001000000000R"))
    fields = {"message_id": sent["message_id"], **_source(), **{"dest_addr_ton": 1, "dest_addr_npi": 1}}
    step = {"do": "cancel", "fields": {**fields, "destination_addr": NUMBER}}
    first, second = caller.run(step, step)
    assert first["status"] == 0
    assert second["status"] == 0x11, "ESME_RCANCELFAIL"
    assert caller.row(sent["message_id"])["deliverystatus"] == "CANCELLED"


def multi(caller: Caller) -> None:
    """One text to two numbers; one that cannot be is named with its status."""
    addresses = [
        {"dest_flag": 1, "dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": to}
        for to in (NUMBER, "34600000006", "12")
    ]
    fields = {**_source(), "dest_address": addresses, "registered_delivery": 0, "data_coding": 0}
    (answer,) = caller.run({"do": "multi", "fields": fields, "text": "To many"})
    assert answer["status"] == 0
    assert [one["destination_addr"] for one in answer["unsuccess_sme"]] == ["12"]


def refused(caller: Caller) -> None:
    """replace_sm and data_sm are answered with their own response."""
    data = {"do": "data", "fields": {**_source(), "destination_addr": NUMBER}}
    replace = {"do": "replace", "fields": {"message_id": "1", **_source(), "short_message": "x"}}
    answers = caller.run(data, replace)
    assert [one["command"] for one in answers] == ["data_sm_resp", "replace_sm_resp"]
    assert all(one["status"] for one in answers)


def throttled(caller: Caller) -> None:
    """Over the access's rate: ESME_RTHROTTLED, and what was accepted is accepted."""
    who = caller.door.access(caller.customer.email, "--protocol", "smpp", "--rate", "5/s")
    (answers,) = caller.run({"do": "flood", "messages": [message("Hello")] * 40}, who=who)
    statuses = [one["status"] for one in answers]
    assert set(statuses) == {0, THROTTLED}


def wrong_password(caller: Caller) -> None:
    (answer,) = caller.client.run(caller.port, bind(Login(caller.who.user, "wrong")))
    assert answer["status"] == WRONG


def unbind(caller: Caller) -> None:
    alive, gone = caller.run({"do": "enquire"}, {"do": "unbind"})
    assert [one["status"] for one in (alive, gone)] == [0, 0]
    assert gone["command"] == "unbind_resp"


def cut(caller: Caller) -> None:
    """The link ends within a window: what was acknowledged is there, and its receipts come with the next bind."""
    with scissors(caller.port, after=21) as relay:
        flood = {"do": "flood", "messages": [message("Cut")] * 100}
        bound, answers = caller.client.run(relay.port, bind(caller.who, "transmitter"), flood)
        assert (bound["status"], relay.cuts) == (0, 1)
    acknowledged = [one["message_id"] for one in answers if one]
    assert len(acknowledged) == 20
    assert {caller.row(one)["sms"] for one in acknowledged} == {"Cut"}
    missing = set(acknowledged)
    while missing:
        (found,) = caller.run(deliveries(len(missing)))
        assert found, f"no receipt of {missing}"
        missing -= {one["receipted_message_id"] for one in found}


def _source() -> dict[str, Any]:
    return {"source_addr_ton": 5, "source_addr_npi": 0, "source_addr": "Trunkline"}


CHECKS: dict[str, Callable[[Caller], None]] = {
    "transmitter": transmitter,
    "receiver": receiver,
    "transceiver": transceiver,
    "receipts": receipts,
    "undelivered": undelivered,
    "GSM extension": extension,
    "UCS-2, emoji": emoji,
    "three parts": parts,
    "message_payload": payload,
    "query": query,
    "cancel": cancel,
    "submit_multi": multi,
    "refused PDUs": refused,
    "throttled": throttled,
    "wrong password": wrong_password,
    "unbind": unbind,
    "link cut": cut,
}


@pytest.fixture(scope="session")
def door(running_gateway: Gateway) -> Door:
    return Door(running_gateway)


def caller_of(client: Client, door: Door) -> Caller:
    customer = door.customer("--credits", "10000", "--country", "34")
    return Caller(client, door, customer, door.access(customer.email, "--protocol", "smpp"))


@pytest.mark.parametrize("check", [pytest.param(check, id=name) for name, check in CHECKS.items()])
@pytest.mark.parametrize("client", [pytest.param(client, id=client.name) for client in CLIENTS])
def test_client(
    client: Client,
    check: Callable[[Caller], None],
    door: Door,
    record_property: Callable[[str, object], None],
) -> None:
    name = next(name for name, known in CHECKS.items() if known is check)
    limit = client.limits.get(name)
    record_property("cell", Cell("SMPP customers", f"{client.name} {client.version()}", "", name, limit))
    held_to(limit, lambda: check(caller_of(client, door)))


@dataclass
class Box:
    """A running Kannel and the customer that it is."""

    kannel: Kannel
    door: Door
    customer: Customer
    who: Login
    folder: Path

    def send(self, text: str, to: str = NUMBER, **more: str) -> str:
        """Send; the mark by which its reports are known."""
        mark = uuid4().hex
        assert self.kannel.send(to, text, mark=mark, **more).startswith(("0: Acc", "3: Queued")), (
            "Kannel's own answer"
        )
        return mark

    def texts(self) -> list[str]:
        """The texts of the customer's messages, in their order."""
        rows = self.door.cli("message", "list", "--account", self.customer.email, "--limit", "100")
        ids = sorted(int(row["id"]) for row in rows)
        values = {"messages": ",".join(map(str, ids))}
        return [row["sms"] for row in self.door.call(self.customer.access, "sms.getdeliverystatus", values)["result"]]

    def delivered(self, mark: str, count: int = 1, kind: str = "1") -> None:
        until(
            lambda: len(self.kannel.delivered(mark, kind)) >= count, 60, f"{count} reports of kind {kind} in Kannel"
        )


@contextmanager
def box(
    door: Door, folder: Path, mode: str, *access: str, online: bool = True, secret: str | None = None
) -> Iterator[Box]:
    """Kannel with an account of its own."""
    customer = door.customer("--credits", "10000", "--country", "34")
    who = door.access(customer.email, "--protocol", "smpp", *access)
    smpp = door.gateway.smpp_port
    with kannel(folder / uuid4().hex, smpp, who.user, secret or who.password, mode, online=online) as running:
        yield Box(running, door, customer, who, folder)


def kannel_sends(boxed: Box) -> None:
    boxed.delivered(boxed.send("Hello from Kannel"))
    assert boxed.texts()[-1:] == ["Hello from Kannel"]


def kannel_undelivered(boxed: Box) -> None:
    boxed.delivered(boxed.send("Hello", "34600000002"), kind="2")


def kannel_extension(boxed: Box) -> None:
    boxed.delivered(boxed.send(EXTENSION))
    assert EXTENSION in boxed.texts()


def kannel_emoji(boxed: Box) -> None:
    boxed.delivered(boxed.send(EMOJI, coding="2"))
    assert EMOJI in boxed.texts()


def kannel_parts(boxed: Box) -> None:
    """Kannel cuts it in three with user data headers; each has its receipt, and it reports one."""
    boxed.delivered(boxed.send(LONG))
    assert LONG in "".join(boxed.texts())


def kannel_unbinds(boxed: Box) -> None:
    boxed.kannel.stop()
    rows = boxed.door.cli("log", "list", "--account", boxed.customer.email, "--since", "1h", "--method", "unbind")
    assert rows
    assert rows[0]["source_ip"] == "127.0.0.1"


KANNEL_CHECKS: dict[str, Callable[[Box], None]] = {
    "transceiver": kannel_sends,
    "receipts": kannel_sends,
    "undelivered": kannel_undelivered,
    "GSM extension": kannel_extension,
    "UCS-2, emoji": kannel_emoji,
    "three parts": kannel_parts,
}


def _kannel_cell(check: str) -> Cell:
    return Cell("SMPP customers", f"Kannel {printed('bearerbox', '--version')}", "", check)


@pytest.fixture(scope="module")
def boxed(door: Door, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    outside.need("kannel")
    with box(door, tmp_path_factory.mktemp("kannel"), "transceiver") as running:
        yield running


@pytest.mark.parametrize("check", [pytest.param(check, id=name) for name, check in KANNEL_CHECKS.items()])
def test_kannel(check: Callable[[Box], None], boxed: Box, request: pytest.FixtureRequest) -> None:
    request.node.user_properties.append(("cell", _kannel_cell(request.node.callspec.id)))
    check(boxed)


def test_kannel_binds_as_transmitter_and_receiver(
    door: Door, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    outside.need("kannel")
    record_property("cell", _kannel_cell("transmitter"))
    record_property("cell", _kannel_cell("receiver"))
    with box(door, tmp_path, "pair") as boxed:
        kannel_sends(boxed)


def test_kannel_is_throttled(door: Door, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Kannel waits and sends again; everything arrives once."""
    outside.need("kannel")
    record_property("cell", _kannel_cell("throttled"))
    with box(door, tmp_path, "transceiver", "--rate", "3/s") as boxed:
        marks = [boxed.send(f"Throttled {n}") for n in range(9)]
        for mark in marks:
            boxed.delivered(mark)
        assert sorted(boxed.texts()) == sorted(f"Throttled {n}" for n in range(9))
        outcomes = boxed.door.cli("log", "list", "--account", boxed.customer.email, "--since", "1h")
        assert "TOO_MANY_REQUESTS" in {row["outcome"] for row in outcomes}


def test_kannel_has_a_wrong_password(
    door: Door, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    outside.need("kannel")
    record_property("cell", _kannel_cell("wrong password"))
    with box(door, tmp_path, "transceiver", online=False, secret="wrong") as boxed:
        until(lambda: "0x0000000e" in boxed.kannel.log(), 30, "the refused bind in Kannel's log")


def test_kannel_unbinds(door: Door, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    outside.need("kannel")
    record_property("cell", _kannel_cell("unbind"))
    with box(door, tmp_path, "transceiver") as boxed:
        kannel_unbinds(boxed)


def test_kannel_loses_its_link(door: Door, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Cut in the middle of a window it binds again, and everything that it accepted is delivered."""
    outside.need("kannel")
    record_property("cell", _kannel_cell("link cut"))
    customer = door.customer("--credits", "10000", "--country", "34")
    who = door.access(customer.email, "--protocol", "smpp")
    with (
        scissors(door.gateway.smpp_port, after=15) as relay,
        kannel(tmp_path / "kannel", relay.port, who.user, who.password, "transceiver") as running,
    ):
        boxed = Box(running, door, customer, who, tmp_path)
        marks = [boxed.send(f"Cut {n}") for n in range(30)]
        for mark in marks:
            boxed.delivered(mark)
        assert relay.cuts == 1
        assert set(boxed.texts()) == {f"Cut {n}" for n in range(30)}
