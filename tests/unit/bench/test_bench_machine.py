"""What is said of the machine."""

from pathlib import Path

import pytest

from bench import machine


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        pytest.param("processor\t: 0\nmodel name\t: Some CPU\nprocessor\t: 1\n", "Some CPU", id="named"),
        pytest.param("processor\t: 0\nBogoMIPS\t: 50.00\n", machine.platform.machine(), id="unnamed"),
    ],
)
def test_cpu_model(cpuinfo: str, expected: str) -> None:
    assert machine.cpu_model(cpuinfo) == expected


def test_first_match_of_a_program_that_is_absent() -> None:
    assert machine.first_match(["no-such-program-here", "--version"], "(.*)") == "not installed"


def test_first_match() -> None:
    assert machine.first_match(["echo", "tool version `1.4.5'."], r"version `([^']+)'") == "1.4.5"


def test_package_version() -> None:
    assert machine.package_version("no-such-package-here") == "not installed"
    assert machine.package_version("pytest")[0].isdigit()


def test_description_is_whole(tmp_path: Path) -> None:
    facts = machine.describe(tmp_path)
    assert {"processor", "kernel", "disk", "python", "sqlite", "gunicorn", "gevent", "kannel", "wrk"} <= facts.keys()
    assert all(facts.values())
    assert list(tmp_path.iterdir()) == []
