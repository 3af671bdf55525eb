"""A carrier's ids, however it writes them in answers and in receipts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.carriers.smpp import ids
from gateway.carriers.smpp.ids import Auto, Ids, Named, Style, canonical

TO = "34600111222"

FORMS = [
    pytest.param("AbC123", "abc123", id="capitals"),
    pytest.param("0000123", "123", id="leading zeros"),
    pytest.param(" 12 \0", "12", id="padding"),
    pytest.param("1\x002", "12", id="a NUL within"),
    pytest.param("0", "0", id="nothing but a zero"),
    pytest.param("000", "0", id="nothing but zeros"),
    pytest.param("", "", id="empty"),
    pytest.param("550E8400-E29B-41D4-A716-446655440000", "550e8400-e29b-41d4-a716-446655440000", id="UUID"),
    pytest.param("x" * 80, "x" * 65, id="longer than any may be"),
]


@pytest.mark.parametrize(("text", "stored"), FORMS)
def test_canonical(text: str, stored: str) -> None:
    assert canonical(text) == stored


KNOWN: list[tuple[Style, str, str]] = [
    ("same", "abc", "ABC"),
    ("same", "0012", "12"),
    ("same", "12", "0000000012"),
    ("exact", "aB3", "aB3"),
    ("hex-decimal", "1E240", "123456"),
    ("hex-decimal", "1e240", "0000123456"),
    ("hex-decimal", "123456", "1193046"),
    ("hex-decimal", "not-hex", "not-hex"),
    ("decimal-hex", "123456", "1E240"),
    ("decimal-hex", "0000123456", "0001e240"),
    ("decimal-hex", "not-hex", "not-hex"),
]


@pytest.mark.parametrize(("style", "answer", "receipt"), KNOWN, ids=[" ".join(row) for row in KNOWN])
def test_known_styles(style: Style, answer: str, receipt: str) -> None:
    known = Ids(style)
    assert known.answered(answer, TO) == Named(known.reported(receipt, [TO]).ref)


def test_exact_tells_capitals_and_zeros_apart() -> None:
    exact = Ids("exact")
    refs = {exact.answered(text, TO).ref for text in ("aB", "Ab", "0aB")}
    assert len(refs) == 3


def _written(style: str, number: int) -> tuple[str, str]:
    """How a carrier of this style writes a number in its answer and in its receipt."""
    return {
        "same": (f"{number}", f"{number}"),
        "padded": (f"{number}", f"{number:010}"),
        "stripped": (f"{number:010}", f"{number}"),
        "upper": (f"{number:x}", f"{number:X}"),
        "hex-decimal": (f"{number:X}", f"{number}"),
        "hex-decimal padded": (f"{number:08x}", f"{number:010}"),
        "decimal-hex": (f"{number}", f"{number:x}"),
    }[style]


STYLES = ["same", "padded", "stripped", "upper", "hex-decimal", "hex-decimal padded", "decimal-hex"]


@pytest.mark.parametrize("early", [False, True], ids=["after the answer", "before the answer"])
@pytest.mark.parametrize("style", STYLES)
@given(numbers=st.lists(st.integers(1_000_000, 2**60), min_size=6, max_size=20, unique=True))
def test_auto_finds_the_segment_from_the_first_receipt_on(style: str, early: bool, numbers: list[int]) -> None:
    auto = Auto()
    for place, number in enumerate(numbers):
        answer, receipt = _written(style, number)
        destination = f"3460000{place:04}"
        if early:
            reported = auto.reported(receipt, [destination])
            stored = auto.answered(answer, destination)
            # What is in the strays under the receipt's first form is what the answer asks for.
            assert reported.ref in (stored.ref, *stored.others)
        else:
            stored = auto.answered(answer, destination)
            reported = auto.reported(receipt, [destination])
            assert stored.ref in (reported.ref, *reported.others)


@pytest.mark.parametrize(
    ("style", "learned"),
    [("same", "same"), ("padded", "same"), ("hex-decimal", "hex-decimal"), ("decimal-hex", "decimal-hex")],
)
@pytest.mark.parametrize("early", [False, True], ids=["after the answer", "before the answer"])
def test_auto_learns(style: str, learned: str, early: bool) -> None:
    told: list[str] = []
    auto = Auto(told.append)
    for number in range(ids.ENOUGH):
        answer, receipt = _written(style, 123_456 + number)
        assert told == []
        steps = [lambda: auto.answered(answer, TO), lambda: auto.reported(receipt, ["Shop", TO])]  # noqa: B023
        for step in reversed(steps) if early else steps:
            step()
    assert told == [learned]
    answer, receipt = _written(style, 7_654_321)
    assert auto.reported(receipt, []) == auto.answered(answer, "") == Named(canonical(answer))


def test_auto_does_not_learn_from_receipts_of_other_numbers() -> None:
    told: list[str] = []
    auto = Auto(told.append)
    for number in range(100):
        auto.answered(f"{1000 + number}", "34600000001")
        auto.reported(f"{1000 + number}", ["34600000002"])
    assert told == []


def test_auto_does_not_learn_what_is_contradicted() -> None:
    told: list[str] = []
    auto = Auto(told.append)
    for number in range(20):
        style = ("hex-decimal", "decimal-hex")[number % 2]
        answer, receipt = _written(style, 123_456 + number)
        auto.answered(answer, TO)
        auto.reported(receipt, [TO])
    assert told == []


def test_auto_takes_an_early_receipt_for_one_answer_alone() -> None:
    auto = Auto()
    auto.reported("26", [TO])
    assert auto.answered("1a", TO) == Named("1a", ("26",))
    assert auto.answered("26", TO) == Named("26")


def test_auto_of_an_id_that_can_be_only_itself() -> None:
    assert Auto().reported("Xyz-9", [TO]) == Named("xyz-9")
    assert Auto().reported("9" * 30, [TO]) == Named("9" * 30)
    assert Auto().reported("7", [TO]) == Named("7")


def test_auto_names_every_form_until_it_knows() -> None:
    assert Auto().reported("0123456", [TO]) == Named("123456", ("1e240", "1193046"))
    assert Auto().reported("1E240", [TO]) == Named("1e240", ("123456",))


def test_auto_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "REMEMBERED", 5)
    told: list[str] = []
    auto = Auto(told.append)
    for number in range(10):
        auto.answered(f"{1000 + number}", TO)
    for number in range(5):
        auto.reported(f"{1000 + number}", [TO])
    assert told == []
    for number in range(5, 10):
        auto.reported(f"{1000 + number}", [TO])
    assert told == ["same"]
