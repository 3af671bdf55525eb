"""Parameters of the wire as operations declare them, and which error wins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.operations.catalogue import CATALOGUE
from gateway.operations.errors import Code, Refusal
from gateway.operations.sms import SendSms, SendSmsToGroup
from gateway.pipeline.bind import bind
from tests.support.calls import a_call

SENDSMS = CATALOGUE["sms", "sendsms"]
GOOD = {"from": "Shop", "to": "34600000001", "sms": "hello"}
PROBLEM = Refusal(Code.INCORRECT_PARAM, "to: is given twice.")


def refused(parameters: dict[str, str], problem: Refusal | None = None, unreadable: bool = False) -> tuple[str, str]:
    with pytest.raises(Refusal) as raised:
        bind(SENDSMS, a_call(parameters=parameters, problem=problem, unreadable=unreadable))
    return raised.value.code.value, raised.value.detail


def test_names_are_those_of_the_wire() -> None:
    bound = bind(SENDSMS, a_call(parameters=GOOD))
    assert isinstance(bound, SendSms)
    assert (bound.from_, bound.to, bound.sms, bound.scheduledatetime) == ("Shop", "34600000001", "hello", None)


def test_unknown_parameters_are_ignored_and_empty_ones_not_given() -> None:
    more = {"scheduledatetime": "", "output": "", "from_": "Evil", "SMS": "x", "model_config": "x", "class": "sms"}
    assert bind(SENDSMS, a_call(parameters=more | GOOD)) == bind(SENDSMS, a_call(parameters=GOOD))


def test_a_python_name_is_not_one_of_the_wire() -> None:
    given = {"from_": "Shop", "to": "34600000001", "sms": "hello"}
    assert refused(given) == ("MISSING_COMPULSORY_PARAM", "from: compulsory for sms.sendsms and not given.")


def test_values_are_read() -> None:
    given = {"from": "Shop", "countrycode": "ES", "idgroup": "007", "sms": "x"}
    bound = bind(CATALOGUE["sms", "sendsmstogroup"], a_call(parameters=given))
    assert isinstance(bound, SendSmsToGroup)
    assert (bound.countrycode, bound.idgroup) == ("34", 7)


@pytest.mark.parametrize(
    ("parameters", "problem", "unreadable", "expected"),
    [
        pytest.param(
            {"to": "1"},
            None,
            False,
            ("MISSING_COMPULSORY_PARAM", "from, sms: compulsory for sms.sendsms and not given."),
            id="all-that-is-missing",
        ),
        pytest.param(
            {"to": "1", "sms": "\0"},
            None,
            False,
            ("MISSING_COMPULSORY_PARAM", "from: compulsory for sms.sendsms and not given."),
            id="missing-before-incorrect",
        ),
        pytest.param(
            GOOD | {"sms": "\0"},
            None,
            False,
            ("INCORRECT_PARAM", "sms: holds the character U+0000 at position 1."),
            id="incorrect",
        ),
        pytest.param(GOOD, PROBLEM, False, ("INCORRECT_PARAM", PROBLEM.detail), id="the-front-ends-problem"),
        pytest.param(
            {"to": "1", "sms": "x"},
            PROBLEM,
            False,
            ("MISSING_COMPULSORY_PARAM", "from: compulsory for sms.sendsms and not given."),
            id="missing-before-the-front-ends",
        ),
        pytest.param(
            GOOD | {"sms": "\0"}, PROBLEM, False, ("INCORRECT_PARAM", PROBLEM.detail), id="the-front-ends-before-ours"
        ),
        pytest.param({}, PROBLEM, True, ("INCORRECT_PARAM", PROBLEM.detail), id="unreadable-before-missing"),
    ],
)
def test_which_error_wins(
    parameters: dict[str, str], problem: Refusal | None, unreadable: bool, expected: tuple[str, str]
) -> None:
    assert refused(parameters, problem, unreadable) == expected


def test_braces_in_a_value_are_no_placeholders() -> None:
    operation = CATALOGUE["sms", "sendsmsfromtemplate"]
    with pytest.raises(Refusal) as raised:
        bind(operation, a_call(parameters={"to": "1", "idtemplate": "{error}%s"}))
    expected = "idtemplate: must be an id in digits, as gettemplates gives it, not '{error}%s'."
    assert raised.value.detail == expected


@pytest.mark.parametrize("name", sorted(CATALOGUE), ids=".".join)
@given(values=st.data())
def test_any_values_are_bound_or_refused(name: tuple[str, str], values: st.DataObject) -> None:
    operation = CATALOGUE[name]
    names = [field.alias or name for name, field in operation.parameters.model_fields.items()]
    text = st.text() | st.sampled_from(["0", "-1", "9" * 30, "34", "a:b", "\0", "\ud800", " ", ","])
    parameters = values.draw(st.dictionaries(st.sampled_from([*names, "other"]), text))
    try:
        bind(operation, a_call(parameters=parameters))
    except Refusal as refusal:
        assert refusal.code in (Code.MISSING_COMPULSORY_PARAM, Code.INCORRECT_PARAM)
        assert refusal.detail.split(":")[0].split(", ")[0] in names
        assert refusal.detail.endswith(".")
