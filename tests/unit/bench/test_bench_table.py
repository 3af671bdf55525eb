"""Tables: targets, figures, and the page they are put into."""

from pathlib import Path

import pytest

from bench import __main__ as command
from bench import table
from bench.table import Figure, Section, Target


@pytest.mark.parametrize(
    ("target", "value", "text", "verdict"),
    [
        pytest.param(Target(least=4000), 4000, "≥ 4,000", "met", id="just enough"),
        pytest.param(Target(least=4000), 3000, "≥ 4,000", "not met by 1,000 (25%)", id="too slow"),
        pytest.param(Target(most=0.45), 0.45, "≤ 0.450", "met", id="just within"),
        pytest.param(Target(most=0.45), 0.9, "≤ 0.450", "not met by 0.450 (100%)", id="too dear"),
        pytest.param(Target(most=0), 1, "≤ 0", "not met by 1", id="no share of nothing"),
    ],
)
def test_target(target: Target, value: float, text: str, verdict: str) -> None:
    assert (target.text(), target.verdict(value)) == (text, verdict)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (5800, "5,800"),
        (5812.7, "5,813"),
        (41.26, "41.3"),
        (1.234, "1.23"),
        (0.2812, "0.281"),
        (-3.5, "-3.50"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert table.number(value) == text


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [(5000, 10000, 0.5), (5000, None, None), (5000, "left out", None), (5000, 0, None)],
)
def test_ratio(ours: float, theirs: float | str | None, expected: float | None) -> None:
    assert table.ratio(ours, theirs) == expected


def section() -> Section:
    figures = [
        Figure("accepted", "messages/s", (5000.0, 2000.0, None), {0: Target(least=4000), 1: Target(least=2500)}),
        Figure("memory", "MiB", (210.0, 250.0, "left out"), {0: Target(most=200)}),
        Figure("seen", "", (1, 2, 3)),
    ]
    return Section("accept", "Accepting", ["SQLite", "PostgreSQL", "Kannel"], figures, ["A note."])


def test_markdown() -> None:
    assert table.markdown(section(), "Measured today.") == (
        "### Accepting\n"
        "\n"
        "Measured today.\n"
        "\n"
        "|  | SQLite | PostgreSQL | Kannel | target | met? |\n"
        "| :-- | --: | --: | --: | --: | :-- |\n"
        "| accepted, messages/s | 5,000 | 2,000 | - | SQLite ≥ 4,000; PostgreSQL ≥ 2,500 "
        "| SQLite met; PostgreSQL not met by 500 (20%) |\n"
        "| memory, MiB | 210 | 250 | left out | ≤ 200 | not met by 10 (5%) |\n"
        "| seen | 1 | 2 | 3 |  |  |\n"
        "\n"
        "- A note."
    )


def test_plain_is_aligned() -> None:
    lines = table.plain(section()).splitlines()
    assert lines[0] == "Accepting"
    at = lines[2].index("SQLite") + len("SQLite")
    assert [line[:at].split()[-1] for line in lines[3:6]] == ["5,000", "210", "1"]
    assert lines[-1] == "  A note."


def test_figure_without_a_value_is_not_measured() -> None:
    figure = Figure("x", "s", (None,), {0: Target(most=1)})
    assert figure.verdict(0) == "not measured"


PAGE = "# B\n<!-- bench:one -->\nold\n<!-- /bench:one -->\nbetween\n<!-- bench:two -->\n<!-- /bench:two -->\n"


def test_replace_touches_its_own_place_only() -> None:
    page = table.replace(PAGE, "one", r"new \1")
    assert page == PAGE.replace("old", r"new \1")
    assert table.replace(table.replace(page, "two", "x"), "two", "").count("<!-- /bench:two -->") == 1


def test_replace_without_markers_is_an_error() -> None:
    with pytest.raises(ValueError, match="bench:three"):
        table.replace(PAGE, "three", "x")


def test_write(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- bench:accept -->\n<!-- /bench:accept -->\n")
    table.write(page, [section()], "Measured today.")
    text = page.read_text()
    assert text.startswith("<!-- bench:accept -->\n### Accepting\n")
    assert text.endswith("- A note.\n<!-- /bench:accept -->\n")


def test_the_page_has_a_place_for_every_section() -> None:
    text = command.PAGE.read_text("utf-8")
    for name in command.SECTIONS:
        table.replace(text, name, "")
