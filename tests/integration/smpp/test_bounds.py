"""What one peer can do to the server: nothing that the others notice."""

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.smpp import pdu
from gateway.smpp.codec import encode
from gateway.smpp.constants import CommandStatus as Status
from tests.integration.smpp.conftest import Server
from tests.support.smpp import Esme, Gone
from tests.support.smpp_role import Login
from tests.support.wait import until

UNBOUND = 20
SETTINGS = {
    "TRUNKLINE_SMPP_MAX_SESSIONS": "40",
    "TRUNKLINE_SMPP_MAX_UNBOUND": str(UNBOUND),
    "TRUNKLINE_SMPP_PENDING": "50",
    "TRUNKLINE_SMPP_SESSION_INIT": "20",
    "TRUNKLINE_SMPP_ENQUIRE_LINK": "5",
    "TRUNKLINE_SMPP_RESPONSE": "5",
    "TRUNKLINE_SMPP_BINDS": "0",
    "TRUNKLINE_WRITER_QUEUE": "3000",
}


def a_message() -> pdu.SubmitSm:
    return pdu.SubmitSm(source_addr="Shop", source_addr_ton=5, destination_addr="34600000001", short_message=b"a")


def rss(pid: int) -> int:
    """The resident memory of a process, in kB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


@pytest.mark.parametrize(
    ("header", "sequence_number"),
    [
        pytest.param(struct.pack("!IIII", 15, 4, 0, 77), 77, id="shorter than a header"),
        pytest.param(struct.pack("!IIII", 0, 4, 0, 78), 78, id="of no length"),
        pytest.param(struct.pack("!IIII", 70_001, 4, 0, 79), 79, id="longer than may be"),
        pytest.param(struct.pack("!IIII", 0xFFFFFFFF, 4, 0, 80), 80, id="longest"),
    ],
)
def test_pdu_of_an_impossible_length(server: Server, header: bytes, sequence_number: int) -> None:
    with server.esme() as esme:
        esme.send_bytes(header)
        (nack,) = esme.wait_closed()
        assert (type(nack), nack.sequence_number) == (pdu.GenericNack, sequence_number)
        assert nack.command_status == Status.ESME_RINVCMDLEN
    assert server.role.alive()


def test_what_came_before_an_impossible_length_is_answered(server: Server) -> None:
    login = server.customers.access()
    with server.esme().bound(login.user, login.secret) as esme:
        submit = a_message()
        submit.sequence_number = 76
        esme.send_bytes(encode(submit) + struct.pack("!IIII", 15, 4, 0, 77))
        nack, answer = esme.wait_closed()
    assert (type(nack), nack.sequence_number) == (pdu.GenericNack, 77)
    assert (type(answer), answer.command_status, answer.sequence_number) == (pdu.SubmitSmResp, Status.ESME_ROK, 76)


def test_half_open_peer_is_noticed(server: Server) -> None:
    login = server.customers.access()
    with server.esme(keeps_alive=False).bound(login.user, login.secret) as esme:
        assert isinstance(esme.receive(), pdu.EnquireLink)
        esme.wait_closed()
    (row,) = server.customers.logged(access_id=login.access_id, method="unbind")
    assert "the enquire_link was not answered within 5 s" in row["response"]


def test_peer_that_reads_nothing_is_not_read_either(server: Server) -> None:
    login, other = server.customers.access(), server.customers.access()
    before = rss(server.role.process.pid)
    requests = b"".join(
        encode(pdu.QuerySm(message_id="1" * 60, source_addr="1" * 20, sequence_number=number))
        for number in range(1, 2001)
    )
    with server.esme(receive_buffer=4096).bound(login.user, login.secret) as greedy:
        # Until nothing more is taken: both sides' buffers are full, and the server waits for us.
        written, rest = 0, requests
        while (count := greedy.offer(rest, timeout=2)) > 0:
            written += count
            rest = rest[count:] or requests
            assert written < 100_000_000, "the server reads without end"
        assert written > len(requests)
        with server.esme().bound(other.user, other.secret) as neighbour:
            assert neighbour.request(pdu.EnquireLink()).command_status == Status.ESME_ROK
            neighbour.unbind()
        assert rss(server.role.process.pid) - before < 60_000
    assert server.role.alive()


def test_as_many_connections_as_may_be(server: Server) -> None:
    login = server.customers.access()
    bound = [server.esme().bound(login.user, login.secret, "receiver") for _ in range(40)]
    with server.esme() as extra:
        assert extra.wait_closed() == []
    for esme in bound[:20]:
        assert esme.request(pdu.EnquireLink()).command_status == Status.ESME_ROK
    bound[0].unbind()
    until(lambda: _answers(server), 10, "a place")
    for esme in bound[1:]:
        esme.close()
    until(lambda: "smpp_max_sessions" in server.role.errors, 10, "the log line")
    until(lambda: len(server.customers.log(access_id=login.access_id, method="unbind")) == 40, 10, "40 ends")


def _answers(server: Server) -> bool:
    try:
        with server.esme() as esme:
            return bool(esme.request(pdu.EnquireLink()).command_status == Status.ESME_ROK)
    except (Gone, OSError):
        return False


def test_strangers_who_only_connect_make_room_for_those_who_bind(server: Server) -> None:
    login = server.customers.access()
    idle = [Esme(server.role.port) for _ in range(UNBOUND)]
    with server.esme() as esme:
        esme.bound(login.user, login.secret)
        # The one that came first had to go.
        assert idle[0].wait_closed() == []
        assert idle[-1].request(pdu.EnquireLink()).command_status == Status.ESME_ROK
        esme.unbind()
    for stranger in idle:
        stranger.close()


def test_requests_beyond_what_may_be_pending_are_answered_too(server: Server) -> None:
    login = server.customers.access()
    with server.esme().bound(login.user, login.secret) as esme:
        last = esme.send(*(a_message() for _ in range(1000)))
        answers = [esme.expect(pdu.SubmitSmResp) for _ in range(1000)]
        assert {one.command_status for one in answers} == {Status.ESME_ROK}
        assert answers[-1].sequence_number == last
        esme.unbind()


def test_more_than_the_writer_can_queue_is_slowed_down_and_not_refused(server: Server) -> None:
    login = server.customers.access(credits_=10**11)
    links = [server.esme().bound(login.user, login.secret, "transmitter") for _ in range(30)]
    for esme in links:
        esme.send(*(a_message() for _ in range(200)))
    found = {esme.expect(pdu.SubmitSmResp).command_status for esme in links for _ in range(200)}
    assert found == {Status.ESME_ROK}
    for esme in links:
        esme.unbind()


FRAMES = st.builds(
    lambda command, status, number, body: struct.pack("!IIII", 16 + len(body), command, status, number) + body,
    st.one_of(
        st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 9, 0xB, 0x15, 0x21, 0x102, 0x103]).flatmap(
            lambda command: st.sampled_from([command, command | 0x8000_0000])
        ),
        st.integers(0, 0xFFFFFFFF),
    ),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=300),
)


@pytest.fixture(scope="module")
def login(server: Server) -> Login:
    """An access for many tests."""
    return server.customers.access()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    frames=st.lists(st.one_of(FRAMES, st.binary(max_size=64)), max_size=8),
    pieces=st.integers(1, 50),
    bound=st.booleans(),
)
def test_whatever_comes_the_server_stays(
    server: Server, login: Login, frames: list[bytes], pieces: int, bound: bool
) -> None:
    with server.esme() as esme:
        if bound:
            esme.bound(login.user, login.secret)
        data = b"".join(frames)
        try:
            for start in range(0, len(data), pieces):
                esme.send_bytes(data[start : start + pieces])
        except OSError:
            pass  # closed on us, as it may
    assert server.role.process.poll() is None
    with server.esme() as other:
        assert other.request(pdu.EnquireLink()).command_status == Status.ESME_ROK


def test_a_stranger_fills_neither_the_log_nor_the_metrics(server: Server) -> None:
    with server.esme() as esme:
        esme.send_bytes(b"".join(struct.pack("!IIII", 16, command, 0, 1) for command in range(0x1000, 0x1000 + 2000)))
        nacks = [esme.expect(pdu.GenericNack) for _ in range(2000)]
        assert {one.command_status for one in nacks} == {Status.ESME_RINVCMDID}
    until(lambda: "smpp requests refused" in server.role.errors, 10, "the log line")
    assert server.role.errors.count("smpp requests refused") < 300
