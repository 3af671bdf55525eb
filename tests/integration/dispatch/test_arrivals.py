"""What carriers deliver: whose it is, stored once, announced to SMPP customers, STOP heeded."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import clock
from gateway.messaging.inbound import clean
from gateway.messaging.optout import Words
from gateway.storage import versions
from gateway.storage.queries.dispatch import leases, purges
from gateway.storage.queries.dispatch.arrivals import Policy
from gateway.storage.queries.dispatch.leases import StaleLease
from tests.support.arrivals import ANA, NUMBER, Arrivals, again, arrived, pieces
from tests.support.dispatch import NOW, World

BOB = "34600000002"


@pytest.fixture
def desk(world: World) -> Arrivals:
    return Arrivals(world)


def test_a_message_is_stored_as_it_came(world: World, desk: Arrivals) -> None:
    desk.route(world.account)
    assert desk.give(arrived("Olá 😀", data_coding=8, esm_class=0, at=NOW - 5)) == 1
    (row,) = desk.stored()
    assert row.pop("id") > 0
    assert row == {
        "carrier_id": 1,
        "account_id": world.account,
        "source": ANA,
        "destination": NUMBER,
        "text": "Olá 😀",
        "data_coding": 8,
        "esm_class": 0,
        "payload": "Olá 😀".encode("utf-16-be"),
        "received_at": NOW - 5,
    }


# Accounts: 0 has the number, 1 the keyword pizza under it, 2 a number of its own, None is nobody.
@pytest.mark.parametrize(
    ("destination", "text", "expected"),
    [
        pytest.param(NUMBER, "Hello", 0, id="the number"),
        pytest.param(NUMBER, "", 0, id="no text"),
        pytest.param(NUMBER, "?!", 0, id="no word"),
        pytest.param(NUMBER, "PIZZA", 1, id="the keyword alone"),
        pytest.param(NUMBER, "Pizza, four of them", 1, id="the keyword first"),
        pytest.param(NUMBER, " «pizza»!", 1, id="the keyword in quotes"),
        pytest.param(NUMBER, "four pizza", 0, id="the keyword second"),
        pytest.param(NUMBER, "pizzas", 0, id="another word"),
        pytest.param(NUMBER, "Pízza", 1, id="with an accent"),
        pytest.param("+34911000000", "pizza", 2, id="a keyword of another number"),
        pytest.param("34911000000", "Hello", 2, id="international"),
        pytest.param("0034911000000", "Hello", 2, id="with two zeros"),
        pytest.param("911000000", "Hello", None, id="as nobody wrote it"),
        pytest.param("7374", "Café", 3, id="a keyword, the number is nobody's"),
        pytest.param("7374", "Hello", None, id="no keyword, the number is nobody's"),
        pytest.param("9", "Hello", None, id="a number of nobody"),
    ],
)
def test_whose_a_message_is(desk: Arrivals, destination: str, text: str, expected: int | None) -> None:
    accounts = [desk.account() for _ in range(4)]
    desk.route(accounts[0])
    desk.route(accounts[1], keyword="pizza")
    desk.route(accounts[2], "34911000000")
    desk.route(accounts[3], "7374", "cafe")
    desk.give(arrived(text, destination=destination))
    (row,) = desk.stored()
    assert row["account_id"] == (None if expected is None else accounts[expected])
    assert row["text"] == text


@pytest.mark.parametrize(
    ("source", "ton", "expected"),
    [
        ("600000001", 2, ANA),
        (ANA, 1, ANA),
        (f"+{ANA}", 0, ANA),
        ("BANK", 5, "BANK"),
        ("7", 3, "7"),
        ("A sender far too long to be kept", 5, "A sender far too long"),
    ],
)
def test_the_sender_is_read_in_the_accounts_country(desk: Arrivals, source: str, ton: int, expected: str) -> None:
    desk.route(desk.account("34"))
    desk.give(arrived(source=source, source_ton=ton))
    assert [row["source"] for row in desk.stored()] == [expected]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({}, 1, id="the same"),
        pytest.param({"at": NOW + clock.MINUTE - 1}, 1, id="within a minute"),
        pytest.param({"at": NOW + clock.MINUTE}, 2, id="a minute later"),
        pytest.param({"source": BOB}, 2, id="from another"),
        pytest.param({"destination": "7374"}, 2, id="to another"),
        pytest.param({"payload": b"other"}, 2, id="of another payload"),
        pytest.param({"data_coding": 8}, 2, id="of another coding"),
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["together", "apart"])
def test_what_a_carrier_sends_again_is_stored_once(
    desk: Arrivals, values: dict[str, Any], expected: int, together: bool
) -> None:
    first = arrived("Yes")
    second = again(first, **values)
    if together:
        desk.give(first, second, now=max(NOW, second.at))
    else:
        desk.give(first)
        desk.give(second, now=max(NOW, second.at))
    assert len(desk.stored()) == expected


def test_another_carrier_may_say_the_same(world: World, desk: Arrivals) -> None:
    desk.give(arrived("Yes"))
    desk.lease = world.lease(world.new_carrier("other"))
    desk.give(arrived("Yes"))
    assert [row["carrier_id"] for row in desk.stored()] == [1, desk.lease.carrier_id]


def test_repeats_can_be_let_pass(world: World) -> None:
    desk = Arrivals(world, Policy(repeat=0))
    desk.give(arrived("Yes"), arrived("Yes"))
    desk.give(arrived("Yes"))
    assert len(desk.stored()) == 3


@pytest.mark.parametrize(
    ("protocols", "values", "announced"),
    [
        pytest.param(None, {}, True, id="every protocol"),
        pytest.param('["http","smpp"]', {}, True, id="smpp among others"),
        pytest.param('["http","soap"]', {}, False, id="no smpp"),
        pytest.param(None, {"revoked_at": NOW}, False, id="revoked"),
    ],
)
def test_who_may_use_smpp_is_handed_it(
    world: World, desk: Arrivals, protocols: str | None, values: dict[str, Any], announced: bool
) -> None:
    desk.route(world.account)
    desk.access(world.account, protocols, **values)
    desk.give(arrived(), arrived(destination="nobody's"))
    assert [row["account_id"] for row in desk.stored()] == [world.account, None]
    rows = desk.announced()
    assert len(rows) == announced
    for row in rows:
        assert (row["kind"], row["account_id"], row["access_id"]) == ("inbound", world.account, 0)
        assert (row["message_id"], row["state"]) == (desk.stored()[0]["id"], None)
        assert (row["at"], row["due_at"], row["expires_at"], row["attempts"]) == (NOW, NOW, NOW + 7 * clock.DAY, 0)


ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=ANYTHING, source=ANYTHING, destination=ANYTHING, ton=st.none() | st.integers(0, 255), long=st.booleans())
def test_whatever_a_message_says_is_stored(
    desk: Arrivals, said: str, source: str, destination: str, ton: int | None, long: bool
) -> None:
    before = len(desk.stored())
    texts = [said, said] if long else [said]
    message = {"source": source, "source_ton": ton, "destination": destination}
    desk.policy = Policy(repeat=0)
    desk.give(*(pieces(texts, **message) if long else [arrived(said, **message)]))
    assert desk.texts()[before:] == [clean("".join(texts))]


def test_a_stale_owner_stores_nothing(world: World, desk: Arrivals) -> None:
    world.run(lambda connection: leases.release(connection, desk.lease))
    world.lease(owner="other")
    with pytest.raises(StaleLease):
        desk.give(arrived())
    assert desk.stored() == []


def test_what_was_kept_long_enough_is_removed(desk: Arrivals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purges, "STEP", 2)
    life = 400 * clock.DAY

    def purge(now: int) -> list[str]:
        for step in purges.steps(now, life, clock.DAY):
            while desk.world.run(step):
                pass
        return desk.texts()

    desk.give(*(arrived(text) for text in "abc"))
    desk.give(arrived("d"), now=NOW + clock.HOUR)
    assert purge(NOW + life) == ["a", "b", "c", "d"]
    assert purge(NOW + life + clock.MINUTE) == ["d"]


def version(world: World) -> int:
    with world.database.read() as connection:
        return versions.current(connection).config


class TestStop:
    """Accounts: 0 has the number, 1 the keyword pizza, 2 the keyword taxi under it, 3 another number."""

    @pytest.fixture
    def accounts(self, desk: Arrivals) -> list[int]:
        accounts = [desk.account() for _ in range(4)]
        desk.route(accounts[0])
        desk.route(accounts[1], keyword="pizza")
        desk.route(accounts[2], keyword="taxi")
        desk.route(accounts[3], "34911000000")
        return accounts

    @pytest.mark.parametrize(
        ("destination", "text", "expected"),
        [
            pytest.param(NUMBER, "STOP", {0, 1, 2}, id="all that are reached under the number"),
            pytest.param(NUMBER, " stop. ", {0, 1, 2}, id="signs and case"),
            pytest.param(NUMBER, "Baja", {0, 1, 2}, id="another language"),
            pytest.param(NUMBER, "Pizza STOP", {1}, id="keyword and word"),
            pytest.param(NUMBER, "stop pizza", {1}, id="word and keyword"),
            pytest.param(NUMBER, "stop all", {0, 1, 2}, id="two words"),
            pytest.param(NUMBER, "taxi stop all", {2}, id="keyword and two words"),
            pytest.param(NUMBER, "stop it", set(), id="a sentence"),
            pytest.param(NUMBER, "stop pizza now", set(), id="a sentence with a keyword"),
            pytest.param(NUMBER, "pizza", set(), id="a keyword"),
            pytest.param(NUMBER, "help", set(), id="help"),
            pytest.param(NUMBER, "start", set(), id="start"),
            pytest.param("34911000000", "stop", {3}, id="another number"),
            pytest.param("9", "stop", set(), id="a number of nobody"),
        ],
    )
    def test_who_is_stopped(
        self, desk: Arrivals, accounts: list[int], destination: str, text: str, expected: set[int]
    ) -> None:
        desk.give(arrived(text, destination=destination))
        assert desk.opted_out() == {(accounts[place], ANA) for place in expected}
        assert desk.texts() == [text]

    @pytest.mark.parametrize(
        ("text", "left"),
        [("START", set()), ("unstop", set()), ("pizza start", {0, 2}), ("start taxi", {0, 1}), ("hello", {0, 1, 2})],
    )
    def test_who_is_started(self, desk: Arrivals, accounts: list[int], text: str, left: set[int]) -> None:
        desk.give(arrived("stop"), arrived("stop", source=BOB))
        desk.give(arrived(text))
        assert desk.opted_out() == {(accounts[place], ANA) for place in left} | {
            (accounts[place], BOB) for place in range(3)
        }

    @pytest.mark.parametrize(
        ("texts", "stopped"),
        [
            (["stop", "start"], False),
            (["start", "stop"], True),
            (["stop", "start", "baja"], True),
            # The third may be the first, sent again by the carrier, or meant: in doubt nobody is sent anything.
            (["stop", "start", "stop"], True),
            (["start", "stop", "start"], True),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("together", [True, False], ids=["together", "apart"])
    def test_the_last_word_counts(
        self, desk: Arrivals, accounts: list[int], texts: list[str], stopped: bool, together: bool
    ) -> None:
        messages = [arrived(text, at=NOW + number) for number, text in enumerate(texts)]
        if together:
            desk.give(*messages)
        else:
            for message in messages:
                desk.give(message)
        assert ((accounts[0], ANA) in desk.opted_out()) is stopped

    def test_senders_without_a_number_cannot_be_sent_to(self, desk: Arrivals, accounts: list[int]) -> None:
        desk.give(arrived("stop", source="BANK", source_ton=5))
        assert desk.opted_out() == set()
        assert len(accounts) == 4

    def test_the_list_has_the_number_that_the_account_would_send_to(self, desk: Arrivals) -> None:
        spain, britain = desk.account("34"), desk.account("44")
        desk.route(spain)
        desk.route(britain, keyword="taxi")
        desk.give(arrived("stop", source="600000001", source_ton=2))
        assert (spain, ANA) in desk.opted_out()
        assert (britain, ANA) not in desk.opted_out()

    def test_only_the_first_and_the_last_of_an_account_move_the_version(
        self, world: World, desk: Arrivals, accounts: list[int]
    ) -> None:
        seen = [version(world)]
        for source, text in ((ANA, "taxi stop"), (BOB, "taxi stop"), (ANA, "taxi start"), (BOB, "taxi start")):
            desk.give(arrived(text, source=source))
            seen.append(version(world))
        assert [after - before for before, after in pairwise(seen)] == [1, 0, 0, 1]
        assert desk.opted_out() == set()
        assert len(accounts) == 4

    def test_words_are_those_of_the_settings(self, world: World) -> None:
        desk = Arrivals(world, Policy(Words(["nl"], ["nein danke"])))
        desk.route(world.account)
        for source, text in ((ANA, "baja"), (BOB, "Nein, danke")):
            desk.give(arrived(text, source=source))
        assert desk.opted_out() == {(world.account, BOB)}

    def test_in_parts(self, desk: Arrivals, accounts: list[int]) -> None:
        desk.give(*pieces(["ST", "OP"]))
        assert desk.opted_out() == {(accounts[place], ANA) for place in range(3)}
