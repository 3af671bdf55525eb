"""Type of number, numbering plan and sender, as a carrier wants them."""

from typing import Any

import pytest

from gateway.carriers.smpp.addressing import Address, AddressError, Addressing, Rewriting

SOURCES = [
    pytest.param({}, ("Shop",), Address("Shop", 5, 0), id="alphanumeric"),
    pytest.param({}, ("Café Ñ",), Address("Café Ñ", 5, 0), id="alphanumeric beyond ASCII"),
    pytest.param({}, ("34600111222",), Address("34600111222", 1, 1), id="international"),
    pytest.param({}, ("217000",), Address("217000", 3, 0), id="short code"),
    pytest.param({}, ("600111222", 2, 1), Address("600111222", 2, 1), id="a client's national number"),
    pytest.param({}, ("600111222", 2, None), Address("600111222", 2, 0), id="a client's TON alone"),
    pytest.param({}, ("34600111222", 0, 1), Address("34600111222", 1, 1), id="a client that does not know"),
    pytest.param({}, ("Shop", 1, 1), Address("Shop", 5, 0), id="a client's number that is none"),
    pytest.param({}, ("Shop", 5, 1), Address("Shop", 5, 1), id="a client's alphanumeric"),
    pytest.param({}, ("123456", 5, 0), Address("123456", 5, 0), id="a client's alphanumeric of digits"),
    pytest.param({"source_ton": 0, "source_npi": 9}, ("Shop", 5, 0), Address("Shop", 0, 9), id="both set"),
    pytest.param({"source_ton": 2}, ("34600111222",), Address("34600111222", 2, 1), id="TON set"),
    pytest.param({"source_npi": 0}, ("34600111222",), Address("34600111222", 1, 0), id="NPI set"),
    pytest.param(
        {"rewriting": Rewriting("34(.*)=\\1")},
        ("34217", 1, 1),
        Address("217", 3, 0),
        id="rewritten, a client's is void",
    ),
]


@pytest.mark.parametrize(("settings", "given", "address"), SOURCES)
def test_source(settings: dict[str, Any], given: tuple[Any, ...], address: Address) -> None:
    assert Addressing(**settings).source(*given) == address


@pytest.mark.parametrize(
    ("settings", "number", "address"),
    [
        pytest.param({}, "34600111222", Address("34600111222", 1, 1), id="international"),
        pytest.param({}, "5555", Address("5555", 3, 0), id="short code"),
        pytest.param({"destination_ton": 0}, "34600111222", Address("34600111222", 0, 1), id="TON set"),
        pytest.param({"destination_npi": 8}, "34600111222", Address("34600111222", 1, 8), id="NPI set"),
        pytest.param(
            {"source_ton": 9, "source_npi": 9}, "34600111222", Address("34600111222", 1, 1), id="not the source's"
        ),
    ],
)
def test_destination(settings: dict[str, Any], number: str, address: Address) -> None:
    assert Addressing(**settings).destination(number) == address


@pytest.mark.parametrize(
    ("settings", "sender", "problem"),
    [
        pytest.param({}, "Δelta", "the sender has characters that SMPP cannot carry", id="Greek"),
        pytest.param(
            {"rewriting": Rewriting(".*=" + "9" * 21)}, "Shop", "the sender has over 20 characters", id="long"
        ),
    ],
)
def test_addresses_that_no_pdu_holds(settings: dict[str, Any], sender: str, problem: str) -> None:
    with pytest.raises(AddressError) as raised:
        Addressing(**settings).source(sender)
    assert str(raised.value) == problem


@pytest.mark.parametrize(
    ("rules", "sender", "rewritten"),
    [
        pytest.param("", "Shop", "Shop", id="no rule"),
        pytest.param("Shop=Store", "Shop", "Store", id="one"),
        pytest.param("Shop=Store", "Shopping", "Shopping", id="the whole sender has to fit"),
        pytest.param(r"34(\d{9})=00\1", "34600111222", "00600111222", id="a group"),
        pytest.param(r"34(?P<rest>\d+)=\g<rest>", "34600", "600", id="a named group"),
        pytest.param("A.*=1;.*=2", "Ana", "1", id="the first that fits"),
        pytest.param("A.*=1; .*=2 ;", "Bea", "2", id="the next, with spaces around"),
        pytest.param("(?=S).*=Store", "Shop", "Store", id="the last = divides"),
        pytest.param("Sh(i)?op=Store", "Shop", "Store", id="a group that takes no part"),
    ],
)
def test_rewriting(rules: str, sender: str, rewritten: str) -> None:
    assert Rewriting(rules)(sender) == rewritten


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        pytest.param("Shop", "'Shop' is no rule: it is written PATTERN=REPLACEMENT", id="no ="),
        pytest.param("=Store", "'=Store' is no rule: it is written PATTERN=REPLACEMENT", id="no pattern"),
        pytest.param(
            "(=x", "the rule '(=x' is wrong: missing ), unterminated subpattern at position 0", id="no regex"
        ),
        pytest.param(
            r"a=\1", r"the rule 'a=\\1' is wrong: invalid group reference 1 at position 1", id="no such group"
        ),
        pytest.param(r"(a)=\g<b>", r"the rule '(a)=\\g<b>' is wrong: unknown group name 'b'", id="no such name"),
    ],
)
def test_rules_that_are_wrong(rules: str, problem: str) -> None:
    with pytest.raises(ValueError) as raised:
        Rewriting(rules)
    assert str(raised.value) == problem
