"""Words that stop and start, in every language, and only as a whole message."""

from collections.abc import Iterator
from typing import get_args

import pytest

from gateway.messaging.inbound import folded
from gateway.messaging.optout import IN, LANGUAGES, OUT, Wish, Words
from gateway.settings import Language, Settings

EVERY = Words()


def listed() -> Iterator[object]:
    for wish, lists in ((Wish.OUT, OUT), (Wish.IN, IN)):
        for language, words in lists.items():
            for word in words.split(", "):
                yield pytest.param(language, word, wish, id=f"{language} {word}")


@pytest.mark.parametrize(("language", "word", "wish"), list(listed()))
def test_every_word_of_every_language(language: str, word: str, wish: Wish) -> None:
    own = Words([language])
    for text in (word, word.upper(), word.capitalize(), f"  {word}.\n", f"¡{word}!", f"«{word}»"):
        assert own.wish(text) is wish
        assert EVERY.wish(text) is wish


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("STOP", Wish.OUT, id="STOP"),
        pytest.param("s t o p", None, id="spelt out"),
        pytest.param("Stop sending me the blue ones", None, id="a sentence"),
        pytest.param("please stop", None, id="a polite sentence"),
        pytest.param("nonstop", None, id="within a word"),
        pytest.param("STOP   ALL", Wish.OUT, id="two words"),
        pytest.param("Opt-Out", Wish.OUT, id="with a hyphen"),
        pytest.param("arret", Wish.OUT, id="without its accent"),
        pytest.param("ARRÊT", Wish.OUT, id="with its accent"),
        pytest.param("🛑STOP🛑", Wish.OUT, id="with emoji"),
        pytest.param("START", Wish.IN, id="START"),
        pytest.param("unstop", Wish.IN, id="unstop"),
        pytest.param("HELP", None, id="HELP"),
        pytest.param("yes", None, id="yes, which answers questions"),
        pytest.param("", None, id="nothing"),
        pytest.param("...", None, id="signs"),
    ],
)
def test_whole_messages(text: str, expected: Wish | None) -> None:
    assert EVERY.wish(text) is expected


def test_languages_and_words_are_settable() -> None:
    settings = Settings(optout_languages="en, nl", optout_words="Nein Danke,START", optin_words="ja bitte,nein danke")
    words = Words(settings.optout_languages, settings.optout_words, settings.optin_words)
    wishes = {text: words.wish(text) for text in ("afmelden", "parar", "nein danke", "Ja, bitte!", "start", "unstop")}
    assert wishes == {
        "afmelden": Wish.OUT,
        "parar": None,
        "nein danke": Wish.OUT,  # in both lists
        "Ja, bitte!": Wish.IN,
        "start": Wish.OUT,
        "unstop": Wish.IN,
    }


@pytest.mark.parametrize(
    "wrong", [{"optout_languages": "en,xx"}, {"optout_words": "!!"}, {"optin_words": "-"}], ids=str
)
def test_settings_that_cannot_be(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)


def test_an_unknown_language() -> None:
    with pytest.raises(ValueError, match="the language 'xx' has no words; there are ar, ca"):
        Words(["en", "xx"])


def test_languages_are_those_of_the_setting() -> None:
    assert set(get_args(Language)) == LANGUAGES == set(IN)


def test_no_word_both_stops_and_starts() -> None:
    """Also over languages, since all are in force together."""
    out, in_ = ({folded(word) for words in lists.values() for word in words.split(",")} for lists in (OUT, IN))
    assert not out & in_
    assert "" not in out | in_
