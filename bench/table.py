"""Figures with their targets, as a table on the terminal and in docs/benchmarks.md."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure is to reach: at least `least`, or at most `most`."""

    least: float | None = None
    most: float | None = None

    def text(self) -> str:
        """Give the target as a reader says it."""
        return f"≥ {number(self.least)}" if self.least is not None else f"≤ {number(self.most or 0)}"

    def verdict(self, value: float) -> str:
        """Say "met", or by how much not: the difference and its share of the target."""
        bound = self.least if self.least is not None else self.most or 0
        short = bound - value if self.least is not None else value - bound
        if short <= 0:
            return "met"
        share = f" ({short / bound:.0%})" if bound else ""
        return f"not met by {number(short)}{share}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: what was measured, in what unit, a value per column; `targets` are by the column's number."""

    label: str
    unit: str
    values: tuple[float | str | None, ...]
    targets: dict[int, Target] = field(default_factory=dict)

    def verdict(self, column: int) -> str:
        """Say how the value of a column stands to its target."""
        value = self.values[column]
        return self.targets[column].verdict(value) if isinstance(value, int | float) else "not measured"


@dataclass(slots=True)
class Section:
    """A table with its title, the columns' names, and what to know about how it was measured."""

    name: str
    title: str
    columns: list[str]
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def rows(self) -> list[list[str]]:
        """Give the table, its heading first."""
        return [["", *self.columns, "target", "met?"], *(self._cells(figure) for figure in self.figures)]

    def _cells(self, figure: Figure) -> list[str]:
        label = f"{figure.label}, {figure.unit}" if figure.unit else figure.label
        named = len(figure.targets) > 1  # which column a target is for is said only where there are several
        targets = [(f"{self.columns[at]} " if named else "", at, target) for at, target in figure.targets.items()]
        return [
            label,
            *map(cell, figure.values),
            "; ".join(f"{name}{target.text()}" for name, _, target in targets),
            "; ".join(f"{name}{figure.verdict(at)}" for name, at, _ in targets),
        ]


def number(value: float) -> str:
    """Write a figure with as many digits as mean something."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{digits}f}"


def cell(value: float | str | None) -> str:
    """Write one cell: a figure, a word, or a dash for what does not apply."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else number(value)


def ratio(ours: float | str | None, theirs: float | str | None) -> float | None:
    """Give ours as a multiple of theirs; None where one is missing."""
    if isinstance(ours, int | float) and isinstance(theirs, int | float) and theirs:
        return round(ours / theirs, 3)
    return None


def plain(section: Section) -> str:
    """Give the section for a terminal: aligned columns, notes below."""
    rows = section.rows()
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [section.title, ""]
    for row in rows:
        first = row[0].ljust(widths[0])
        lines.append(
            "  ".join([first, *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))])
        )
    return "\n".join([*(line.rstrip() for line in lines), *(f"  {note}" for note in section.notes)])


def markdown(section: Section, measured: str) -> str:
    """Give the section as it stands in the page; `measured` says when and on what."""
    heading, *rows = section.rows()
    aligned = [":--", *(["--:"] * len(section.columns)), "--:", ":--"]
    table = ["| " + " | ".join(row) + " |" for row in (heading, aligned, *rows)]
    notes = [f"- {note}" for note in section.notes]
    return "\n".join([f"### {section.title}", "", measured, "", *table, *([""] if notes else []), *notes])


def replace(page: str, name: str, content: str) -> str:
    """Put `content` between the page's markers of `name`; raise ValueError where it has none."""
    pattern = re.compile(rf"(<!-- bench:{re.escape(name)} -->\n).*?(<!-- /bench:{re.escape(name)} -->)", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no markers <!-- bench:{name} --> and <!-- /bench:{name} -->")
    return pattern.sub(lambda found: f"{found.group(1)}{content}\n{found.group(2)}", page)


def write(path: Path, sections: Iterable[Section], measured: str) -> None:
    """Put each section between its markers in the page at `path`."""
    page = path.read_text("utf-8")
    for section in sections:
        page = replace(page, section.name, markdown(section, measured))
    path.write_text(page, "utf-8")
