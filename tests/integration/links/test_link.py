"""Links over real sockets, on asyncio's own loop and on uvloop: bounds, backpressure, and how they end."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from gateway.links.link import HIGH_WATER
from gateway.smpp.codec import encode
from gateway.smpp.constants import Tag
from gateway.smpp.events import Lost, Response, Unbound
from gateway.smpp.pdu import (
    DataSm,
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
)
from gateway.smpp.session import WindowFull
from gateway.smpp.states import State
from gateway.smpp.timers import Timers
from tests.support.certificates import contexts
from tests.support.dispatch import until
from tests.support.links import LOOPS, Octets, Recorder, connect, listening, run

Test = Callable[..., Coroutine[Any, Any, None]]
HEADER = (4).to_bytes(4, "big")


def on_each_loop(test: Test) -> Callable[..., None]:
    def both(loop: str) -> None:
        run(loop, test())

    both.__doc__ = test.__doc__
    return pytest.mark.parametrize("loop", LOOPS)(both)


@on_each_loop
async def test_conversation() -> None:
    smsc, esme = Recorder(), Recorder()
    async with listening(smsc) as address:
        link = await connect(address, esme, window=50)
        assert link.peer == address and smsc.link.peer[0] == "127.0.0.1"
        for number in range(1_000):
            while not link.session.free:
                with pytest.raises(WindowFull):
                    link.request(SubmitSm())
                await asyncio.sleep(0)
            link.request(SubmitSm(short_message=b"%d" % number), number)
        for number in range(50):
            smsc.link.request(DeliverSm(short_message=b"%d" % number), number)
        await until(lambda: len(esme.of(Response)) == 1_001 and len(smsc.of(Response)) == 50)
        assert [pdu.short_message for pdu in smsc.pdus if isinstance(pdu, SubmitSm)] == [
            b"%d" % number for number in range(1_000)
        ]
        assert [event.context for event in esme.of(Response)] == [None, *range(1_000)]
        link.unbind()
        await link.wait_closed()
        await smsc.link.wait_closed()
        assert esme.of(Unbound) == [Unbound(by_peer=False)] and smsc.of(Unbound) == [Unbound(by_peer=True)]
        assert esme.closed == "unbound" and smsc.closed == "unbound by the peer"
        assert esme.ended == smsc.ended == [None] and not esme.of(Lost)
        # What comes too late is nobody's problem.
        smsc.link.respond(SubmitSmResp(sequence_number=1))
        for end in (link, smsc.link):
            end.close("again")
            end.abort()
            end.pause()
            end.resume()
        assert smsc.closed == "unbound by the peer"


@on_each_loop
async def test_big_pdu_passes() -> None:
    smsc, esme = Recorder(), Recorder()
    payload = bytes(range(256)) * 255
    async with listening(smsc) as address:
        link = await connect(address, esme)
        link.request(DataSm(tlvs={Tag.MESSAGE_PAYLOAD: payload}))
        await until(lambda: len(esme.of(Response)) == 2)
        assert smsc.pdus[0].tlvs == {Tag.MESSAGE_PAYLOAD: payload}


@on_each_loop
async def test_too_big_pdu_is_nacked_and_the_end() -> None:
    smsc = Recorder()
    async with listening(smsc) as address:
        peer = Octets(address)
        await peer.bind()
        header = (70_001).to_bytes(4, "big") + HEADER + bytes(4) + (99).to_bytes(4, "big")
        await peer.say(header)
        [nack] = await peer.rest()
        assert isinstance(nack, GenericNack) and nack.sequence_number == 99
        peer.close()
        await smsc.link.wait_closed()


@on_each_loop
async def test_close_sends_the_rest_although_something_is_unread() -> None:
    """Closing a socket with something unread makes the kernel send a RST, which may overtake what was written."""
    smsc = Recorder()
    async with listening(smsc) as address:
        peer = Octets(address)
        await peer.bind()
        smsc.link.pause()
        await peer.send(*[EnquireLink(sequence_number=2)] * 5_000)
        for _ in range(3):
            smsc.link.request(DataSm(tlvs={Tag.MESSAGE_PAYLOAD: bytes(60_000)}))
        smsc.link.close("the test says so")
        smsc.link.close("twice")
        assert [type(pdu) for pdu in await peer.rest()] == [DataSm] * 3
        await peer.send(*[EnquireLink(sequence_number=3)] * 5_000)
        peer.close()
        await smsc.link.wait_closed()
        assert smsc.closed == "the test says so" and len(smsc.of(Lost)) == 3 and not smsc.pdus


@on_each_loop
async def test_unbind_resp_comes_before_the_end() -> None:
    smsc = Recorder(answers=False)
    async with listening(smsc) as address:
        peer = Octets(address)
        await peer.bind()
        await peer.send(SubmitSm(sequence_number=2), SubmitSm(sequence_number=3), Unbind(sequence_number=4))
        await until(lambda: smsc.of(Unbound))
        smsc.link.respond(SubmitSmResp(sequence_number=3))
        smsc.link.respond(SubmitSmResp(sequence_number=2))
        assert await peer.rest() == [
            SubmitSmResp(sequence_number=3),
            SubmitSmResp(sequence_number=2),
            UnbindResp(sequence_number=4),
        ]
        peer.close()
        await smsc.link.wait_closed()
        assert smsc.ended == [None] and smsc.closed == "unbound by the peer"


@on_each_loop
async def test_peer_that_never_closes_is_not_waited_for_long() -> None:
    smsc = Recorder()
    async with listening(smsc, Timers(enquire_link=0.05), linger=0.2) as address:
        peer = Octets(address)
        await peer.bind()
        await peer.send(Unbind(sequence_number=4))
        assert [pdu for pdu in await peer.rest() if not isinstance(pdu, EnquireLink)] == [
            UnbindResp(sequence_number=4)
        ]
        await smsc.link.wait_closed()
        peer.close()


@on_each_loop
async def test_reader_that_takes_nothing_costs_little_and_is_given_up() -> None:
    smsc = Recorder()
    async with listening(smsc, stall=0.5) as address:
        peer = Octets(address, receive_buffer=4_096)
        await peer.bind()
        flood = asyncio.create_task(peer.say(encode(EnquireLink(sequence_number=2)) * 2_000_000))
        link = smsc.link
        # Answers are held back from then on, too: what waits in the session is bounded by the window.
        await until(lambda: link._stalls_at)
        link.request(DeliverSm(), "lost")
        await asyncio.sleep(0)
        transport = link._transport
        assert transport is not None
        size = transport.get_write_buffer_size()
        assert HIGH_WATER <= size < 8 * HIGH_WATER
        await link.wait_closed()
        assert "took nothing" in smsc.closed and not flood.done()
        assert [event.context for event in smsc.of(Lost)] == ["lost"]
        with pytest.raises(ConnectionError):
            await flood
        peer.close()


@on_each_loop
async def test_slow_reader_gets_all_in_the_end() -> None:
    smsc = Recorder()
    async with listening(smsc, stall=20) as address:
        peer = Octets(address, receive_buffer=4_096)
        await peer.bind()
        asked, answer = encode(EnquireLink(sequence_number=2)), encode(EnquireLinkResp(sequence_number=2))
        count = 500_000
        flood = asyncio.create_task(peer.say(asked * count))
        link = smsc.link
        await until(lambda: link._stalls_at)
        assert link.session.next_deadline() is None
        assert await peer.hear(len(answer) * count) == answer * count
        await flood
        await until(lambda: link._stalls_at is None)
        assert link.session.next_deadline() is not None
        peer.close()


@on_each_loop
async def test_dead_peer_is_found_out() -> None:
    timers = Timers(enquire_link=0.1, response=0.3)
    smsc = Recorder()
    async with listening(smsc, timers, linger=0.1) as address:
        peer = Octets(address)
        await peer.bind()
        smsc.link.request(DeliverSm(), "receipt")
        delivery, enquiry = await peer.next(), await peer.next()
        assert isinstance(delivery, DeliverSm) and isinstance(enquiry, EnquireLink)
        await smsc.link.wait_closed()
        kinds = [type(event).__name__ for event in smsc.heard]
        # The request may expire first.
        assert kinds in (["Request", "Close", "Lost"], ["Request", "Expired", "Close"])
        assert "enquire_link was not answered" in smsc.closed
        peer.close()


@on_each_loop
async def test_live_peers_are_kept_by_enquire_link() -> None:
    timers = Timers(enquire_link=0.05, inactivity=0.5, response=0.4)
    smsc, esme = Recorder(), Recorder()
    async with listening(smsc, timers) as address:
        link = await connect(address, esme, timers=timers)
        loop = asyncio.get_running_loop()
        since = loop.time()
        await until(lambda: loop.time() > since + 1)
        assert link.session.state is smsc.link.session.state is State.BOUND_TRX
        assert not esme.of(Lost) and not esme.ended
        link.unbind()
        await link.wait_closed()


@on_each_loop
async def test_connection_that_never_binds_is_closed() -> None:
    smsc = Recorder()
    async with listening(smsc, Timers(session_init=0.2)) as address:
        peer = Octets(address)
        assert await peer.rest() == []
        peer.close()
        await smsc.link.wait_closed()
        assert smsc.closed == "not bound within 0.2 s"


@on_each_loop
async def test_host_that_pauses_hears_nothing_and_expects_nothing() -> None:
    timers = Timers(enquire_link=0.1, response=0.1)
    smsc = Recorder(answers=False)
    async with listening(smsc, timers) as address:
        peer = Octets(address)
        await peer.bind()
        link = smsc.link
        link.request(DeliverSm(), "receipt")
        link.pause()
        await peer.send(SubmitSm(sequence_number=2))
        assert isinstance(await peer.next(), DeliverSm)
        loop = asyncio.get_running_loop()
        since = loop.time()
        await until(lambda: loop.time() > since + 0.5)
        assert not smsc.pdus and len(smsc.heard) == 1
        link.resume()
        await until(lambda: smsc.pdus)
        peer.close()


@on_each_loop
async def test_unbind_reads_on_whatever_is_paused() -> None:
    smsc = Recorder(answers=False)
    async with listening(smsc) as address:
        peer = Octets(address)
        await peer.bind()
        smsc.link.pause()
        await peer.send(SubmitSm(sequence_number=2))
        smsc.link.unbind()
        unbind, refused = await peer.next(), await peer.next()
        assert isinstance(unbind, Unbind)
        assert isinstance(refused, SubmitSmResp) and refused.command_status == 4
        await peer.send(UnbindResp(sequence_number=unbind.sequence_number))
        assert await peer.rest() == []
        peer.close()
        await smsc.link.wait_closed()
        assert smsc.closed == "unbound" and not smsc.pdus


@on_each_loop
async def test_unbind_of_what_is_not_bound_closes() -> None:
    smsc = Recorder()
    async with listening(smsc) as address:
        peer = Octets(address)
        await until(lambda: smsc.links)
        smsc.link.unbind()
        assert await peer.rest() == []
        peer.close()
        await smsc.link.wait_closed()
        assert smsc.closed == "ended before it was bound"


@on_each_loop
async def test_peer_that_breaks_off_loses_what_it_did_not_answer() -> None:
    smsc = Recorder()
    async with listening(smsc) as address:
        peer = Octets(address)
        await peer.bind()
        smsc.link.request(DeliverSm(), "receipt")
        assert isinstance(await peer.next(), DeliverSm)
        peer.reset()
        await smsc.link.wait_closed()
        assert [event.context for event in smsc.of(Lost)] == ["receipt"]
        assert len(smsc.ended) == 1 and isinstance(smsc.ended[0], ConnectionError | None)


@on_each_loop
async def test_peer_that_says_no_more_is_still_answered() -> None:
    smsc = Recorder()
    async with listening(smsc) as address:
        peer = Octets(address)
        await peer.bind()
        await peer.send(SubmitSm(sequence_number=2))
        peer.socket.shutdown(1)
        assert await peer.rest() == [SubmitSmResp(sequence_number=2)]
        await smsc.link.wait_closed()
        assert smsc.ended == [None]
        peer.close()


@pytest.mark.parametrize("loop", LOOPS)
def test_tls_ends_in_good_order_too(loop: str, tmp_path: Path) -> None:
    server, client = contexts(tmp_path)

    async def test() -> None:
        smsc, esme = Recorder(), Recorder()
        async with listening(smsc, tls=server) as address:
            link = await connect(address, esme, ssl=client, server_hostname="localhost")
            for number in range(100):
                link.request(DataSm(tlvs={Tag.MESSAGE_PAYLOAD: bytes(60_000)}), number)
            await until(lambda: len(esme.of(Response)) == 101)
            link.unbind()
            await link.wait_closed()
            await smsc.link.wait_closed()
            assert esme.closed == "unbound" and smsc.closed == "unbound by the peer" and not esme.of(Lost)

    run(loop, test())


@on_each_loop
async def test_peer_that_speaks_no_smpp_is_shown_the_door() -> None:
    smsc = Recorder()
    async with listening(smsc) as address:
        peer = Octets(address)
        await peer.say(b"GET / HTTP/1.1\r\nHost: sms\r\n\r\n")
        assert [type(pdu) for pdu in await peer.rest()] == [GenericNack]
        peer.close()
        await smsc.link.wait_closed()
