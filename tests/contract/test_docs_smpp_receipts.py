"""What docs/smpp.md says of receipts and of what comes in is what the code does."""

import re
from pathlib import Path

import pytest

from gateway import clock
from gateway.frontends.smpp import deliver_sm, deliveries, hand, outlets
from gateway.frontends.smpp.deliver_sm import Fate
from gateway.messaging.states import FINAL, State
from gateway.smpp import receipts
from gateway.smpp.constants import CommandStatus, MessageState, Tag
from gateway.storage.queries.dispatch import finals
from gateway.storage.queries.outbox import HEAD, Entry, Outcome

PAGE = (Path(__file__).parents[2] / "docs" / "smpp.md").read_text("utf-8")
RECEIPTS = PAGE[PAGE.index("## Receipts") :].partition("\n## ")[0]
PROSE = " ".join(RECEIPTS.split())


def table(head: str) -> list[list[str]]:
    """The rows of the table whose first column is called so."""
    found = re.search(rf"\n\| {re.escape(head)} \|.*\n\|---.*\n((?:\|.*\n)+)", RECEIPTS)
    assert found is not None, head
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines()]


def test_the_example_is_what_is_sent() -> None:
    at = 1_795_415_400 * clock.SECOND
    what = Outcome(
        "Shop", 5, 0, "34600111222", 1, 1, "Your parcel has arri", at, None, None, 20, at + 2 * clock.MINUTE
    )
    [pdu] = deliver_sm.make(Entry(1, (1, 1), 98765432101234, 1, what))
    assert f"\n{pdu.short_message.decode()}\n" in RECEIPTS
    assert f"esm_class 0x{pdu.esm_class:02X} and data_coding {pdu.data_coding}" in PROSE
    assert f"first {HEAD} characters" in RECEIPTS


@pytest.mark.parametrize("bits", ["00", "01", "10"])
def test_who_gets_a_receipt(bits: str) -> None:
    told = {row[0]: row[1] for row in table("registered_delivery, bits 1 and 0")}
    assert len(told) == 3
    wanted = {state for state in FINAL if finals.wants_notice("smpp", int(bits, 2), state)}
    meant = {"never": set(), "when the message has come to its end, whatever end": FINAL}
    assert wanted == meant.get(told[bits], FINAL - {State.DELIVERED})


def test_every_state() -> None:
    told = {State[row[2]]: (row[0], int(row[1])) for row in table("stat")}
    assert told == {
        state: (receipts.WORDS[number], int(number)) for state, number in deliver_sm.MESSAGE_STATES.items()
    }
    assert {number for _, number in told.values()} <= set(map(int, MessageState))


def test_every_tlv() -> None:
    at = clock.now()
    [pdu] = deliver_sm.make(Entry(1, (1, 1), 7, 1, Outcome("1", 1, 1, "2", 1, 1, "", at, None, "5", 20, at)))
    assert [row[0] for row in table("TLV")] == [f"0x{tag:04X} {Tag(tag).name.lower()}" for tag in pdu.tlvs]


def test_every_answer() -> None:
    told = {row[0]: row[1] for row in table("your answer")}
    named = {CommandStatus[name]: what for answer, what in told.items() for name in re.findall(r"ESME_\w+", answer)}
    words = {Fate.DONE: "are done with it", Fate.DROPPED: "drop it: your application refuses it for good"}
    assert named == {CommandStatus(status): words[fate] for status, fate in deliver_sm.FATES.items()}


def test_times() -> None:
    assert f"{finals.RECEIPT_LIFE // clock.DAY} days" in PROSE
    assert deliveries.FIRST_PAUSE == clock.SECOND
    assert f"up to {deliveries.LONGEST_PAUSE // clock.MINUTE} minutes" in PROSE
    assert outlets.FIRST_REST == 1
    assert f"up to {outlets.LONGEST_REST:g} seconds" in PROSE
    [within] = re.findall(r"comes there within (\d+) seconds", PROSE)
    assert int(within) > hand.LEASE / clock.SECOND + deliveries.LOOK_AGAIN
