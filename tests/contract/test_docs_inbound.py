"""docs/inbound.md says what the code does: its words and its times."""

import re
from pathlib import Path

from gateway import clock
from gateway.messaging.inbound import GAP
from gateway.messaging.optout import IN, OUT
from gateway.settings import Settings
from gateway.storage.queries.dispatch import arrivals, parts

PAGE = (Path(__file__).parents[2] / "docs" / "inbound.md").read_text("utf-8")


def test_the_words_are_those_in_force() -> None:
    rows = re.findall(r"^\| \w+ \(`(\w\w)`\) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(language, OUT[language], IN[language]) for language in OUT]


def test_the_times_are_those_in_force() -> None:
    assert parts.WAIT == 6 * clock.HOUR
    assert "missing after six hours" in PAGE
    assert GAP in PAGE
    assert arrivals.LIFE == 7 * clock.DAY
    assert "within seven days" in PAGE
    assert Settings().inbound_repeat_seconds == 60
    assert "within a minute (`inbound_repeat_seconds`)" in PAGE
    for name in ("optout_languages", "optout_words", "optin_words", "message_retention_days"):
        assert f"`{name}`" in PAGE
        assert name in Settings.model_fields
