"""`trunkline group import`: all or nothing, unless told to skip, and every refused line is named."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection

from gateway.storage.database import Database
from gateway.storage.queries import contacts, groups
from tests.integration.cli.conftest import Trunkline

ANA = "ana@example.com"
Written = Callable[[str | bytes], str]


@pytest.fixture
def group(trunkline: Trunkline) -> str:
    """A group with the fields name and city; its id."""
    trunkline.account(ANA)
    made = trunkline.ok("group", "create", ANA, "Friends", "--fields", "name, city")
    assert made["fields"] == ["name", "city"]
    return str(made["id"])


def stored(database: Database, group: str) -> list[tuple[str, dict[str, str]]]:
    with database.read() as connection:
        return [(row.mobile, row.fields) for row in contacts.page(connection, 1, int(group), 0, 1000)]


FILES = [
    pytest.param("mobile\n+34600000001\n", [("+34600000001", {})], id="numbers alone"),
    pytest.param(
        "city,mobile,name\nRome,+34600000001,Ana\n",
        [("+34600000001", {"name": "Ana", "city": "Rome"})],
        id="any order",
    ),
    pytest.param(
        "mobile;name\r\n+34600000001;Ana\r\n", [("+34600000001", {"name": "Ana"})], id="semicolons and CRLF"
    ),
    pytest.param(
        "\ufeffmobile,name\n+34600000001,Ana", [("+34600000001", {"name": "Ana"})], id="mark and no last line end"
    ),
    pytest.param(
        'mobile,name\n+34600000001,"Ana, ""the\nbest"""\n\n0034600000002,\n600000003,Eve\n',
        [("+34600000001", {"name": 'Ana, "the\nbest"'}), ("+34600000002", {}), ("600000003", {"name": "Eve"})],
        id="quotes, blank lines and empty values",
    ),
    pytest.param("mobile,name\n", [], id="no contacts"),
]


@pytest.mark.parametrize(("content", "expected"), FILES)
@pytest.mark.parametrize("piped", [False, True], ids=["file", "standard input"])
def test_loads(
    trunkline: Trunkline,
    database: Database,
    group: str,
    written: Written,
    content: str,
    expected: list[tuple[str, dict[str, str]]],
    piped: bool,
) -> None:
    if piped:
        told = trunkline.ok("group", "import", group, "-", typed=content)
    else:
        told = trunkline.ok("group", "import", group, written(content))
    assert told == {"id": group, "loaded": len(expected), "refused": 0}
    assert stored(database, group) == expected
    assert [row["count"] for row in trunkline.ok("group", "list", ANA)] == [len(expected)]


BAD_LINES = [
    (b"abc,Ana", "The number 'abc' holds characters other than the digits 0 to 9."),
    (b",Ana", "it has no mobile"),
    (b"+34600000001", "it has 1 values, and the first line 2"),
    (b"+34600000001,Ana,Rome", "it has 3 values, and the first line 2"),
    (b"+999600000001,Ana", "The number '+999600000001' does not begin with a country calling code."),
    ("٣٤٦٠٠,Ana".encode(), "The number '٣٤٦٠٠' holds characters other than the digits 0 to 9."),
    (b"+34600000001,\xff", "it is not UTF-8 text at byte 14"),
    (b"+34600000001,a\0b", "it holds the character U+0000"),
    (b"+34600000001," + b"x" * 4000, "its values have more than 4000 characters together"),
    (b"+34600000001," + b"x" * 20_000, "it is longer than 16384 bytes"),
    (b'+34600000001,"Ana"x', "it is no CSV: ',' expected after '\"'"),
]
GOOD = [(f"+346000001{number:02}", {"name": f"n{number}"}) for number in range(len(BAD_LINES))]


def mixed() -> bytes:
    """Right and wrong lines in turns: the wrong ones are the file's lines 3, 5, 7, …"""
    lines = [b"mobile,name"]
    for (mobile, fields), (bad, _) in zip(GOOD, BAD_LINES, strict=True):
        lines += [f"{mobile},{fields['name']}".encode(), bad]
    return b"\n".join(lines) + b"\n"


def test_wrong_lines_are_named_and_nothing_is_loaded(
    trunkline: Trunkline, database: Database, group: str, written: Written
) -> None:
    file = written(mixed())
    result = trunkline.run("group", "import", group, file)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        *(f"line {number}: {reason}" for number, (_, reason) in zip(range(3, 99, 2), BAD_LINES, strict=False)),
        f"trunkline: nothing was loaded: {len(BAD_LINES)} lines of {file} cannot be; --skip-invalid loads the rest",
    ]
    assert stored(database, group) == []


def test_skip_invalid_loads_the_rest(trunkline: Trunkline, database: Database, group: str, written: Written) -> None:
    told = trunkline.ok("group", "import", group, written(mixed()), "--skip-invalid")
    assert told == {"id": group, "loaded": len(GOOD), "refused": len(BAD_LINES)}
    assert stored(database, group) == GOOD


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(b"", "the file's first line cannot be read: the file is empty", id="empty"),
        pytest.param(b"name,city\n", "the file's first line names no column 'mobile'", id="no mobile"),
        pytest.param(b"Mobile\n", "the file's first line names no column 'mobile'", id="case of mobile"),
        pytest.param(b"mobile,name,name\n", "the file's first line names 'name' twice", id="twice"),
        pytest.param(
            b"mobile,age,shoe\n", "the group has no field 'age', 'shoe'; its fields are: name, city", id="no field"
        ),
        pytest.param(
            b"mobile,\n", "the group has no field ''; its fields are: name, city", id="column without a name"
        ),
        pytest.param(
            b"\xff\xfem\0o\0", "the file's first line cannot be read: it is not UTF-8 text at byte 1", id="UTF-16"
        ),
        pytest.param(
            b"m" * 20_000, "the file's first line cannot be read: it is longer than 16384 bytes", id="no CSV at all"
        ),
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_header(trunkline: Trunkline, group: str, written: Written, content: bytes, line: str) -> None:
    for options in ((), ("--skip-invalid",)):
        assert trunkline.fails("group", "import", group, written(content), *options) == (2, f"trunkline: {line}")


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_file_that_cannot_be_read(trunkline: Trunkline, group: str, tmp_path: Any) -> None:
    for file, why in ((tmp_path / "none.csv", "No such file or directory"), (tmp_path, "Is a directory")):
        assert trunkline.fails("group", "import", group, str(file)) == (
            2,
            f"trunkline: the file {file} cannot be read: {why}",
        )


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_quote_that_never_ends_is_bounded_and_named(
    trunkline: Trunkline, database: Database, group: str, written: Written
) -> None:
    """The line it begins in is refused; what it swallowed before the limit is refused with it."""
    lines = "".join(f"+34600{number:06},Ana\n" for number in range(20_000))
    file = written(f'mobile,name\n+34600000001,Ana\n+34600000002,"Eve\n{lines}')
    result = trunkline.run("group", "import", group, file, "--skip-invalid")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0] == "line 3: it is no CSV: field larger than field limit (131072)"
    assert stored(database, group)[0] == ("+34600000001", {"name": "Ana"})


def test_large_file_in_transactions_of_a_thousand(
    trunkline: Trunkline, database: Database, group: str, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    add_many = contacts.add_many

    def counted(connection: Connection, account_id: int, group_id: int, rows: Any, now: int) -> int:
        sizes.append(len(rows))
        return add_many(connection, account_id, group_id, rows, now)

    monkeypatch.setattr(contacts, "add_many", counted)
    content = "mobile\n" + "".join(f"+34600{number:06}\n" for number in range(3_500))
    assert trunkline.ok("group", "import", group, written(content))["loaded"] == 3_500
    assert sizes == [1000, 1000, 1000, 500]
    with database.read() as connection:
        assert contacts.count(connection, 1, int(group)) == 3_500


def test_a_group_removed_meanwhile_ends_the_load(
    trunkline: Trunkline, database: Database, group: str, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "mobile\n" + "".join(f"+34600{number:06}\n" for number in range(1_500))
    add_many = contacts.add_many
    calls: list[int] = []

    def removed_after_the_first(connection: Connection, account_id: int, group_id: int, rows: Any, now: int) -> int:
        calls.append(len(rows))
        if len(calls) == 2:
            groups.remove(connection, account_id, group_id, now)
        return add_many(connection, account_id, group_id, rows, now)

    monkeypatch.setattr(contacts, "add_many", removed_after_the_first)
    assert trunkline.fails("group", "import", group, written(content)) == (
        1,
        f"trunkline: the group {group} was removed; 1000 contacts were loaded before",
    )


@contextmanager
def measured() -> Iterator[list[int]]:
    """The most bytes that Python objects took within the block."""
    import tracemalloc  # noqa: PLC0415

    peak: list[int] = []
    tracemalloc.start()
    try:
        yield peak
        peak.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_memory_does_not_grow_with_the_file(trunkline: Trunkline, group: str, written: Written) -> None:
    peaks = []
    for count in (2_000, 20_000):
        file = written("mobile,name\n" + "".join(f"+34600{number:06},Ana Maria\n" for number in range(count)))
        trunkline.ok("group", "import", group, written("mobile\n+34600000001\n"))
        with measured() as peak:
            trunkline.ok("group", "import", group, file)
        peaks += peak
    assert peaks[1] < peaks[0] * 1.5
