"""Bad input to every sms operation, each case with its exact reply: nothing is stored, nothing charged."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from gateway import clock
from gateway.storage.database import Database
from gateway.storage.queries import templates
from gateway.storage.schema import batch, message
from tests.integration.operations.copies import copied
from tests.support.pipeline import Customer, Installation, installed, plain

MADRID = ZoneInfo("Europe/Madrid")


@dataclass(slots=True)
class Shop:
    """Two accounts with a template and a group each, and what a good call of each method is."""

    installation: Installation
    ana: Customer
    good: dict[str, dict[str, str]]
    values: dict[str, str]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Shared by the module's cases, since none of them changes anything."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("shop")
        database = Database.open(stack.enter_context(copied(request, request.param, folder)))
        stack.callback(database.close)
        installation = stack.enter_context(installed(database, folder))
        ana, bob = installation.customer(), installation.customer()
        template, group = ana.template("Hi <name>"), ana.group(("34600000001", {"name": "Ana"}), fields=("name",))
        deleted = ana.template("x")
        with database.transaction() as connection:
            templates.remove(connection, ana.account_id, int(deleted))
        values = {"deleted": deleted, "theirs": bob.template("x"), "their group": bob.group("34600000001")}
        yield Shop(installation, ana, good_calls(template, group), values)


def good_calls(template: str, group: str) -> dict[str, dict[str, str]]:
    return {
        "sendsms": {"from": "Shop", "to": "34600000001", "sms": "hello"},
        "sendsmsfromtemplate": {"to": "34600000001", "idtemplate": template, "params": "name:Ana"},
        "sendsmstogroup": {"from": "Shop", "countrycode": "34", "idgroup": group, "sms": "hello"},
        "sendsmstogroupfromtemplate": {"countrycode": "34", "idgroup": group, "idtemplate": template},
        "getdeliverystatus": {"messages": "1"},
    }


def refused(shop: Shop, name: str, parameters: dict[str, str]) -> tuple[str | None, str | None]:
    """The code and detail of a call, after which everything must be as it was."""
    before = counted(shop)
    reply = shop.ana.call(name, parameters)
    assert reply.error is not None, plain(reply.result)
    assert counted(shop) == before
    return reply.error.value, reply.detail


def counted(shop: Shop) -> tuple[int, int, int]:
    with shop.installation.database.read() as connection:
        rows = [connection.scalar(select(func.count()).select_from(table)) or 0 for table in (message, batch)]
    return rows[0], rows[1], shop.ana.balance


COMPULSORY = {
    "sendsms": ["from", "to", "sms"],
    "sendsmsfromtemplate": ["to", "idtemplate"],
    "sendsmstogroup": ["from", "countrycode", "idgroup", "sms"],
    "sendsmstogroupfromtemplate": ["countrycode", "idgroup", "idtemplate"],
    "getdeliverystatus": ["messages"],
}
EACH = [
    pytest.param(method, parameter, id=f"{method}-{parameter}")
    for method, names in COMPULSORY.items()
    for parameter in names
]


@pytest.mark.parametrize("given", [pytest.param({}, id="missing"), pytest.param({"": ""}, id="empty")])
@pytest.mark.parametrize(("method", "parameter"), EACH)
def test_a_compulsory_parameter_that_is_not_given(
    shop: Shop, method: str, parameter: str, given: dict[str, str]
) -> None:
    parameters = {name: value for name, value in shop.good[method].items() if name != parameter}
    parameters |= dict.fromkeys([parameter] if given else [], "")
    expected = f"{parameter}: compulsory for sms.{method} and not given."
    assert refused(shop, f"sms.{method}", parameters) == ("MISSING_COMPULSORY_PARAM", expected)


@pytest.mark.parametrize("method", COMPULSORY)
def test_all_missing_parameters_are_named(shop: Shop, method: str) -> None:
    expected = f"{', '.join(COMPULSORY[method])}: compulsory for sms.{method} and not given."
    assert refused(shop, f"sms.{method}", {"output": "json"}) == ("MISSING_COMPULSORY_PARAM", expected)


@pytest.mark.parametrize(
    ("name", "code", "detail"),
    [
        pytest.param(
            "smss.sendsms",
            "INCORRECT_CLASS",
            "class: There is none of this name, only group, optout, sms, template, user.",
            id="class",
        ),
        pytest.param(
            "sms.getbalance",
            "INCORRECT_METHOD",
            "method: The class sms has getdeliverystatus, getinbound, sendsms, sendsmsfromtemplate, sendsmstogroup,"
            " sendsmstogroupfromtemplate.",
            id="method-of-another-class",
        ),
        pytest.param("user.x", "INCORRECT_METHOD", "method: The class user has getbalance.", id="method"),
    ],
)
def test_what_does_not_exist(shop: Shop, name: str, code: str, detail: str) -> None:
    assert refused(shop, name, shop.good["sendsms"]) == (code, detail)


NOT_TEMPLATE = ("NOT_ACCESS_TO_TEMPLATE", "idtemplate: This account has no SMS template of this id.")
NOT_GROUP = ("NOT_ACCESS_TO_GROUP", "idgroup: This account has no group of this id.")


def incorrect(detail: str) -> tuple[str, str]:
    return "INCORRECT_PARAM", detail


INCORRECT = [
    ("to-letter", "sendsms", "to", "60000000a",
     "The number '60000000a' holds characters other than the digits 0 to 9."),
    ("to-arabic-digits", "sendsms", "to", "٣٤٦٠٠٠٠٠٠٠٠١",
     "The number '٣٤٦٠٠٠٠٠٠٠٠١' holds characters other than the digits 0 to 9."),
    ("to-space-inside", "sendsms", "to", "34 600000001",
     "The number '34 600000001' holds characters other than the digits 0 to 9."),
    ("to-two-plus", "sendsms", "to", "++34600000001",
     "The number '++34600000001' holds characters other than the digits 0 to 9."),
    ("to-negative", "sendsms", "to", "-34600000001",
     "The number '-34600000001' holds characters other than the digits 0 to 9."),
    ("to-nul", "sendsms", "to", "34600000001\0",
     "holds the character U+0000 at position 12."),
    ("to-blank", "sendsms", "to", "   ",
     "The number is empty."),
    ("to-one-digit", "sendsms", "to", "3",
     "The number '3' is possible neither internationally nor in country 34."),
    ("to-16-digits", "sendsms", "to", "3" * 16,
     "The number '3333333333333333' has more than 15 digits."),
    ("to-5000-digits", "sendsms", "to", "3" * 5000,
     "has 5000 characters, and 4000 is the most."),
    ("to-no-country", "sendsms", "to", "+999600000001",
     "The number '+999600000001' does not begin with a country calling code."),
    ("to-in-template", "sendsmsfromtemplate", "to", "x",
     "The number 'x' holds characters other than the digits 0 to 9."),
    ("from-12-characters", "sendsms", "from", "ABCDEFGHIJKL",
     "The sender 'ABCDEFGHIJKL' is too long: up to 11 characters, or 15 digits."),
    ("from-extension-counts-twice", "sendsms", "from", "ABCDEFGHIJ€",
     "The sender 'ABCDEFGHIJ€' is too long: up to 11 characters, or 15 digits."),
    ("from-16-digits", "sendsms", "from", "1" * 16,
     "The sender '1111111111111111' has more than 15 digits."),
    ("from-cyrillic", "sendsms", "from", "Жук",
     "The sender 'Жук' holds characters that a sender cannot have."),
    ("from-two-lines", "sendsms", "from", "a\nb",
     "The sender 'a\\nb' holds characters that a sender cannot have."),
    ("from-blank", "sendsms", "from", " ",
     "The sender is empty."),
    ("from-in-template", "sendsmsfromtemplate", "from", "ABCDEFGHIJKL",
     "The sender 'ABCDEFGHIJKL' is too long: up to 11 characters, or 15 digits."),
    ("from-in-group", "sendsmstogroup", "from", "Жук",
     "The sender 'Жук' holds characters that a sender cannot have."),
    ("date-30-february", "sendsms", "scheduledatetime", "2026-02-30 10:00:00",
     "The date '2026-02-30 10:00:00' does not exist."),
    ("date-word", "sendsms", "scheduledatetime", "tomorrow",
     "The date 'tomorrow' is not of the form yyyy-mm-dd hh:mm:ss."),
    ("date-arabic-digits", "sendsms", "scheduledatetime", "٢٠٢٧-01-01 10:00:00",
     "The date '٢٠٢٧-01-01 10:00:00' is not of the form yyyy-mm-dd hh:mm:ss."),
    ("date-far-past", "sendsms", "scheduledatetime", "2020-01-01 10:00:00",
     "The date '2020-01-01 10:00:00' is past."),
    ("date-far-ahead", "sendsms", "scheduledatetime", "2999-01-01 10:00:00",
     "The date '2999-01-01 10:00:00' is over a year ahead."),
    ("date-year-0", "sendsmstogroup", "scheduledatetime", "0000-01-01 00:00:00",
     "The date '0000-01-01 00:00:00' does not exist."),
    ("sms-eleven-segments", "sendsms", "sms", "x" * 1531,
     "The text takes 11 segments and 10 is the most."),
    ("sms-eleven-ucs2-segments", "sendsms", "sms", "ж" * 671,
     "The text takes 11 segments and 10 is the most."),
    ("sms-4001-characters", "sendsms", "sms", "x" * 4001,
     "has 4001 characters, and 4000 is the most."),
    ("sms-nul", "sendsms", "sms", "a\0b",
     "holds the character U+0000 at position 2."),
    ("sms-lone-surrogate", "sendsms", "sms", "a\ud83d",
     "holds half a surrogate pair (U+D83D) at position 2."),
    ("sms-to-group-too-long", "sendsmstogroup", "sms", "x" * 1531,
     "The text takes 11 segments and 10 is the most."),
    ("template-negative", "sendsmsfromtemplate", "idtemplate", "-1",
     "must be an id in digits, as gettemplates gives it, not '-1'."),
    ("template-word", "sendsmsfromtemplate", "idtemplate", "abc",
     "must be an id in digits, as gettemplates gives it, not 'abc'."),
    ("template-fraction", "sendsmsfromtemplate", "idtemplate", "1.0",
     "must be an id in digits, as gettemplates gives it, not '1.0'."),
    ("group-negative", "sendsmstogroup", "idgroup", "-1",
     "must be an id in digits, as getgroups gives it, not '-1'."),
    ("country-unknown", "sendsmstogroup", "countrycode", "999",
     "'999' is no country: give a calling code such as 34 or a two-letter code such as ES."),
    ("country-negative", "sendsmstogroup", "countrycode", "-34",
     "'-34' is no country: give a calling code such as 34 or a two-letter code such as ES."),
    ("params-no-colon", "sendsmsfromtemplate", "params", "name",
     "Pair 1 ('name') has no colon between name and value."),
    ("params-no-name", "sendsmsfromtemplate", "params", ":x",
     "Pair 1 (':x') has no name before its colon."),
    ("params-two-values", "sendsmsfromtemplate", "params", "name:Ana,name:Bob",
     "Pair 2 gives 'name' a second value."),
    ("params-value-missing", "sendsmsfromtemplate", "params", "other:x",
     "The placeholder <name> has no value."),
    ("params-none", "sendsmsfromtemplate", "params", "",
     "The placeholder <name> has no value."),
    ("messages-word", "getdeliverystatus", "messages", "abc",
     "must be an id in digits, as sendsms gives it, not 'abc'."),
    ("messages-negative", "getdeliverystatus", "messages", "1,-1",
     "must be an id in digits, as sendsms gives it, not '-1'."),
    ("messages-arabic-digits", "getdeliverystatus", "messages", "٣",
     "must be an id in digits, as sendsms gives it, not '٣'."),
    ("messages-empty-between", "getdeliverystatus", "messages", "1,,2",
     "must be an id in digits, as sendsms gives it, not ''."),
    ("messages-10001", "getdeliverystatus", "messages", ",".join(["1"] * 10_001),
     "has more than 10000 ids."),
    ("key-129-characters", "sendsms", "idempotencykey", "x" * 129,
     "has 129 characters, and 128 is the most."),
    ("key-two-lines", "sendsmstogroup", "idempotencykey", "a\nb",
     "holds the control character U+000A at position 2."),
    ("key-blank", "sendsmsfromtemplate", "idempotencykey", " ",
     "must not be blank."),
]  # fmt: skip

NOT_OURS = [
    ("template-zero", "sendsmsfromtemplate", "idtemplate", "0", NOT_TEMPLATE),
    ("template-huge", "sendsmsfromtemplate", "idtemplate", "9" * 400, NOT_TEMPLATE),
    ("template-deleted", "sendsmsfromtemplate", "idtemplate", "deleted", NOT_TEMPLATE),
    ("template-of-another", "sendsmsfromtemplate", "idtemplate", "theirs", NOT_TEMPLATE),
    ("template-of-another-to-group", "sendsmstogroupfromtemplate", "idtemplate", "theirs", NOT_TEMPLATE),
    ("group-zero", "sendsmstogroup", "idgroup", "0", NOT_GROUP),
    ("group-huge", "sendsmstogroup", "idgroup", "9" * 400, NOT_GROUP),
    ("group-of-another", "sendsmstogroup", "idgroup", "their group", NOT_GROUP),
    ("group-of-another-template", "sendsmstogroupfromtemplate", "idgroup", "their group", NOT_GROUP),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "parameter", "value", "sentence"), [pytest.param(*case, id=label) for label, *case in INCORRECT]
)
def test_bad_values(shop: Shop, method: str, parameter: str, value: str, sentence: str) -> None:
    parameters = shop.good[method] | {parameter: value}
    assert refused(shop, f"sms.{method}", parameters) == incorrect(f"{parameter}: {sentence}")


@pytest.mark.parametrize(
    ("method", "parameter", "value", "expected"), [pytest.param(*case, id=label) for label, *case in NOT_OURS]
)
def test_what_is_not_the_accounts(
    shop: Shop, method: str, parameter: str, value: str, expected: tuple[str, str]
) -> None:
    given = shop.values.get(value, value)
    assert refused(shop, f"sms.{method}", shop.good[method] | {parameter: given}) == expected


def test_a_template_that_values_make_too_long(shop: Shop) -> None:
    parameters = shop.good["sendsmsfromtemplate"] | {"params": "name:" + "x" * 1530}
    expected = incorrect("idtemplate: The text takes 11 segments and 10 is the most.")
    assert refused(shop, "sms.sendsmsfromtemplate", parameters) == expected


def next_gap() -> datetime:
    """Half past two of the next last Sunday of March, which the clocks of Madrid skip."""
    today = datetime.fromtimestamp(clock.now() // 1_000_000, UTC).replace(hour=2, minute=30, second=0, tzinfo=None)
    days = (today + timedelta(days=day) for day in range(1, 366))
    return next(day for day in days if day.month == 3 and day.weekday() == 6 and day.day > 24)


def test_a_date_that_the_clocks_skip(shop: Shop) -> None:
    text = str(next_gap())[:19]
    parameters = shop.good["sendsms"] | {"scheduledatetime": text}
    assert refused(shop, "sms.sendsms", parameters) == incorrect(
        f"scheduledatetime: The time '{text}' does not exist in Europe/Madrid: the clocks skip it."
    )


def test_a_year_and_a_day_ahead(shop: Shop) -> None:
    text = str(datetime.fromtimestamp(clock.now() // 1_000_000, MADRID) + timedelta(days=367))[:19]
    parameters = shop.good["sendsms"] | {"scheduledatetime": text}
    assert refused(shop, "sms.sendsms", parameters) == incorrect(
        f"scheduledatetime: The date '{text}' is over a year ahead."
    )


def test_the_good_calls_are_good(shop: Shop) -> None:
    for method, parameters in shop.good.items():
        reply: Any = shop.ana.call(f"sms.{method}", parameters)
        assert reply.error is None, (method, reply)
