"""A carrier's ids of segments, which its receipts often write otherwise than its answers.

What is stored of a segment is the id of the answer in one form: without leading zeros and in small letters. A
receipt's id is brought to that form, and where receipts are decimal and answers hexadecimal, or the other way
round, converted.

Which of these a carrier does is not told by one id: 123456 may be itself, 1e240 or 1193046. `Auto` compares
receipts with the answers to segments to the same number; when three tell the same and none contradicts, it
converts each as those. Until then a receipt names its segment in every form, and storage takes the one that there
is.
"""

from collections.abc import Callable, Collection
from typing import Literal, NamedTuple, TypeVar

Style = Literal["same", "exact", "hex-decimal", "decimal-hex"]

_Value = TypeVar("_Value")

LONGEST = 65
"""Most characters of an id (SMPP 3.4, 5.2.23, with the final zero); no longer one is stored."""

ENOUGH = 3
"""So many receipts that agree tell how a carrier writes ids."""

REMEMBERED = 10_000
"""Answers, and receipts without one, that are remembered to learn from."""

TAIL = 6
"""Last digits by which a number is known however a carrier writes its front."""

_DECIMAL = frozenset("0123456789")
_HEX = frozenset("0123456789abcdef")
# A number that is longer is no number that somebody counted.
_MOST_DIGITS = 20


def canonical(text: str) -> str:
    """An answer's id as it is stored: without white space around it, NULs, leading zeros and capitals."""
    text = text.replace("\0", "").strip().lower()
    return (text.lstrip("0") or text[:1])[:LONGEST]


class Named(NamedTuple):
    """How a segment is named: by `ref`, or if there is none such, by the first of `others` that there is."""

    ref: str
    others: tuple[str, ...] = ()


class Ids:
    """A carrier whose way of writing ids is known."""

    def __init__(self, style: Style) -> None:
        self._store, self._read = _STYLES[style]

    def answered(self, text: str, destination: str) -> Named:
        """Under what a segment to `destination` is stored whose answer has this id.

        `others` is under what its receipt may have come already.
        """
        return Named(self._store(text))

    def reported(self, text: str, numbers: Collection[str]) -> Named:
        """What a receipt's id stands for; `numbers` are the receipt's own, one of which the message was to."""
        return Named(self._read(text))


class Auto(Ids):
    """A carrier whose way is found out; `learned` is told when it is."""

    def __init__(self, learned: Callable[[Style], None] = lambda style: None) -> None:
        super().__init__("same")
        self._learned = learned
        self._known = False
        self._votes: dict[Style, int] = {}
        self._answers: dict[str, str] = {}
        self._early: dict[str, frozenset[str]] = {}

    def answered(self, text: str, destination: str) -> Named:
        ref = canonical(text)
        if self._known:
            return Named(ref)
        tail = destination[-TAIL:]
        _remember(self._answers, ref, tail)
        agreeing = [(style, form) for style, form in _reports(ref) if tail in self._early.get(form, ())]
        if len(agreeing) != 1:
            return Named(ref)
        style, form = agreeing[0]
        del self._early[form]
        self._vote(style)
        return Named(ref, () if form == ref else (form,))

    def reported(self, text: str, numbers: Collection[str]) -> Named:
        if self._known:
            return super().reported(text, numbers)
        forms = _answers(canonical(text))
        ref = forms[0][1]
        if len(forms) == 1:
            return Named(ref)
        tails = frozenset(number[-TAIL:] for number in numbers)
        agreeing = [style for style, form in forms if self._answers.get(form) in tails]
        if len(agreeing) == 1:
            self._vote(agreeing[0])
        elif not agreeing:
            _remember(self._early, ref, tails)
        return Named(ref, tuple(form for _, form in forms[1:]))

    def _vote(self, style: Style) -> None:
        self._votes[style] = self._votes.get(style, 0) + 1
        if len(self._votes) > 1:
            # They contradict each other: one of them was chance.
            self._votes.clear()
        elif self._votes[style] >= ENOUGH:
            self._known = True
            self._read = _STYLES[style][1]
            self._answers.clear()
            self._early.clear()
            self._learned(style)


def _remember(memory: dict[str, _Value], key: str, value: _Value) -> None:
    memory[key] = value
    if len(memory) > REMEMBERED:
        del memory[next(iter(memory))]


def _answers(report: str) -> list[tuple[Style, str]]:
    """The answers that a receipt's id may stand for; the first is the id itself."""
    forms: list[tuple[Style, str]] = [("same", report)]
    if _is(report, _DECIMAL):
        forms.append(("hex-decimal", f"{int(report):x}"))
    if _is(report, _HEX):
        forms.append(("decimal-hex", str(int(report, 16))))
    return [forms[0], *(form for form in forms[1:] if form[1] != report)]


def _reports(answer: str) -> list[tuple[Style, str]]:
    """How receipts may write an answer's id; the first is the id itself."""
    return [(_MIRRORED[style], form) for style, form in _answers(answer)]


def _is(text: str, digits: frozenset[str]) -> bool:
    return 0 < len(text) <= _MOST_DIGITS and digits.issuperset(text)


def _decimal_read(text: str) -> str:
    """A decimal id of a receipt as the hexadecimal answer; as it is where it is none."""
    ref = canonical(text)
    return f"{int(ref):x}" if _is(ref, _DECIMAL) else ref


def _hex_read(text: str) -> str:
    ref = canonical(text)
    return str(int(ref, 16)) if _is(ref, _HEX) else ref


def _exact(text: str) -> str:
    return text.replace("\0", "")[:LONGEST]


_MIRRORED: dict[Style, Style] = {"same": "same", "hex-decimal": "decimal-hex", "decimal-hex": "hex-decimal"}

_STYLES: dict[Style, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "same": (canonical, canonical),
    "exact": (_exact, _exact),
    "hex-decimal": (canonical, _decimal_read),
    "decimal-hex": (canonical, _hex_read),
}
