"""What docs/smpp.md says of submitting is what the server does."""

import re
from pathlib import Path

import pytest

from gateway.clock import HOUR
from gateway.frontends.smpp import statuses
from gateway.frontends.smpp.queries import message_state
from gateway.messaging import content, schedule, text
from gateway.messaging.states import State
from gateway.settings import Settings
from gateway.smpp.constants import MAX_DESTINATIONS, CommandStatus, MessageState
from gateway.storage.queries.submitted import LATEST, MOST_CANCELLED

PAGE = (Path(__file__).parents[2] / "docs" / "smpp.md").read_text("utf-8")
SUBMITTING = PAGE[PAGE.index("## Submitting") :].partition("\n## ")[0]


def rows(title: str) -> dict[str, str]:
    """The table below a title: what stands beside each first cell."""
    _, _, after = SUBMITTING.partition(f"### {title}\n")
    table = re.search(r"(?:^\|.*\n)+", after, re.MULTILINE)
    assert table is not None, title
    cells = [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in table[0].splitlines()]
    return {row[0]: row[1] for row in cells[2:]}


def test_every_status_of_a_request_is_told() -> None:
    told = set(rows("How requests are answered"))
    possible = {
        CommandStatus.ESME_ROK,
        statuses.REPLACE_REFUSED,
        *statuses.REQUESTS.values(),
        *statuses.PARAMETERS.values(),
    }
    assert told == {f"0x{status:08X} {status.name}" for status in possible}


def test_every_data_coding_is_told() -> None:
    listed = " ".join(f"{name} {what}" for name, what in rows("data_coding").items())
    told = set()
    for first, last in re.findall(r"0x([0-9A-F]{2})(?: to 0x([0-9A-F]{2}))?", listed):
        told |= set(range(int(first, 16), int(last or first, 16) + 1))
    assert told == content.CODINGS


@pytest.mark.parametrize("state", [state for state in State if state is not State.STAGED])
def test_every_state_of_a_query_is_told(state: State) -> None:
    told = message_state(state)
    assert f"{int(told)} {told.name}" in rows("query_sm")


def test_no_other_state_is_told() -> None:
    assert set(rows("query_sm")) == {f"{int(one)} {one.name}" for one in MessageState if one not in _NEVER}


_NEVER = (MessageState.ACCEPTED, MessageState.UNKNOWN)


@pytest.mark.parametrize(
    "said",
    [
        f"A text takes at most {Settings.model_fields['max_segments'].default} segments",
        f"{Settings.model_fields['validity_hours'].default} hours unless given",
        f"up to {schedule.GRACE * 60 // HOUR} minutes past means now",
        f"{content.OCTETS} octets, or {content.PART_OCTETS} in each of several",
        "160 GSM characters or 70 of UCS-2, 153 or 67 in each of several",
        f"Up to {MAX_DESTINATIONS} destinations",
        f"up to {MOST_CANCELLED} messages",
        f"latest {LATEST:,}",
    ],
)
def test_number(said: str) -> None:
    assert said in SUBMITTING.replace("\n", " ")


def test_the_sizes_of_segments() -> None:
    assert [len(piece) for piece in text.split("x" * 307)] == [153, 153, 1]
    assert [len(piece) // 2 for piece in text.split("я" * 135)] == [67, 67, 1]
