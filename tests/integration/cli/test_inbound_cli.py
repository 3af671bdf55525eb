"""`trunkline inbound` and `optout`: numbers of accounts, what came in, who wants no more."""

import pytest

from gateway.storage.database import Database
from tests.integration.cli.conftest import Trunkline
from tests.support.arrivals import ANA as MOBILE
from tests.support.arrivals import NUMBER, Arrivals, arrived
from tests.support.dispatch import World

ANA, BOB = "ana@example.com", "bob@example.com"


@pytest.fixture
def two(trunkline: Trunkline) -> Trunkline:
    trunkline.account(ANA, "--country", "34")
    trunkline.account(BOB)
    return trunkline


def test_numbers_and_keywords(two: Trunkline) -> None:
    added = two.ok("inbound", "add", "+34911000000", ANA)
    assert added == {"id": added["id"], "number": "34911000000", "keyword": None, "account": ANA}
    two.ok("inbound", "add", NUMBER, BOB, "--keyword", "Café!")
    two.ok("inbound", "add", NUMBER, ANA)
    assert [(row["number"], row["keyword"], row["account"]) for row in two.ok("inbound", "list")] == [
        ("34911000000", None, ANA),
        (NUMBER, None, ANA),
        (NUMBER, "cafe", BOB),
    ]
    assert two.ok("inbound", "remove", NUMBER, "--keyword", "CAFE") == {"number": NUMBER, "keyword": "cafe"}
    assert two.ok("inbound", "remove", "0034911000000") == {"number": "34911000000", "keyword": None}
    assert [row["number"] for row in two.ok("inbound", "list")] == [NUMBER]
    assert two.run("inbound", "add", "1", BOB, "--keyword", "a").stdout == (
        f"Messages to 1 with the keyword a now go to {BOB}.\n"
    )


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("add", NUMBER, BOB), f"The number {NUMBER} is {ANA}'s already."),
        (("add", NUMBER, BOB, "--keyword", "Pizza"), f"The keyword pizza of {NUMBER} is {ANA}'s already."),
        (("add", "1", "nobody@example.com"), "there is no account nobody@example.com"),
        (("add", "Shop", ANA), "'Shop' is no number"),
        (("add", "1" * 16, ANA), "is no number"),
        (("add", "1", ANA, "--keyword", "two words"), "'two words' is no keyword"),
        (("add", "1", ANA, "--keyword", "!"), "'!' is no keyword"),
        (("add", "1", ANA, "--keyword", "k" * 41), "is no keyword"),
        (("remove", "1"), "nobody has 1"),
        (("remove", NUMBER, "--keyword", "taxi"), f"nobody has {NUMBER} with the keyword taxi"),
        (("messages", "--account", ANA, "--unmatched"), "exclude each other"),
        (("messages", "--account", "nobody@example.com"), "there is no account nobody@example.com"),
    ],
    ids=str,
)
def test_what_cannot_be(two: Trunkline, arguments: tuple[str, ...], line: str) -> None:
    two.ok("inbound", "add", NUMBER, ANA)
    two.ok("inbound", "add", NUMBER, ANA, "--keyword", "pizza")
    code, said = two.fails("inbound", *arguments)
    assert code == 2
    assert line in said


def test_what_came_in(two: Trunkline, database: Database) -> None:
    two.ok("inbound", "add", NUMBER, ANA)
    two.ok("inbound", "add", NUMBER, BOB, "--keyword", "pizza")
    desk = Arrivals(World(database))
    for text, destination in (("Hi\x1b[31m", NUMBER), ("Pizza", NUMBER), ("Who are you?", "9")):
        desk.give(arrived(text, destination=destination))
    rows = two.ok("inbound", "messages")
    assert rows[1] == {
        "id": rows[1]["id"],
        "received": "2027-01-15T08:00:00Z",
        "carrier": "simulator",
        "from": MOBILE,
        "to": NUMBER,
        "account": BOB,
        "text": "Pizza",
    }
    assert [row["account"] for row in rows] == [None, BOB, ANA]

    def texts(*arguments: str) -> list[str]:
        return [row["text"] for row in two.ok("inbound", "messages", *arguments)]

    assert texts("--unmatched") == ["Who are you?"]
    assert texts("--account", ANA) == ["Hi\x1b[31m"]
    assert texts("--limit", "1") == ["Who are you?"]
    assert texts("--before", rows[1]["id"]) == ["Hi\x1b[31m"]
    assert "\x1b" not in two.run("inbound", "messages").stdout


def test_opt_outs(two: Trunkline) -> None:
    assert two.ok("optout", "add", ANA, "600000001") == {"account": ANA, "number": MOBILE}
    two.ok("optout", "add", ANA, MOBILE)
    two.ok("optout", "add", BOB, "+34600000002")
    (row,) = two.ok("optout", "list", ANA)
    assert row == {"number": MOBILE, "added": row["added"]}
    assert [row["number"] for row in two.ok("optout", "list", BOB)] == ["34600000002"]
    assert two.ok("optout", "remove", ANA, "+34600000001") == {"account": ANA, "number": MOBILE}
    assert two.ok("optout", "list", ANA) == []
    assert two.fails("optout", "remove", ANA, MOBILE) == (2, f"trunkline: {MOBILE} is not on the list of {ANA}")
    code, line = two.fails("optout", "add", BOB, "600000001")
    assert (code, "'600000001'" in line) == (2, True)
    assert two.fails("optout", "list", "nobody@example.com")[0] == 2
