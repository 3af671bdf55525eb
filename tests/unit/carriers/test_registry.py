import re
from pathlib import Path

import pytest

from gateway.carriers import registry
from gateway.carriers.registry import UnknownKind, WrongOption
from gateway.carriers.simulator import Simulator
from gateway.storage.records import Carrier


def test_the_simulator_is_found() -> None:
    assert registry.kinds()["simulator"].build is not None


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"throughput": "0"}, "'throughput' of simulator carriers: Input should be greater than 0"),
        ({"throughput": "fast"}, "'throughput' of simulator carriers: Input should be a valid number"),
        ({"window": "0"}, "'window' of simulator carriers: Input should be greater than or equal to 1"),
        ({"doubt": "guess"}, "'doubt' of simulator carriers: Input should be 'resend' or 'hold'"),
        ({"latency": "-1"}, "'latency' of simulator carriers: Input should be greater than or equal to 0"),
        ({"journal": "none"}, "'journal' of simulator carriers: Input should be 'bounded' or 'keep'"),
        ({"colour": "blue"}, "'colour' of simulator carriers: there is no such option"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_option_is_named(options: dict[str, str], problem: str) -> None:
    with pytest.raises(WrongOption, match=re.escape(problem)):
        registry.check("simulator", options)


def test_a_wrong_value_is_not_shown() -> None:
    with pytest.raises(WrongOption) as raised:
        registry.check("simulator", {"window": "hunter2"})
    assert "hunter2" not in str(raised.value)


def test_options_come_as_text() -> None:
    options = registry.check("simulator", {"throughput": "2.5", "window": "7", "doubt": "hold"})
    assert (options.throughput, options.window, options.doubt) == (2.5, 7, "hold")


def test_an_unknown_kind_names_those_there_are() -> None:
    with pytest.raises(UnknownKind, match=r"'pigeon' is no kind of carrier: it is one of .*simulator"):
        registry.check("pigeon", {})


def test_an_adapter_is_built_from_its_record(tmp_path: Path) -> None:
    adapter = registry.build(Carrier(1, "sim", "simulator", {"window": "7"}), None, tmp_path)
    assert isinstance(adapter, Simulator)
    assert adapter.window == 7
    assert adapter.describe()["name"] == "sim"
