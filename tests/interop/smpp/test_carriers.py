"""SMSCs that others wrote, and ours in the styles of other vendors, as carriers of the running gateway.

`make test` leaves this folder out, `make test-interop` runs it and writes docs/interoperability.md of it.
"""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gateway.smsc.styles import STYLES as SIMULATED
from tests.interop import outside
from tests.interop.cells import Cell
from tests.interop.soap.clients import locked_node
from tests.support.door import Customer, Door, Login
from tests.support.gateway import gateway
from tests.support.simulator import simulator
from tests.support.wait import until

HERE = Path(__file__).resolve().parent
LONG = "One of three parts. " * 20  # 400 septets
EMOJI = "Ελλάδα 日本 😀"
EXTENSION = "Price {10} [€]"
THROTTLED, SYSTEM_ERROR, FAILED = 0x58, 0x08, 0xFE  # the last: data_sm's ESME_RDELIVERYFAILURE

# How npm's SMSC names messages, and what it reports of them.
STYLES: dict[str, dict[str, Any]] = {
    "ids as is": {"style": "as is"},
    "ids hex, then decimal": {"style": "hex, then decimal"},
    "ids decimal, then hex": {"style": "decimal, then hex"},
    "leading zeros stripped": {"style": "zeros stripped"},
    "ids in the other case": {"style": "other case"},
    "no TLVs": {"receipts": "text alone"},
    "TLVs alone": {"receipts": "TLVs alone"},
    "receipt first": {"early": True},
    "receipt twice": {"copies": 2},
}


@dataclass
class Smsc:
    """npm's SMSC as a process."""

    process: subprocess.Popen[str]
    port: int
    said: list[dict[str, Any]] = field(default_factory=list)

    def taken(self) -> list[dict[str, Any]]:
        """What was submitted to it."""
        return [line for line in list(self.said) if "acknowledged" not in line]

    def listen(self) -> None:
        """Keep what it prints."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def send(self, source: str, destination: str, text: str) -> None:
        """Have it deliver a message from a mobile."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{source} {destination} {text}\n")
        self.process.stdin.flush()


@contextmanager
def smsc(**plan: Any) -> Iterator[Smsc]:
    """A running SMSC of npm's."""
    outside.need("node")
    process = subprocess.Popen(
        ["node", str(HERE / "npm_smsc.js"), json.dumps({"system_id": "us", "password": "secret", **plan})],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NODE_PATH": str(outside.node())},
    )
    try:
        assert process.stdout is not None
        running = Smsc(process, json.loads(process.stdout.readline())["port"])
        threading.Thread(target=running.listen, daemon=True).start()
        yield running
    finally:
        process.terminate()
        process.wait(20)


@dataclass
class Upstream:
    """The gateway with a carrier, and a customer whose numbers are routed to it."""

    door: Door
    customer: Customer
    prefix: str
    carrier: str

    @property
    def who(self) -> Login:
        return self.customer.access

    def send(self, text: str, last: str = "0000") -> str:
        """Send, as soon as the process that answers knows the route."""
        values = {"from": "Trunkline", "to": f"+{self.prefix}{last}", "sms": text}

        def sent() -> Any:
            answer = self.door.call(self.who, "sms.sendsms", values)
            assert answer.get("error", "NO_ROUTE_AVAILABLE") == "NO_ROUTE_AVAILABLE", answer
            return answer.get("result")

        return str(until(sent, what="the route")["messageid"])

    def ends(self, message_id: str, state: str = "DELIVERED") -> None:
        until(lambda: self.door.status(self.who, message_id) == [state], 60, f"{state} of {message_id}")


_prefixes = iter(range(3470000, 3480000))


@contextmanager
def upstream(door: Door, folder: Path, port: int, *options: str) -> Iterator[Upstream]:
    """A carrier for an SMSC at a port, with a route of its own."""
    secret = folder / "secret"
    secret.write_text("secret")
    name, prefix = f"c{uuid4().hex[:8]}", str(next(_prefixes))
    given = ["host=127.0.0.1", f"port={port}", "system_id=us", f"password=@{secret}", *options]
    arguments = [part for option in given for part in ("--option", option)]
    door.cli("carrier", "add", name, "--kind", "smpp", *arguments)
    door.cli("route", "add", prefix, name)
    customer = door.customer("--credits", "10000", "--country", "34")
    until(lambda: door.outcome(customer.access, "user.getbalance") == "SUCCESS", what="the new access")
    try:
        yield Upstream(door, customer, prefix, name)
    finally:
        door.cli("route", "remove", prefix, name)
        door.cli("carrier", "remove", name)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A gateway of its own that has no route but those to the carriers of these tests."""
    with gateway(tmp_path_factory.mktemp("carriers") / "data") as running:
        made = Door(running)
        made.cli("route", "remove", "", "simulator")
        yield made


def cell(variant: str, check: str) -> tuple[str, Cell]:
    return "cell", Cell("SMPP carriers", f"npm smpp {locked_node('smpp')()}", variant, check)


@pytest.mark.parametrize("style", [pytest.param(style, id=style) for style in STYLES])
def test_receipts(style: str, door: Door, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Text, a long one, and what came of both, in each way to name a message."""
    record_property(*cell(style, "receipts"))
    record_property(*cell(style, "three parts"))
    with smsc(**STYLES[style]) as running, upstream(door, tmp_path, running.port) as carrier:
        carrier.ends(carrier.send("Hello"))
        assert [one["text"] for one in running.taken()] == ["Hello"]
        carrier.ends(carrier.send(LONG))
        assert len(running.taken()) == 4
        until(lambda: running.said.count({"acknowledged": 0}) >= 4, what="the receipts' responses")


@pytest.mark.parametrize("style", list(SIMULATED))
def test_receipts_of_the_simulator(
    style: str, door: Door, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Our own SMSC in the style of each vendor: the same, with what is not delivered."""
    for check in ("receipts", "three parts", "undelivered"):
        record_property("cell", Cell("SMPP carriers", "trunkline simulator", style, check))
    given = ("--receipts", style, "--receipt-delay", "0.1")
    with simulator(tmp_path, *given) as running, upstream(door, tmp_path, running.port) as carrier:
        carrier.ends(carrier.send("Hello"))
        carrier.ends(carrier.send(LONG))
        carrier.ends(carrier.send("Hello", "0002"), "UNDELIVERED")
        assert [one["total"] for one in running.taken] == [None, 3, 3, 3, None]


@pytest.mark.parametrize(
    ("long", "check"),
    [
        pytest.param("udh", lambda one: len(one["udh"]) == 1, id="udh"),
        pytest.param("sar", lambda one: one["sar"][1] == 3, id="sar"),
        pytest.param("payload", lambda one: one["payload"] is not None, id="message_payload"),
    ],
)
def test_long_messages(
    long: str,
    check: Callable[[Any], bool],
    door: Door,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    record_property(*cell("ids as is", f"long by {long}"))
    with smsc() as running, upstream(door, tmp_path, running.port, f"long={long}") as carrier:
        carrier.ends(carrier.send(LONG))
        assert all(check(one) for one in running.taken())


def test_texts(door: Door, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    record_property(*cell("ids as is", "GSM extension"))
    record_property(*cell("ids as is", "UCS-2, emoji"))
    with smsc() as running, upstream(door, tmp_path, running.port) as carrier:
        for text in (EXTENSION, EMOJI):
            carrier.ends(carrier.send(text))
        first, second = running.taken()
        assert (first["data_coding"], second["data_coding"], second["text"]) == (0, 8, EMOJI)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        pytest.param(THROTTLED, "DELIVERED", id="throttled"),
        pytest.param(SYSTEM_ERROR, "DELIVERED", id="again"),
        pytest.param(FAILED, "REJECTED", id="refused"),
    ],
)
def test_refusals(
    status: int,
    state: str,
    door: Door,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    request: pytest.FixtureRequest,
) -> None:
    """Too fast and trouble of its own: again. For good: refused, and refunded."""
    record_property(*cell("ids as is", request.node.callspec.id))
    with smsc(refuse=[status]) as running, upstream(door, tmp_path, running.port) as carrier:
        carrier.ends(carrier.send("Hello"), state)


def test_inbound(door: Door, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """A message from a mobile is there for its account."""
    record_property(*cell("ids as is", "inbound"))
    with smsc() as running, upstream(door, tmp_path, running.port) as carrier:
        number = f"{carrier.prefix}99"
        door.cli("inbound", "add", number, carrier.customer.email)
        carrier.ends(carrier.send("Hello"))
        running.send("34600000001", number, "Hi there")

        def read() -> list[Any]:
            return list(door.call(carrier.who, "sms.getinbound")["result"]["messages"])

        found = until(read, 30, "the message")
        assert [(one["from"], one["to"], one["text"]) for one in found] == [("34600000001", number, "Hi there")]
