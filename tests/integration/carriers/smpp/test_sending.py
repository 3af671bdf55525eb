"""What an SMPP carrier sends, over real sockets: binds, windows, order, refusals."""

import asyncio
from typing import Any

import pytest

from gateway.carriers.base import Final, InDoubt, NextRoute, Outcome, Retry, Submitted, Throttled, Unsent
from gateway.carriers.smpp import adapter
from gateway.smpp.constants import CommandStatus
from gateway.smpp.pdu import BindReceiver, BindTransceiver, BindTransmitter, GenericNack, SubmitSmResp
from tests.support.dispatch import bounded, until
from tests.support.upstream import Desk, Smsc, bound, listening, long, outgoing


@pytest.mark.parametrize(
    ("mode", "links", "kinds", "window"),
    [
        pytest.param("transceiver", 1, [BindTransceiver], 7, id="transceiver"),
        pytest.param("separate", 1, [BindTransmitter, BindReceiver], 7, id="transmitter and receiver"),
        pytest.param("transmitter", 1, [BindTransmitter], 7, id="transmitter alone"),
        pytest.param("transceiver", 3, [BindTransceiver] * 3, 21, id="three links"),
        pytest.param("separate", 2, [BindTransmitter, BindReceiver] * 2, 14, id="two pairs"),
    ],
)
def test_binds(mode: str, links: int, kinds: list[type], window: int) -> None:
    smsc, desk = Smsc(), Desk()
    settings: dict[str, Any] = {"system_type": "VMA", "address_range": "^34", "address_ton": 1, "address_npi": 1}

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk, bind=mode, links=links, window=7, **settings) as carrier:
            await until(lambda: carrier.window == window and len(smsc.binds) == len(kinds))
            assert desk.changes >= 1
            shown = carrier.describe()
            assert "secret" not in str(shown)
            assert shown["system_id"] == "me"
            await until(lambda: all("BOUND" in link["state"] for link in carrier.describe()["links"]))  # type: ignore[attr-defined]
        assert not carrier.ready

    bounded(run())
    assert sorted(type(pdu).__name__ for pdu in smsc.binds) == sorted(kind.__name__ for kind in kinds)
    for pdu in smsc.binds:
        assert (pdu.system_id, pdu.password, pdu.system_type) == ("me", "secret", "VMA")
        assert (pdu.addr_ton, pdu.addr_npi, pdu.address_range, pdu.interface_version) == (1, 1, "^34", 0x34)


def test_a_receiver_alone_takes_no_messages() -> None:
    smsc, desk = Smsc(), Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk, ready=False, bind="receiver") as carrier:
            await until(lambda: smsc.binds)
            assert not carrier.ready
            carrier.submit([outgoing()])
            assert desk.outcomes == [Unsent()]

    bounded(run())


def test_segments_in_order_with_an_id_each() -> None:
    smsc, desk = Smsc(), Desk()
    sent = [outgoing(message_id=1), *long(2), outgoing(message_id=3)]

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk) as carrier:
            carrier.submit(sent)
            await until(lambda: len(desk.answers) == len(sent))

    bounded(run())
    assert [item for item, _ in desk.answers] == sent
    assert desk.refs == [f"{pdu.sequence_number:x}" for pdu in smsc.submits]
    assert [pdu.short_message[-3:] for pdu in smsc.submits] == [b"1.1", b"2.1", b"2.2", b"2.3", b"3.1"]


def test_a_long_text_that_goes_whole_is_answered_once_for_all() -> None:
    smsc, desk = Smsc(lambda pdu: "AB12"), Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk, long="payload") as carrier:
            carrier.submit(long())
            await until(lambda: len(desk.answers) == 3)

    bounded(run())
    assert len(smsc.got) == 1
    assert desk.refs == ["ab12"] * 3


def test_never_more_than_the_window() -> None:
    smsc, desk = Smsc(lambda pdu: None), Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk, window=2) as carrier:
            # One long message may be larger than the window.
            carrier.submit(long(total=5))
            for answered in (0, 2, 4):
                await until(lambda answered=answered: len(smsc.got) == min(answered + 2, 5))
                await asyncio.sleep(0.05)
                assert len(smsc.got) == min(answered + 2, 5)
                for link, pdu in smsc.got[answered:]:
                    smsc.answer(link, pdu, "x")
            await until(lambda: len(desk.answers) == 5)

    bounded(run())


def test_several_links_share_the_load_and_keep_messages_together() -> None:
    smsc, desk = Smsc(), Desk()
    parts = [outgoing("34600999999", number, udh=bytes((5, 0, 3, 7, 9, number))) for number in range(101, 110)]

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk, links=3, window=20) as carrier:
            await until(lambda: carrier.window == 60)
            for number in range(1, 13):
                carrier.submit(long(number))
            for part in parts:
                carrier.submit([part])
            await until(lambda: len(desk.answers) == 12 * 3 + 9)

    bounded(run())
    by_message: dict[bytes, list[Any]] = {}
    for link, pdu in smsc.got:
        by_message.setdefault(pdu.short_message[6:].split(b".")[0], []).append(link)
    assert all(len(set(map(id, by_message[b"%d" % number]))) == 1 for number in range(1, 13))
    assert len({id(by_message[b"%d" % number][0]) for number in range(1, 13)}) == 3
    # A customer's parts come one by one, and leave in order over one link.
    assert len({id(by_message[b"%d" % number][0]) for number in range(101, 110)}) == 1


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(CommandStatus.ESME_RTHROTTLED, Throttled("ESME_RTHROTTLED (0x58)"), id="throttled"),
        pytest.param(CommandStatus.ESME_RMSGQFUL, Throttled("ESME_RMSGQFUL (0x14)"), id="queue full"),
        pytest.param(CommandStatus.ESME_RSYSERR, Retry("ESME_RSYSERR (0x08)"), id="retry"),
        pytest.param(CommandStatus.ESME_RINVSRCADR, NextRoute("ESME_RINVSRCADR (0x0A)"), id="next route"),
        pytest.param(CommandStatus.ESME_RINVDSTADR, Final("ESME_RINVDSTADR (0x0B)"), id="final by an override"),
        pytest.param(0x450, Retry("command_status 0x00000450"), id="a vendor's own"),
        pytest.param(GenericNack(command_status=3), NextRoute("ESME_RINVCMDID (0x03)"), id="generic_nack"),
        pytest.param(GenericNack(), Retry("ESME_RUNKNOWNERR (0xFF)"), id="generic_nack without a status"),
        pytest.param("Ab12", Submitted("ab12"), id="taken"),
        pytest.param("", Submitted("none-1-1-1"), id="taken without an id"),
    ],
)
def test_answers(answer: Any, outcome: Outcome) -> None:
    smsc, desk = Smsc(lambda pdu: answer), Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk, errors="0x0B:final") as carrier:
            carrier.submit([outgoing()])
            await until(lambda: desk.answers)

    bounded(run())
    assert desk.outcomes == [outcome]


def test_the_rest_of_a_refused_message_does_not_leave() -> None:
    smsc, desk = Smsc(lambda pdu: 0x0A if b"1.2" in pdu.short_message else "x"), Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk, window=1) as carrier:
            carrier.submit([*long(1, 4), outgoing(message_id=2)])
            await until(lambda: len(desk.answers) == 5)

    bounded(run())
    assert [(item.message_id, item.seq, type(outcome)) for item, outcome in desk.answers] == [
        (1, 1, Submitted),
        (1, 2, NextRoute),
        (1, 3, Unsent),
        (1, 4, Unsent),
        (2, 1, Submitted),
    ]
    assert [pdu.short_message[-3:] for pdu in smsc.submits] == [b"1.1", b"1.2", b"2.1"]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        pytest.param({"source": "Δ"}, "the sender has characters that SMPP cannot carry", id="sender"),
        pytest.param({"source": "a\0b"}, "cannot be encoded", id="a NUL within"),
    ],
)
def test_what_no_pdu_holds_is_refused_and_the_others_go(values: dict[str, Any], problem: str) -> None:
    smsc, desk = Smsc(), Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk) as carrier:
            carrier.submit([outgoing(**values), outgoing(message_id=2)])
            await until(lambda: len(desk.answers) == 2)

    bounded(run())
    outcomes = {item.message_id: outcome for item, outcome in desk.answers}
    assert outcomes[1] == Final(problem)
    assert isinstance(outcomes[2], Submitted)


def test_no_answer_in_time_is_in_doubt_and_a_late_one_is_ignored() -> None:
    smsc, desk = Smsc(lambda pdu: None), Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk, response_timeout=0.2) as carrier:
            carrier.submit([outgoing()])
            await until(lambda: desk.answers)
            link, pdu = smsc.got[0]
            smsc.answer(link, pdu, "late")
            smsc.script = lambda pdu: "x"
            carrier.submit([outgoing(message_id=2)])
            await until(lambda: len(desk.answers) == 2)

    bounded(run())
    assert desk.outcomes == [InDoubt("no answer in time"), Submitted("x")]


def test_an_answer_with_a_wrong_sequence_number_answers_nothing() -> None:
    smsc, desk = Smsc(), Desk()
    smsc.script = lambda pdu: SubmitSmResp(message_id="x", sequence_number=pdu.sequence_number + 1000)

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk, response_timeout=0.2) as carrier:
            carrier.submit([outgoing()])
            await until(lambda: desk.answers)

    bounded(run())
    assert desk.outcomes == [InDoubt("no answer in time")]


def test_a_clean_stop_waits_for_answers_and_leaves_nothing_in_doubt() -> None:
    smsc, desk = Smsc(lambda pdu: None), Desk()

    async def run() -> None:
        async with listening(smsc):
            async with bound(smsc, desk, window=2) as carrier:
                carrier.submit([outgoing(message_id=number) for number in range(1, 5)])
                await until(lambda: len(smsc.got) == 2)
                for link, pdu in smsc.got:
                    asyncio.get_running_loop().call_later(0.2, smsc.answer, link, pdu, "x")
            assert len(desk.answers) == 4
            carrier.submit([outgoing(message_id=5)])
            await until(lambda: not smsc.links)

    bounded(run())
    assert sorted(type(outcome).__name__ for outcome in desk.outcomes) == ["Submitted"] * 2 + ["Unsent"] * 3
    assert len(smsc.got) == 2


def test_a_stop_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "ANSWERS", 0.1)
    monkeypatch.setattr(adapter, "FAREWELL", 0.1)
    smsc, desk = Smsc(lambda pdu: None), Desk()

    async def run() -> None:
        async with listening(smsc):
            async with bound(smsc, desk) as carrier:
                carrier.submit([outgoing()])
                await until(lambda: smsc.got)
            assert desk.outcomes == [InDoubt("the link was lost before the answer")]

    bounded(run())
