"""The options of a carrier of the kind smpp, and the page that describes them."""

from pathlib import Path
from typing import Any

import pytest

from gateway.carriers import registry
from gateway.carriers.registry import WrongOption
from gateway.carriers.smpp.options import SmppOptions
from gateway.carriers.smpp.statuses import COURSES, OTHER
from gateway.smpp.constants import CommandStatus

PAGE = (Path(__file__).parents[4] / "docs" / "carriers.md").read_text("utf-8")
LEAST = {"host": "smsc.example.com", "system_id": "me"}


def test_the_least() -> None:
    options = registry.check("smpp", LEAST)
    assert isinstance(options, SmppOptions)
    assert (options.port, options.bind, options.links, options.window, options.doubt) == (
        2775,
        "transceiver",
        1,
        10,
        "resend",
    )


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        pytest.param({"host": ""}, "'host'", id="no host"),
        pytest.param({"host": "a b"}, "'host'", id="a host with a space"),
        pytest.param({"port": "0"}, "'port'", id="port 0"),
        pytest.param({"port": "smpp"}, "'port'", id="a port that is no number"),
        pytest.param({"system_id": "é"}, "'system_id'", id="system_id beyond ASCII"),
        pytest.param({"bind": "both"}, "'bind'", id="unknown bind"),
        pytest.param({"links": "0"}, "'links'", id="no links"),
        pytest.param({"window": "0"}, "'window'", id="no window"),
        pytest.param({"throughput": "-1"}, "'throughput'", id="negative throughput"),
        pytest.param({"source_ton": "256"}, "'source_ton'", id="TON of nine bits"),
        pytest.param({"source_rewrite": "("}, "'source_rewrite'", id="a rewriting that is none"),
        pytest.param({"alphabet": "ucs2"}, "'alphabet'", id="unknown alphabet"),
        pytest.param({"long": "cut"}, "'long'", id="unknown way of long messages"),
        pytest.param({"ids": "hex"}, "'ids'", id="unknown way of ids"),
        pytest.param({"errors": "0x0B:lost"}, "'errors'", id="unknown course"),
        pytest.param({"validity": "48h"}, "'validity'", id="unknown validity"),
        pytest.param({"enquire_link": "-1"}, "'enquire_link'", id="negative time"),
        pytest.param({"hots": "x"}, "'hots'", id="an option that there is not"),
        pytest.param({"password": "secret123"}, "'password'", id="a password in the open"),
    ],
)
def test_wrong_options(given: dict[str, str], problem: str) -> None:
    with pytest.raises(WrongOption) as raised:
        registry.check("smpp", {**LEAST, **given})
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "secret123" not in str(raised.value)


@pytest.mark.parametrize("missing", ["host", "system_id"])
def test_missing_options(missing: str) -> None:
    with pytest.raises(WrongOption, match=missing):
        registry.check("smpp", {name: value for name, value in LEAST.items() if name != missing})


@pytest.mark.parametrize("name", [*SmppOptions.model_fields, "password"])
def test_every_option_is_on_the_page(name: str) -> None:
    field: Any = SmppOptions.model_fields.get(name)
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}`")]
    if field is not None:
        assert " ".join(field.description.split()).rstrip(".") in row.replace("\\|", "|")


@pytest.mark.parametrize("status", COURSES, ids=lambda status: status.name)
def test_every_status_is_on_the_page(status: CommandStatus) -> None:
    assert f"| 0x{status:02X} | `{status.name}` | {COURSES[status]} |" in PAGE


def test_other_statuses_are_on_the_page() -> None:
    assert f"| other |  | {OTHER} |" in PAGE
