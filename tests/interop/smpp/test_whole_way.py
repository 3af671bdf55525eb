"""The whole way: Kannel is bound to us, we are bound to an SMSC, and what it says comes back to Kannel.

`make test` leaves this folder out, `make test-interop` runs it and writes docs/interoperability.md of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from tests.interop import outside
from tests.interop.smpp.kannel import kannel
from tests.support.door import HOME, Door
from tests.support.gateway import Gateway
from tests.support.smsc import smsc as running_smsc
from tests.support.wait import until

PREFIX = "34711"
NUMBER = f"{PREFIX}001234"
ABSENT = f"{PREFIX}000002"
TEXT = "Hello from Kannel: 12 €"
OCTETS = b"Hello from Kannel: 12 \x1be"
LONG = "One of three parts. " * 20  # 400 septets
PARTS = 3


@contextmanager
def carrier(door: Door, port: int, secret: Path) -> Iterator[None]:
    """A carrier for an SMSC at a port, that numbers with `PREFIX` go to."""
    name = f"c{uuid4().hex[:8]}"
    given = ("host=127.0.0.1", f"port={port}", "system_id=us", f"password=@{secret}")
    door.cli("carrier", "add", name, "--kind", "smpp", *(word for one in given for word in ("--option", one)))
    door.cli("route", "add", PREFIX, name)
    try:
        yield
    finally:
        door.cli("route", "remove", PREFIX, name)
        door.cli("carrier", "remove", name)


def test_whole_way(running_gateway: Gateway, tmp_path: Path) -> None:
    outside.need("kannel")
    door = Door(running_gateway)
    customer = door.customer("--credits", "100", "--country", "34")
    who = door.access(customer.email, "--protocol", "smpp", name="kannel")
    (tmp_path / "secret").write_text("secret")
    with (
        running_smsc(tmp_path / "smsc", "--system-id", "us", "--password-file", str(tmp_path / "secret")) as smsc,
        carrier(door, smsc.port, tmp_path / "secret"),
        kannel(tmp_path / "kannel", running_gateway.smpp_port, who.user, who.password, "transceiver") as box,
    ):
        for mark, to, text in (("one", NUMBER, TEXT), ("absent", ABSENT, "Hello"), ("long", NUMBER, LONG)):
            assert box.send(to, text, mark=mark).startswith("0: Acc"), "Kannel's own answer"
        for mark, kind in (("one", "1"), ("absent", "2"), ("long", "1")):
            until(lambda m=mark, k=kind: box.delivered(m, k), 60, f"Kannel's report of {mark}")  # type: ignore[misc]
        taken = smsc.taken()

    assert sorted(one.destination for one in taken) == sorted([ABSENT] + [NUMBER] * (1 + PARTS))
    assert {one.source for one in taken} == {"Kannel"}
    texts = [one.octets for one in taken if one.destination == NUMBER]
    assert texts[0] == OCTETS
    assert b"".join(texts[1:]) == LONG.encode()

    rows = door.cli("log", "list", "--account", customer.email, "--access", "kannel", "--since", "1h")
    assert {row["source_ip"] for row in rows} == {HOME}
    assert {row["protocol"] for row in rows} == {"smpp"}
    assert {(row["operation"], row["outcome"]) for row in rows} >= {
        ("smpp.bind_transceiver", "SUCCESS"),
        ("smpp.submit_sm", "SUCCESS"),
    }
    submits = [row for row in rows if row["operation"] == "smpp.submit_sm"]
    assert len(submits) == 2 + PARTS
    # What became of each is with its message, which its row in the log names.
    ends = [door.cli("message", "show", row["message_id"])["state"] for row in submits]
    assert sorted(ends) == ["DELIVERED"] * (1 + PARTS) + ["UNDELIVERED"]
