"""docs/simulator.md tells every option, style and field of the simulator, and nothing that there is not."""

import re
from pathlib import Path

import click
import pytest

from gateway.commands.framework import Command
from gateway.commands.simulator import simulator
from gateway.smpp.constants import CommandStatus
from gateway.smsc import server
from gateway.smsc.styles import STYLES
from gateway.smsc.submits import FIELDS

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text("utf-8")
OPTIONS, STYLES_SECTION, JOURNAL = (
    PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    for title in ("Options", "Receipts of other makes", "The journal")
)


def rows(section: str) -> list[list[str]]:
    found = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in section.splitlines()
        if line[:1] == "|"
    ]
    return found[2:]


def options() -> dict[str, click.Option]:
    everywhere = {parameter.name for parameter in Command("any").params}
    found = [one for one in simulator.params if isinstance(one, click.Option) and one.name not in everywhere]
    return {one.opts[0]: one for one in found}


def test_every_option_is_there_in_order() -> None:
    assert [row[0].strip("`").split()[0] for row in rows(OPTIONS)] == list(options())


@pytest.mark.parametrize("row", rows(OPTIONS), ids=lambda row: row[0].strip("`").split()[0])
def test_option_is_as_it_is_told(row: list[str]) -> None:
    name, _, value = row[0].strip("`").replace("\\|", "|").partition(" ")
    option = options()[name]
    told = option.metavar or "|".join(option.type.choices)  # type: ignore[attr-defined]
    assert value == told.removesuffix("|-")
    if option.default in (None, ()) or "Sentinel" in repr(option.default):
        assert row[1] in ("anybody", "any", "unlimited", "never", "none")
    else:
        assert row[1] == option.default


def test_every_style_is_told() -> None:
    assert [tuple(row) for row in rows(STYLES_SECTION)] == [(name, known.meaning) for name, known in STYLES.items()]


def test_every_field_of_the_journal_is_told() -> None:
    assert re.findall(r"`(\w+)`", " ".join(row[0] for row in rows(JOURNAL))) == list(FIELDS)


def test_statuses_of_what_is_refused_are_told() -> None:
    told = ", ".join(f"0x{status:02X}" for status in list(server.REFUSED.values())[:-1])
    last = f"0x{CommandStatus.ESME_RREPLACEFAIL:02X}"
    assert f"refused with {told} and {last}" in " ".join(PAGE.split())
