"""An SMPP carrier's links, over real sockets: lost, refused, silent, made again; TLS."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from gateway.carriers.base import InDoubt, Submitted, Unsent
from gateway.carriers.smpp.adapter import SmppCarrier
from gateway.carriers.smpp.ids import Ids
from gateway.carriers.smpp.options import SmppOptions
from gateway.carriers.smpp.statuses import Table
from gateway.carriers.smpp.upstream import Upstream
from gateway.smpp.pdu import BindTransceiver
from gateway.smpp.timers import Timers
from tests.support import certificates
from tests.support.dispatch import bounded, until
from tests.support.ports import free_port
from tests.support.upstream import Desk, Smsc, bound, listening, long, outgoing


def problem(carrier: SmppCarrier) -> str:
    links: Any = carrier.describe()["links"]
    return str(links[0].get("problem", ""))


def test_a_link_cut_in_the_middle_of_a_window() -> None:
    smsc, desk = Smsc(lambda pdu: None), Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk, window=2) as carrier:
            carrier.submit(long(total=4))
            await until(lambda: len(smsc.got) == 2)
            smsc.links[0].abort()
            await until(lambda: len(desk.answers) == 4)
            assert not carrier.ready
            smsc.script = lambda pdu: "x"
            await until(lambda: carrier.ready, what="another link")
            carrier.submit([outgoing(message_id=2)])
            await until(lambda: len(desk.answers) == 5)

    bounded(run())
    lost = InDoubt("the link was lost before the answer")
    by_part = {(item.message_id, item.seq): outcome for item, outcome in desk.answers}
    assert by_part == {(1, 1): lost, (1, 2): lost, (1, 3): Unsent(), (1, 4): Unsent(), (2, 1): Submitted("x")}


def test_the_other_links_go_on_when_one_is_cut() -> None:
    smsc, desk = Smsc(), Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk, links=2, reconnect=60) as carrier:
            await until(lambda: carrier.window == 20)
            smsc.links[0].abort()
            await until(lambda: carrier.window == 10)
            assert carrier.ready
            carrier.submit([outgoing(message_id=number) for number in range(5)])
            await until(lambda: len(desk.answers) == 5)

    bounded(run())
    assert len(desk.refs) == 5


def test_the_smsc_unbinds() -> None:
    smsc, desk = Smsc(), Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk) as carrier:
            smsc.links[0].unbind()
            await until(lambda: not carrier.ready)
            await until(lambda: carrier.ready and len(smsc.binds) == 2)

    bounded(run())


def test_nobody_listens_at_first() -> None:
    smsc, desk = Smsc(address=("127.0.0.1", free_port())), Desk()

    async def run() -> None:
        async with bound(smsc, desk, ready=False, reconnect=0.1, reconnect_most=0.2) as carrier:
            await until(lambda: "refused" in problem(carrier).lower())
            async with listening(smsc, port=smsc.address[1]):
                await until(lambda: carrier.ready)
                assert problem(carrier) == ""

    bounded(run())


@pytest.mark.parametrize(
    "host", [pytest.param("smsc.invalid", id="unknown name"), pytest.param("a..b", id="no name at all")]
)
def test_a_host_that_cannot_be_found_is_tried_again(host: str) -> None:
    desk = Desk()

    async def run() -> None:
        async with bound(Smsc(address=(host, 2775)), desk, ready=False, reconnect_most=0.1) as carrier:
            await until(lambda: problem(carrier))
            [link] = carrier._links
            assert link._task is not None
            await asyncio.sleep(0.3)
            assert not link._task.done()

    bounded(run())


@pytest.mark.parametrize(
    ("password", "status", "shown"),
    [
        pytest.param("other", 0, "the bind was refused: ESME_RINVPASWD (0x0E)", id="wrong password"),
        pytest.param("secret", 0x0F, "the bind was refused: ESME_RINVSYSID (0x0F)", id="unknown system_id"),
        pytest.param("secret", 0x05, "the bind was refused: ESME_RALYBND (0x05)", id="too many binds"),
    ],
)
def test_a_bind_that_is_refused_is_tried_again(
    password: str, status: int, shown: str, capfd: pytest.CaptureFixture[str]
) -> None:
    smsc, desk = Smsc(password=password, binds_status=status), Desk()

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk, ready=False, reconnect_most=0.1) as carrier:
            await until(lambda: len(smsc.binds) == 3)
            assert problem(carrier) == shown
            assert not carrier.ready
            smsc.password, smsc.binds_status = "secret", 0
            await until(lambda: carrier.ready)

    bounded(run())
    said = capfd.readouterr().err
    # Once for each reason, and never with the password.
    assert said.count(shown) == 1
    assert "password" not in said
    assert "secret" not in said


def test_a_bind_without_an_answer() -> None:
    smsc, desk = Smsc(), Desk()
    smsc._request = lambda link, pdu: smsc.binds.append(pdu)  # type: ignore[method-assign, arg-type]

    async def run() -> None:
        async with listening(smsc), bound(smsc, desk, ready=False, connect_timeout=0.2) as carrier:
            await until(lambda: len(smsc.binds) >= 2)
            assert "in time" in problem(carrier) or "bound" in problem(carrier)

    bounded(run())


def test_a_silent_smsc_is_left() -> None:
    smsc, desk = Smsc(), Desk()

    async def run() -> None:
        async with (
            listening(smsc, timers=Timers(enquire_link=0, inactivity=0)),
            bound(smsc, desk, enquire_link=0.1, response_timeout=0.2) as carrier,
        ):
            # Answered, the link stays.
            await asyncio.sleep(0.6)
            assert len(smsc.binds) == 1
            smsc.links[0].pause()
            await until(lambda: len(smsc.binds) == 2 and carrier.ready)

    bounded(run())


def test_nothing_is_given_to_a_link_that_waits_for_its_end() -> None:
    smsc, desk = Smsc(lambda pdu: None), Desk()

    async def run() -> None:
        async with (
            listening(smsc, timers=Timers(enquire_link=0, inactivity=0)),
            bound(smsc, desk, window=1, enquire_link=0.1, response_timeout=0.3, reconnect=60) as carrier,
        ):
            carrier.submit(long(total=2))
            await until(lambda: smsc.got)
            smsc.links[0].pause()
            # The SMSC is gone without a word: its end of the connection is waited for, a while.
            await until(lambda: carrier.describe()["links"][0]["state"] == "CLOSED")  # type: ignore[index]
            assert not carrier.ready
            assert len(desk.answers) == 2

    bounded(run())


def test_the_smsc_asks_whether_we_live() -> None:
    smsc, desk = Smsc(), Desk()

    async def run() -> None:
        timers = Timers(enquire_link=0.1, inactivity=0, response=0.3)
        async with listening(smsc, timers=timers), bound(smsc, desk, enquire_link=0):
            await asyncio.sleep(0.8)
            assert len(smsc.links) == 1

    bounded(run())
    assert len(smsc.binds) == 1


@pytest.mark.parametrize(
    ("failures", "chance", "seconds"),
    [(0, 0.0, 1.0), (0, 1.0, 0.5), (1, 0.0, 2.0), (3, 0.0, 8.0), (3, 0.5, 6.0), (5, 0.0, 20.0), (10_000, 1.0, 10.0)],
)
def test_waits_between_tries(failures: int, chance: float, seconds: float) -> None:
    options = SmppOptions(host="smsc", system_id="me", reconnect=1, reconnect_most=20)
    link = Upstream("up", "1", options, BindTransceiver, None, Ids("same"), Table(), lambda: chance)  # type: ignore[arg-type]
    assert link._delay(failures) == seconds


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificates.write(tmp_path_factory.mktemp("tls"), "localhost")


@pytest.fixture
def tls(pair: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*pair)
    return context


@pytest.mark.parametrize(
    ("ca", "options"),
    [
        pytest.param(True, {"host": "localhost"}, id="by the host's name"),
        pytest.param(True, {"tls_name": "localhost"}, id="by another name"),
        pytest.param(False, {"tls_verify": False}, id="unverified"),
    ],
)
def test_tls(pair: tuple[Path, Path], tls: ssl.SSLContext, ca: bool, options: dict[str, Any]) -> None:
    smsc, desk = Smsc(), Desk()
    given = {**options, **({"tls_ca": str(pair[0])} if ca else {})}

    async def run() -> None:
        async with listening(smsc, tls), bound(smsc, desk, tls=True, **given) as carrier:
            carrier.submit(long())
            await until(lambda: len(desk.answers) == 3)
            smsc.report("ab")
            await until(lambda: smsc.acknowledged)

    bounded(run())
    assert len(desk.refs) == 3


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        pytest.param({}, "self-signed certificate", id="an unknown authority"),
        pytest.param({"tls_ca": "PAIR", "tls_name": "other.example.com"}, "Hostname mismatch", id="another name"),
        pytest.param(
            {"tls_ca": "/nonexistent.pem"}, "/nonexistent.pem cannot be read: No such file", id="no such file"
        ),
        pytest.param({"tls_ca": __file__}, "holds no certificate", id="a file that is no certificate"),
    ],
)
def test_tls_that_cannot_be_trusted(
    pair: tuple[Path, Path], tls: ssl.SSLContext, options: dict[str, str], shown: str
) -> None:
    smsc, desk = Smsc(), Desk()
    given = {name: value.replace("PAIR", str(pair[0])) for name, value in options.items()}

    async def run() -> None:
        async with listening(smsc, tls), bound(smsc, desk, ready=False, tls=True, **given) as carrier:
            await until(lambda: shown.lower().replace("-", " ") in problem(carrier).lower().replace("-", " "))
            assert smsc.binds == []

    bounded(run())


def test_plain_text_to_a_port_for_tls(tls: ssl.SSLContext) -> None:
    smsc, desk = Smsc(), Desk()

    async def run() -> None:
        async with listening(smsc, tls), bound(smsc, desk, ready=False, connect_timeout=0.5) as carrier:
            await until(lambda: problem(carrier))
            assert not carrier.ready

    bounded(run())
