"""What docs/smpp.md says of connecting is what the server does."""

import re
from pathlib import Path

import pytest

from gateway.frontends.smpp.bound import Mode
from gateway.frontends.smpp.statuses import BIND, BOUND_TOO_OFTEN
from gateway.links.link import STALL
from gateway.settings import Settings
from gateway.smpp.constants import CommandStatus
from gateway.smpp.framing import DEFAULT_LIMIT

PAGE = (Path(__file__).parents[2] / "docs" / "smpp.md").read_text("utf-8")
CONNECTING = PAGE[PAGE.index("## Connecting") :].partition("\n## ")[0]


def default(name: str) -> object:
    return Settings.model_fields[name].default


def rows(title: str) -> dict[str, list[str]]:
    """The table below a title, by its first column."""
    _, _, after = CONNECTING.partition(f"{title}\n")
    table = re.match(r"(?:[^|\n].*\n|\n)*((?:\|.*\n)+)", after)
    assert table is not None, title
    cells = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table[1].splitlines()]
    return {row[0]: row[1:] for row in cells[2:]}


def test_ports() -> None:
    table = rows("## Connecting")
    assert str(default("smpp")).endswith(f":{table['port'][0]}")
    assert str(default("smpp_tls")).endswith(f":{table['port with TLS'][0].partition(':')[0]}")


@pytest.mark.parametrize(
    ("row", "number"),
    [
        ("sessions at a time", default("smpp_binds")),
        ("our window (deliver_sm)", default("smpp_window")),
        ("your window (submit_sm)", default("smpp_pending")),
        ("longest PDU", f"{DEFAULT_LIMIT:,}"),
    ],
)
def test_limit(row: str, number: object) -> None:
    assert re.search(rf"\b{number}\b", rows("## Connecting")[row][0])


def test_binds() -> None:
    assert rows("## Connecting")["binds"][0].split(", ") == [f"bind_{mode}" for mode in Mode]


def test_every_status_of_a_bind_is_told() -> None:
    told = rows("### How a bind is answered")
    statuses = {CommandStatus.ESME_ROK, BOUND_TOO_OFTEN, *BIND.values()}
    assert set(told) == {f"0x{status:08X} {status.name}" for status in statuses}


@pytest.mark.parametrize(
    ("row", "setting"),
    [
        ("session init", "smpp_session_init"),
        ("enquire_link", "smpp_enquire_link"),
        ("response", "smpp_response"),
        ("inactivity", "smpp_inactivity"),
    ],
)
def test_timer(row: str, setting: str) -> None:
    assert rows("### Timers")[row][0] == f"{default(setting):g}"


def test_stall() -> None:
    assert f"take nothing for {STALL:g} seconds" in CONNECTING


def test_statuses_are_those_of_the_specification() -> None:
    for number, name in re.findall(r"0x([0-9A-F]{8}) (ESME_\w+)", PAGE):
        assert CommandStatus[name] == int(number, 16)
