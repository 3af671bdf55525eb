"""What an SMPP carrier is delivered, over real sockets: receipts and messages, acknowledged once they are stored."""

import asyncio
from typing import Any

import pytest

from gateway.carriers.base import Inbound, Part, Receipt
from gateway.carriers.smpp import upstream
from gateway.messaging.states import State
from gateway.smpp.constants import MessageState, Tag
from gateway.smpp.pdu import AlertNotification, DataSm, DeliverSm, SubmitSm, response_of
from tests.support.dispatch import bounded, until
from tests.support.upstream import Desk, Smsc, bound, listening, outgoing, receipt

OK, LATER = 0x00, 0x64


def deliver(*pdus: Any, desk: Desk | None = None, **options: Any) -> tuple[Desk, list[int]]:
    """Deliver these to a carrier; what its owner was told, and the statuses in the order of the PDUs."""
    smsc, told = Smsc(), desk or Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, told, **options):
            for place, pdu in enumerate(pdus):
                smsc.deliver(pdu, place)
            await until(lambda: len(smsc.acknowledged) == len(pdus), what="the answers")

    bounded(run())
    return told, [status for _, status in sorted(smsc.acknowledged)]


@pytest.mark.parametrize(
    ("state", "stored", "error"),
    [
        pytest.param(MessageState.DELIVERED, State.DELIVERED, None, id="delivered"),
        pytest.param(MessageState.EXPIRED, State.EXPIRED, "expired, error 001", id="expired"),
        pytest.param(MessageState.DELETED, State.UNDELIVERED, "deleted, error 001", id="deleted"),
        pytest.param(MessageState.UNDELIVERABLE, State.UNDELIVERED, "undeliverable, error 001", id="undeliverable"),
        pytest.param(MessageState.UNKNOWN, State.UNDELIVERED, "unknown, error 001", id="unknown"),
        pytest.param(MessageState.REJECTED, State.REJECTED, "rejected, error 001", id="rejected"),
        pytest.param(MessageState.ENROUTE, None, None, id="on its way"),
        pytest.param(MessageState.ACCEPTED, None, None, id="accepted"),
    ],
)
@pytest.mark.parametrize("tlvs", [True, False], ids=["with TLVs", "text alone"])
def test_states(state: MessageState, stored: State | None, error: str | None, tlvs: bool) -> None:
    told, statuses = deliver(receipt("7f", state, tlvs=tlvs), ids="same")
    assert statuses == [OK]
    assert [(item.carrier_ref, item.state, item.error) for item in told.receipts] == (
        [] if stored is None else [("7f", stored, error)]
    )
    assert told.messages == []


TLVS = {Tag.RECEIPTED_MESSAGE_ID: b"7f\0", Tag.MESSAGE_STATE: b"\2"}


@pytest.mark.parametrize(
    "pdu",
    [
        pytest.param(receipt("7F", esm_class=0), id="without esm_class"),
        pytest.param(receipt("7F", esm_class=0, tlvs=False), id="without esm_class and TLVs"),
        pytest.param(DeliverSm(esm_class=4, tlvs=TLVS), id="TLVs alone"),
        pytest.param(DataSm(esm_class=4, tlvs=TLVS), id="data_sm"),
        pytest.param(DeliverSm(esm_class=4, short_message=b"id:7f stat:DELIVRD"), id="the least text"),
        pytest.param(
            DeliverSm(esm_class=4, tlvs={Tag.MESSAGE_PAYLOAD: b"id:7f stat:DELIVRD err:000"}), id="in message_payload"
        ),
        pytest.param(
            DeliverSm(esm_class=4, data_coding=8, short_message="id:7f stat:DELIVRD".encode("utf-16-be")), id="UCS-2"
        ),
    ],
)
def test_however_a_receipt_is_written(pdu: DeliverSm | DataSm) -> None:
    told, statuses = deliver(pdu, ids="same")
    assert [(item.carrier_ref, item.state) for item in told.receipts] == [("7f", State.DELIVERED)]
    assert statuses == [OK]


@pytest.mark.parametrize(
    ("style", "ref", "stored"),
    [
        ("same", "00AB", ("ab", ())),
        ("exact", "00AB", ("00AB", ())),
        ("hex-decimal", "123456", ("1e240", ())),
        ("decimal-hex", "1E240", ("123456", ())),
        ("auto", "0123456", ("123456", ("1e240", "1193046"))),
    ],
)
def test_ids(style: str, ref: str, stored: tuple[str, tuple[str, ...]]) -> None:
    told, _ = deliver(receipt(ref), ids=style)
    [found] = told.receipts
    assert (found.carrier_ref, found.others) == stored
    assert found.numbers == (("111222", "Shop") if found.others else ())


def test_acknowledged_only_when_stored() -> None:
    smsc, desk = Smsc(), Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk):
            desk.open.clear()
            for ref in ("1", "2", "1"):
                smsc.report(ref)
            smsc.deliver(DeliverSm(short_message=b"Hi"), "message")
            await asyncio.sleep(0.2)
            assert smsc.acknowledged == []
            desk.open.set()
            await until(lambda: len(smsc.acknowledged) == 4)

    bounded(run())
    # The same receipt twice is the storage's to know.
    assert [item.carrier_ref for item in desk.receipts] == ["1", "2", "1"]
    assert {status for _, status in smsc.acknowledged} == {OK}


@pytest.mark.parametrize("fault", ["away", "broken"])
def test_what_cannot_be_stored_is_to_come_again(fault: str) -> None:
    desk = Desk()
    setattr(desk, fault, True)
    told, statuses = deliver(receipt("1"), DeliverSm(short_message=b"Hi"), desk=desk)
    assert statuses == [LATER, LATER]
    assert (told.receipts, told.messages) == ([], [])


def test_answers_and_receipts_in_wire_order() -> None:
    smsc, desk = Smsc(), Desk()

    def before(pdu: SubmitSm) -> str:
        smsc.report("ab")
        return "ab"

    def after(pdu: SubmitSm) -> None:
        link = smsc.links[0]
        link.respond(response_of(pdu, message_id="cd"))
        smsc.report("cd")

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk) as carrier:
            smsc.script = before
            carrier.submit([outgoing()])
            await until(lambda: len(desk.order) == 2)
            desk.order.clear()
            smsc.script = after
            carrier.submit([outgoing()])
            await until(lambda: len(desk.order) == 2)
            assert desk.order == ["answer", "receipt"]

    bounded(run())
    assert [item.carrier_ref for item in desk.receipts] == ["ab", "cd"]


def test_receipts_come_to_the_receiver_of_a_pair() -> None:
    smsc, desk = Smsc(lambda pdu: "AB"), Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk, bind="separate") as carrier:
            await until(lambda: len(smsc.links) == 2)
            carrier.submit([outgoing()])
            await until(lambda: desk.answers)
            await until(lambda: any(link.session.state.value == "BOUND_RX" for link in smsc.links))
            smsc.report("AB")
            await until(lambda: smsc.acknowledged)

    bounded(run())
    assert desk.refs == [item.carrier_ref for item in desk.receipts] == ["ab"]


def inbound(text: str, payload: bytes, **values: Any) -> Inbound:
    given = {"data_coding": 0, "esm_class": 0, "at": 0, "source_ton": 1, "source_npi": 1, **values}
    return Inbound("34600111222", "217000", text, payload=payload, **given)


def message(octets: bytes, **values: Any) -> DeliverSm:
    return DeliverSm(
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr="34600111222",
        destination_addr="217000",
        short_message=octets,
        **values,
    )


SAR = {Tag.SAR_MSG_REF_NUM: b"\1\2", Tag.SAR_TOTAL_SEGMENTS: b"\3", Tag.SAR_SEGMENT_SEQNUM: b"\2"}
NARROW, WIDE = b"\5\0\3\7\3\2", b"\6\x08\4\1\2\3\2"


@pytest.mark.parametrize(
    ("pdu", "options", "expected"),
    [
        pytest.param(message(b"Ol\x05"), {}, inbound("Olé", b"Ol\x05"), id="gsm"),
        pytest.param(message(b"Ol\xe9"), {"alphabet": "latin1"}, inbound("Olé", b"Ol\xe9"), id="latin1"),
        pytest.param(message("Olé".encode()), {"alphabet": "utf8"}, inbound("Olé", "Olé".encode()), id="utf8"),
        pytest.param(
            message(b"Ol\xe9", data_coding=3), {}, inbound("Olé", b"Ol\xe9", data_coding=3), id="data_coding 3"
        ),
        pytest.param(message(b"Ole", data_coding=1), {}, inbound("Ole", b"Ole", data_coding=1), id="data_coding 1"),
        pytest.param(
            message(b"\x04\x41!", data_coding=8), {}, inbound("с", b"\x04\x41!", data_coding=8), id="UCS-2, cut"
        ),
        pytest.param(
            message(b"\xd8\x3d", data_coding=8), {}, inbound("\ud83d", b"\xd8\x3d", data_coding=8), id="half a pair"
        ),
        pytest.param(message(b"\0\1", data_coding=4), {}, inbound("", b"\0\1", data_coding=4), id="octets"),
        pytest.param(message(b"Hi", data_coding=0x10), {}, inbound("Hi", b"Hi", data_coding=0x10), id="flash"),
        pytest.param(
            message(b"\x04\x41", data_coding=0x18), {}, inbound("с", b"\x04\x41", data_coding=0x18), id="flash UCS-2"
        ),
        pytest.param(message(b"Hi", data_coding=0xF1), {}, inbound("Hi", b"Hi", data_coding=0xF1), id="class 1"),
        pytest.param(
            message(b"Hi", data_coding=0xF5), {}, inbound("", b"Hi", data_coding=0xF5), id="octets with a class"
        ),
        pytest.param(message(b"Hi", data_coding=0x20), {}, inbound("", b"Hi", data_coding=0x20), id="compressed"),
        pytest.param(
            message(b"", tlvs={Tag.MESSAGE_PAYLOAD: b"x" * 300}), {}, inbound("x" * 300, b"x" * 300), id="payload"
        ),
        pytest.param(message(b"Hi", tlvs=SAR), {}, inbound("Hi", b"Hi", part=Part(0x0102, 3, 2)), id="sar_*"),
        pytest.param(
            message(NARROW + b"Hi", esm_class=0x40),
            {},
            inbound("Hi", b"Hi", esm_class=0x40, part=Part(7, 3, 2)),
            id="header of 8 bits",
        ),
        pytest.param(
            message(WIDE + b"Hi", esm_class=0x40),
            {},
            inbound("Hi", b"Hi", esm_class=0x40, part=Part(0x0102, 3, 2)),
            id="header of 16 bits",
        ),
        pytest.param(
            message(b"\xffHi", esm_class=0x40),
            {},
            inbound("\ufffdHi", b"\xffHi", esm_class=0x40),
            id="no header",
        ),
        pytest.param(
            message(b"no receipt", esm_class=4),
            {},
            inbound("no receipt", b"no receipt", esm_class=4),
            id="no receipt",
        ),
        pytest.param(
            message(b"id:7 is my number"), {}, inbound("id:7 is my number", b"id:7 is my number"), id="like a receipt"
        ),
    ],
)
def test_messages(pdu: DeliverSm, options: dict[str, str], expected: Inbound) -> None:
    told, statuses = deliver(pdu, **options)
    [found] = told.messages
    assert found.at > 0
    expected.at = found.at
    assert found == expected
    assert statuses == [OK]
    assert told.receipts == []


@pytest.mark.parametrize(
    "pdu",
    [
        pytest.param(message(b"\x01\x02\xff", esm_class=4), id="a receipt of nonsense"),
        pytest.param(message(b"", esm_class=4), id="an empty receipt"),
        pytest.param(message(b"stat:DELIVRD", esm_class=4, data_coding=4), id="a receipt of nothing"),
        pytest.param(message(b"on its way", esm_class=0x20), id="an intermediate notification without an id"),
        pytest.param(message(b"id:7 err:000", esm_class=0x20), id="an intermediate notification without a state"),
        pytest.param(message(b"id:7 stat:ROAMING", esm_class=0x20), id="an intermediate notification of its own"),
    ],
)
def test_what_says_nothing_is_accepted(pdu: DeliverSm) -> None:
    told, statuses = deliver(pdu, receipt("1"))
    assert statuses == [OK, OK]
    assert [type(item) for item in (*told.receipts, *told.messages)] == [Receipt]


def test_an_alert_needs_no_answer() -> None:
    smsc, desk = Smsc(), Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk):
            smsc.links[0].request(AlertNotification(source_addr="34600111222"))
            smsc.report("1")
            await until(lambda: smsc.acknowledged)

    bounded(run())
    assert [item.carrier_ref for item in desk.receipts] == ["1"]


def test_reading_stops_while_too_much_is_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "MOST_OWED", 50)
    smsc, desk = Smsc(), Desk()
    total = 20_000

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk) as carrier:
            desk.open.clear()
            smsc.links[0].session.window = total
            for number in range(total):
                smsc.report(f"{number:08}")
            await until(lambda: carrier._links[0]._paused)
            link = carrier._links[0]._link
            assert link is not None
            owed = link.session.owed
            await asyncio.sleep(0.3)
            assert owed == link.session.owed < total
            desk.open.set()
            await until(lambda: len(smsc.acknowledged) == total, 30)

    bounded(run())
    assert len(desk.receipts) == total


def test_what_is_being_stored_at_a_stop_is_acknowledged() -> None:
    smsc, desk = Smsc(), Desk()

    async def run() -> None:
        async with listening(smsc):
            async with bound(smsc, desk):
                desk.open.clear()
                smsc.report("1")
                await asyncio.sleep(0.1)
                asyncio.get_running_loop().call_later(0.2, desk.open.set)
            assert smsc.acknowledged == [("1", OK)]

    bounded(run())
