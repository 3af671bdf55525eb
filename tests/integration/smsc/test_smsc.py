"""The simulated SMSC over real sockets: what it answers, reports and delivers, and how it errs on demand."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.carriers.rules import RULES
from gateway.links.link import Link
from gateway.smpp import receipts, udh
from gateway.smpp.constants import ESM_UDHI, CommandStatus, MessageState, Tag
from gateway.smpp.events import Lost, Request, Response
from gateway.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    CancelSm,
    DataSm,
    DeliverSm,
    Pdu,
    QuerySm,
    ReplaceSm,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
    response_of,
)
from gateway.smpp.session import Session
from gateway.smpp.states import Role
from gateway.smpp.timers import Timers
from gateway.smsc.options import Options
from gateway.smsc.server import Smsc
from gateway.smsc.styles import STYLES, style
from gateway.smsc.texts import message
from tests.support.dispatch import bounded, until
from tests.support.links import Recorder


@asynccontextmanager
async def simulated(**options: Any) -> AsyncIterator[tuple[Smsc, tuple[str, int]]]:
    """A running SMSC and its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    smsc = Smsc(Options(**options))
    await smsc.start(listener)
    try:
        yield smsc, listener.getsockname()
    finally:
        await smsc.stop()


async def esme(
    address: tuple[str, int], handler: Recorder, bind: Pdu | None = None, timers: Timers | None = None
) -> Link:
    """A link of an ESME once its bind is answered."""
    loop = asyncio.get_running_loop()
    session = Session(Role.ESME, timers or Timers(), 1_000, now=loop.time())
    _, link = await loop.create_connection(lambda: Link(session, handler), *address)
    link.request(bind or BindTransceiver(system_id="shop"), "bind")
    await until(lambda: handler.heard)
    return link


def submit(destination: str, text: bytes = b"Hello", **fields: Any) -> SubmitSm:
    defaults: dict[str, Any] = {"source_addr": "Shop", "registered_delivery": 1}
    return SubmitSm(destination_addr=destination, short_message=text, **(defaults | fields))


def answers(handler: Recorder) -> list[Pdu]:
    """The answers to what was requested after the bind, as they came."""
    return [event.response for event in handler.of(Response) if event.context != "bind"]


def told(handler: Recorder) -> list[receipts.DeliveryReceipt]:
    """The receipts that came."""
    found = [receipts.parse(getattr(pdu, "short_message", b""), pdu.tlvs) for pdu in handler.pdus]
    return [receipt for receipt in found if receipt is not None]


OK, THROTTLED = CommandStatus.ESME_ROK, CommandStatus.ESME_RTHROTTLED


@pytest.mark.parametrize(
    ("last", "status", "states"),
    [
        ("0001", OK, [MessageState.DELIVERED]),
        ("0002", OK, [MessageState.UNDELIVERABLE]),
        ("0003", OK, [MessageState.EXPIRED]),
        ("0004", CommandStatus.ESME_RINVDSTADR, []),
        ("0005", THROTTLED, []),
        ("0006", OK, []),
        ("0007", OK, [MessageState.DELIVERED]),
        ("0008", OK, [MessageState.DELIVERED, MessageState.DELIVERED]),
        ("0009", OK, []),
        ("1234", OK, [MessageState.DELIVERED]),
    ],
)
def test_rule_of_a_number(last: str, status: int, states: list[MessageState]) -> None:
    assert last == "1234" or last in RULES

    async def test() -> None:
        handler = Recorder()
        async with simulated(receipt_delay=0.05) as (_, address):
            link = await esme(address, handler)
            link.request(submit(f"3460011{last}"))
            # A number without misbehaviour, whose receipt comes last, tells that nothing else follows.
            await until(lambda: answers(handler) and len(told(handler)) >= len(states))
            link.request(submit("346001111234"))
            await until(lambda: len(told(handler)) > len(states) and len(answers(handler)) == 2)
            answer = answers(handler)[0]
            assert isinstance(answer, SubmitSmResp) and answer.command_status == status
            assert [receipt.state for receipt in told(handler)[:-1]] == states
            assert all(receipt.id == answer.message_id for receipt in told(handler)[:-1])
            kinds = ["receipt" if isinstance(event, Request) else "answer" for event in handler.heard[2:4]]
            if last == "0007":
                assert kinds == ["receipt", "answer"]
            elif states:
                assert kinds[0] == "answer"

    bounded(test())


def test_throttled_segment_is_taken_at_its_next_attempt() -> None:
    async def test() -> None:
        handler = Recorder()
        async with simulated() as (_, address):
            link = await esme(address, handler)
            for text in (b"one", b"two", b"one", b"two", b"one"):
                link.request(submit("34600110005", text))
            await until(lambda: len(answers(handler)) == 5)
            assert [pdu.command_status for pdu in answers(handler)] == [THROTTLED, THROTTLED, OK, OK, THROTTLED]

    bounded(test())


@pytest.mark.parametrize(
    ("destination", "registered", "expected"),
    [
        ("34600110001", 0, 0),
        ("34600110001", 1, 1),
        ("34600110001", 0x11, 1),
        ("34600110001", 2, 0),
        ("34600110002", 2, 1),
        ("34600110002", 0, 0),
    ],
)
def test_receipt_comes_where_it_was_asked_for(destination: str, registered: int, expected: int) -> None:
    async def test() -> None:
        handler = Recorder()
        async with simulated(receipt_delay=0) as (_, address):
            link = await esme(address, handler)
            link.request(submit(destination, registered_delivery=registered))
            link.request(submit("34600110001", b"last"))
            await until(lambda: any(receipt.text == "last" for receipt in told(handler)))
            assert len(told(handler)) == expected + 1

    bounded(test())


@pytest.mark.parametrize("name", STYLES)
def test_receipt_of_a_style(name: str) -> None:
    async def test() -> None:
        handler = Recorder()
        async with simulated(style=style(name)) as (_, address):
            link = await esme(address, handler)
            link.request(submit("34600110001"))
            expected = [MessageState.ENROUTE] * (name == "progress") + [MessageState.DELIVERED]
            await until(lambda: len(told(handler)) == len(expected))
            assert [receipt.state for receipt in told(handler)] == expected
            [answer] = answers(handler)
            assert isinstance(answer, SubmitSmResp)
            same = told(handler)[0].id == answer.message_id
            assert same == (name not in ("hex-decimal", "decimal-hex", "padded", "stripped", "upper", "lower"))

    bounded(test())


@pytest.mark.parametrize(
    ("options", "bind", "status"),
    [
        pytest.param({}, BindTransmitter(), OK, id="anybody"),
        pytest.param({"system_id": "ana"}, BindReceiver(system_id="ana"), OK, id="right name"),
        pytest.param(
            {"system_id": "ana"}, BindReceiver(system_id="eve"), CommandStatus.ESME_RINVSYSID, id="wrong name"
        ),
        pytest.param({"password": "secret"}, BindTransceiver(password="secret"), OK, id="right password"),
        pytest.param(
            {"password": "secret"},
            BindTransceiver(password="guess"),
            CommandStatus.ESME_RINVPASWD,
            id="wrong password",
        ),
    ],
)
def test_who_may_bind(options: dict[str, str], bind: Pdu, status: int) -> None:
    async def test() -> None:
        handler = Recorder()
        async with simulated(**options) as (_, address):
            link = await esme(address, handler, bind)
            [response] = [event.response for event in handler.of(Response)]
            assert response.command_status == status
            assert link.session.state.bound == (status == OK)

    bounded(test())


@pytest.mark.parametrize(
    ("pdu", "status"),
    [
        (SubmitMulti(), CommandStatus.ESME_RSUBMITFAIL),
        (QuerySm(), CommandStatus.ESME_RQUERYFAIL),
        (CancelSm(), CommandStatus.ESME_RCANCELFAIL),
        (ReplaceSm(), CommandStatus.ESME_RREPLACEFAIL),
        (DataSm(destination_addr="34600111234"), OK),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Pdu) else "",
)
def test_other_requests(pdu: Pdu, status: int) -> None:
    async def test() -> None:
        handler = Recorder()
        async with simulated() as (_, address):
            link = await esme(address, handler)
            link.request(pdu)
            await until(lambda: answers(handler))
            [answer] = answers(handler)
            assert type(answer) is type(response_of(pdu)) and answer.command_status == status

    bounded(test())


def test_throughput() -> None:
    async def test() -> None:
        handler = Recorder()
        async with simulated(throughput=20) as (_, address):
            link = await esme(address, handler)
            for _ in range(100):
                link.request(submit("34600111234"))
            await until(lambda: len(answers(handler)) == 100)
            taken = [pdu.command_status for pdu in answers(handler)].count(OK)
            # A second's worth at once, and what came free meanwhile.
            assert 20 <= taken < 100 and {pdu.command_status for pdu in answers(handler)} == {OK, THROTTLED}

            async def another() -> bool:
                link.request(submit("34600111234"))
                before = len(answers(handler))
                await until(lambda: len(answers(handler)) > before)
                return answers(handler)[-1].command_status == OK

            while not await another():
                await asyncio.sleep(0.01)

    bounded(test())


def test_latency_holds_answers_back_and_the_end_hurries_them() -> None:
    async def test() -> None:
        soon = Recorder()
        async with simulated(latency=0.05) as (_, address):
            link = await esme(address, soon)
            for number in range(3):
                link.request(submit("34600111234", b"%d" % number))
            await until(lambda: len(answers(soon)) == 3)
            assert [pdu.sequence_number for pdu in answers(soon)] == [2, 3, 4]
        late = Recorder()
        async with simulated(latency=60) as (smsc, address):
            link = await esme(address, late)
            link.request(submit("34600111234"))
            await until(lambda: smsc._peers[next(iter(smsc._peers))].submits)
            assert not answers(late)
        await link.wait_closed()
        assert len(answers(late)) == 1 and not late.of(Lost)

    bounded(test())


def test_link_is_cut_after_so_many_submits(tmp_path: Path) -> None:
    journal = tmp_path / "journal"

    async def test() -> None:
        async with simulated(drop_after=3, journal=journal) as (_, address):
            for _ in range(2):
                handler = Recorder()
                link = await esme(address, handler)
                for _ in range(10):
                    link.request(submit("34600111234"))
                await link.wait_closed()
                assert len(handler.of(Lost)) >= 7

    bounded(test())
    assert len(journal.read_text().splitlines()) == 6


def test_wrong_sequence_number() -> None:
    async def test() -> None:
        handler = Recorder()
        async with simulated(wrong_sequence=4) as (_, address):
            link = await esme(address, handler)
            for _ in range(10):
                link.request(submit("34600110006"))
            await until(lambda: len(answers(handler)) == 8)
            link.unbind()
            await link.wait_closed()
            assert [event.request.sequence_number for event in handler.of(Lost)] == [5, 9]

    bounded(test())


def test_journal_has_a_line_for_every_segment_taken(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.write_text('{"id":"older"}\n')

    async def test() -> None:
        handler = Recorder()
        async with simulated(journal=journal) as (_, address):
            link = await esme(address, handler)
            header = udh.make(udh.Concatenation(9, 3, 2))
            sar = {Tag.SAR_MSG_REF_NUM: b"\1\2", Tag.SAR_TOTAL_SEGMENTS: b"\5", Tag.SAR_SEGMENT_SEQNUM: b"\4"}
            for pdu in (
                submit("34600111234"),
                submit("34600110004"),
                submit("34600111234", header + b"part", esm_class=ESM_UDHI, data_coding=8),
                submit("34600111234", b"part", tlvs=sar),
                submit("34600111234", b"\3\5\1\0xyz", esm_class=ESM_UDHI),
                submit("34600111234", b"\xffx", esm_class=ESM_UDHI),
                submit("34600111234", b"", tlvs={Tag.MESSAGE_PAYLOAD: bytes(300)}),
            ):
                link.request(pdu)
            await until(lambda: len(answers(handler)) == 7)
            # What was answered is written: it outlives the process.
            lines = [json.loads(line) for line in journal.read_text().splitlines()]
            ids = [pdu.message_id for pdu in answers(handler) if pdu.command_status == OK]
            assert [line["id"] for line in lines] == ["older", *ids]
            plain, narrow, sars, odd, broken, payload = lines[1:]
            assert (plain["source"], plain["destination"], plain["text"]) == ("Shop", "34600111234", b"Hello".hex())
            assert plain["system_id"] == "shop" and (plain["reference"], plain["seq"], plain["total"]) == (None,) * 3
            assert (narrow["reference"], narrow["seq"], narrow["total"]) == (9, 2, 3)
            assert (narrow["udh"], narrow["text"]) == (header.hex(), b"part".hex())
            assert (narrow["data_coding"], narrow["esm_class"]) == (8, ESM_UDHI)
            assert (sars["reference"], sars["seq"], sars["total"], sars["udh"]) == (0x102, 4, 5, "")
            assert (odd["udh"], odd["reference"], odd["text"]) == ("03050100", None, b"xyz".hex())
            assert (broken["udh"], broken["text"]) == ("", "ff78")
            assert payload["text"] == bytes(300).hex()

    bounded(test())


def test_journal_that_cannot_be_written_takes_nothing() -> None:
    async def test() -> None:
        handler = Recorder()
        async with simulated(journal=Path("/dev/full")) as (_, address):
            link = await esme(address, handler)
            link.request(submit("34600110001"))
            await until(lambda: answers(handler))
            assert answers(handler)[0].command_status == CommandStatus.ESME_RSYSERR
            assert not told(handler)

    bounded(test())


def test_receipts_wait_for_a_session_of_their_sender() -> None:
    async def test() -> None:
        async with simulated() as (_, address):
            sender, other, receiver = Recorder(), Recorder(), Recorder()
            link = await esme(address, sender, BindTransmitter(system_id="shop"))
            link.request(submit("34600110001"))
            link.request(submit("34600110007"))
            await until(lambda: len(answers(sender)) == 2)
            await esme(address, other, BindTransceiver(system_id="other"))
            await esme(address, receiver, BindReceiver(system_id="shop"))
            await until(lambda: len(told(receiver)) == 2)
            assert not told(sender) and not told(other)

    bounded(test())


def refuse(link: Link, pdu: Pdu) -> None:
    link.respond(response_of(pdu, CommandStatus.ESME_RSYSERR))


def nothing(link: Link, pdu: Pdu) -> None:
    pass


def leave(link: Link, pdu: Pdu) -> None:
    link.abort()


@pytest.mark.parametrize("first", [refuse, nothing, leave])
def test_receipt_comes_again_until_it_is_acknowledged(first: Callable[[Link, Pdu], None]) -> None:
    async def test() -> None:
        handler = Recorder(answers=False)
        async with simulated(response=0.2) as (_, address):
            link = await esme(address, handler)
            for _ in range(3):
                link.request(submit("34600110001"))
            await until(lambda: len(told(handler)) == 3)
            before = [receipt.id for receipt in told(handler)]
            for pdu in handler.pdus:
                first(link, pdu)
            if first is leave:
                await link.wait_closed()
            again = Recorder()
            if first is leave:
                await esme(address, again)
            else:
                handler.answers = True
                again = handler
            await until(lambda: len(told(again)) == (3 if first is leave else 6))
            assert sorted(receipt.id for receipt in told(again)[-3:]) == sorted(before)

    bounded(test())


def test_messages_go_to_whoever_is_bound() -> None:
    async def test() -> None:
        handler, other = Recorder(), Recorder()
        async with simulated() as (smsc, address):
            smsc.send(message("34600111222", "5550", "STOP"))
            await esme(address, handler, BindTransmitter(system_id="shop"))
            await esme(address, other, BindReceiver(system_id="other"))
            smsc.send(message("34600111222", "5550", "ñ" * 200))
            await until(lambda: len(other.pdus) == 3)
            first, *parts = other.pdus
            assert isinstance(first, DeliverSm) and first.esm_class == 0 and first.short_message == b"STOP"
            assert (first.source_addr, first.destination_addr) == ("34600111222", "5550")
            assert [isinstance(pdu, DeliverSm) and pdu.esm_class for pdu in parts] == [ESM_UDHI, ESM_UDHI]
            assert not handler.pdus

    bounded(test())


def test_everybody_is_unbound_at_the_end() -> None:
    async def test() -> None:
        handlers = [Recorder(), Recorder()]
        async with simulated() as (_, address):
            for handler in handlers:
                await esme(address, handler)
            silent = socket.create_connection(address)
        for handler in handlers:
            await handler.link.wait_closed()
            assert handler.closed == "unbound by the peer"
        silent.close()

    bounded(test())
