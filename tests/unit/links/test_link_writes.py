"""What a link writes when, on a transport that keeps it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from gateway.links.link import Link
from gateway.smpp.codec import encode
from gateway.smpp.events import Close, Lost
from gateway.smpp.pdu import BindTransceiver, DataSm, DeliverSm, SubmitSm, SubmitSmResp, Unbind
from gateway.smpp.session import Session
from gateway.smpp.states import Role, State
from gateway.smpp.timers import Timers
from tests.support.dispatch import bounded, until
from tests.support.links import Recorder


class Kept(asyncio.Transport):
    """A transport that keeps what is written; `left` of it is not taken by the peer."""

    def __init__(self, peername: object = "/run/socket") -> None:
        super().__init__({"peername": peername})
        self.written: list[bytes] = []
        self.left = 0
        self.reading = True
        self.ended = ""
        self.closing = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high and low and low < high

    def get_write_buffer_size(self) -> int:
        return self.left

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = "eof"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


def linked(test: Callable[[Link, Kept, Recorder], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test with a bound link of an SMSC."""

    async def within() -> None:
        handler, transport = Recorder(), Kept()
        session = Session(Role.SMSC, Timers(), now=asyncio.get_running_loop().time())
        link = Link(session, handler, stall=0.1)
        link.connection_made(transport)
        link.data_received(encode(BindTransceiver(sequence_number=1)))
        await asyncio.sleep(0)
        assert session.state is State.BOUND_TRX and len(transport.written) == 1
        transport.written.clear()
        await test(link, transport, handler)
        link.connection_lost(None)
        await link.wait_closed()

    def run() -> None:
        bounded(within())

    run.__doc__ = test.__doc__
    return run


@linked
async def test_what_is_said_in_one_turn_is_written_at_once(link: Link, transport: Kept, handler: Recorder) -> None:
    numbers = [link.request(DeliverSm(short_message=b"%d" % number)) for number in range(3)]
    link.data_received(encode(SubmitSm(sequence_number=7)) * 2)
    assert not transport.written
    await asyncio.sleep(0)
    deliveries = [DeliverSm(short_message=b"%d" % at, sequence_number=number) for at, number in enumerate(numbers)]
    answer = encode(SubmitSmResp(sequence_number=7))
    assert transport.written == [b"".join(map(encode, deliveries)) + answer * 2]
    await asyncio.sleep(0)
    assert len(transport.written) == 1


@linked
async def test_peer_that_takes_something_is_waited_for(link: Link, transport: Kept, handler: Recorder) -> None:
    transport.left = 1_000
    link.pause_writing()
    assert not transport.reading
    due = link._stalls_at
    transport.left = 999
    await until(lambda: link._stalls_at != due)
    link.request(DataSm(), "held back")
    await asyncio.sleep(0)
    assert not transport.written and not transport.ended
    link.resume_writing()
    await asyncio.sleep(0)
    assert transport.written and transport.reading
    link.pause_writing()
    await until(lambda: transport.ended)
    assert transport.ended == "aborted" and handler.closed == "the peer took nothing for 0.1 s"


@linked
async def test_closing_connection_is_not_written_to(link: Link, transport: Kept, handler: Recorder) -> None:
    transport.closing = True
    link.request(DeliverSm(), 1)
    link.close("too late")
    await asyncio.sleep(0)
    assert not transport.written and not transport.ended
    assert [type(event) for event in handler.heard[1:]] == [Close, Lost]
    link.data_received(encode(SubmitSm(sequence_number=2)))
    link.pause()
    assert transport.reading and len(handler.heard) == 3


@linked
async def test_reading_goes_on_while_the_end_is_awaited(link: Link, transport: Kept, handler: Recorder) -> None:
    link.pause_writing()
    link.pause()
    link.close("enough")
    assert transport.reading and transport.ended == "eof"
    link.resume_writing()
    link.pause()
    assert transport.reading


@linked
async def test_connection_that_is_lost_first_needs_no_close(link: Link, transport: Kept, handler: Recorder) -> None:
    link.data_received(encode(Unbind(sequence_number=2)))
    link.connection_lost(None)
    await link.wait_closed()
    link.respond(SubmitSmResp())
    link.unbind()
    assert handler.closed == "unbound by the peer" and link.peer == ("", 0)
