"""Credentials in the header Authorization."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.frontends import credentials
from gateway.operations.errors import Code, Refusal
from tests.support.calls import a_call

PRINTABLE = st.text(st.characters(exclude_categories=("Cs", "Cc")))


def basic(value: str) -> tuple[str, str] | None:
    return credentials.basic({"HTTP_AUTHORIZATION": value})


def encoded(text: bytes) -> str:
    return "Basic " + b64encode(text).decode()


@given(PRINTABLE.filter(lambda text: ":" not in text), PRINTABLE)
def test_whatever_is_given_comes_back(login: str, secret: str) -> None:
    assert basic(encoded(f"{login}:{secret}".encode())) == (login, secret)


@given(st.text(st.characters(max_codepoint=255)))
def test_any_header_is_credentials_or_none(value: str) -> None:
    """Header values reach an application as Latin-1 (PEP 3333)."""
    for read in (credentials.basic, credentials.bearer):
        for header in (value, f"Basic {value}", f"Bearer {value}"):
            try:
                read({"HTTP_AUTHORIZATION": header})
            except ValueError as error:
                assert str(error) in ("not base64 of UTF-8 text", "no user:password", "no token")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("", None),
        ("Bearer x", None),
        ("Basicx", None),
        (encoded(b"a:b"), ("a", "b")),
        ("Basic   YTpi", ("a", "b")),
        ("bAsIc YTpi ", ("a", "b")),
        (encoded(b":"), ("", "")),
        (encoded(b"a::b:"), ("a", ":b:")),
        ("Basic YTrDv8O-w74_Pj8-", ("a", "ÿþþ?>?>")),
        ("Basic YTrDv8O+w74/Pj8+", ("a", "ÿþþ?>?>")),
    ],
)
def test_basic(value: str, found: tuple[str, str] | None) -> None:
    assert basic(value) == found


@pytest.mark.parametrize("text", [b"", b"a", b"a:\x00", b"a\x7f:b", b"a:b\r", b"\xff:a", b"a:\xed\xa0\x80"])
def test_basic_malformed(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        basic(encoded(text))


@pytest.mark.parametrize("value", ["Bearer abc", "bearer abc", "BEARER  abc"])
def test_bearer(value: str) -> None:
    assert credentials.bearer({"HTTP_AUTHORIZATION": value}) == "abc"


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", 'Bearer "a"', "Bearer =", "Bearer ä"]
)
def test_bearer_malformed(value: str) -> None:
    with pytest.raises(ValueError, match="no token"):
        credentials.bearer({"HTTP_AUTHORIZATION": value})


def test_forbidden_names_are_told_and_kept_for_the_log() -> None:
    call = a_call(login="ana", secret="hidden", parameters={"access_token": "x", "to": "1"})
    credentials.forbid(call, ("user", "password", "access_token"), "not here.")
    assert (call.login, call.secret) == (None, None)
    assert call.parameters == {"access_token": "x", "to": "1", "user": "ana", "password": "hidden"}
    assert call.problem is not None
    assert (call.problem.code, call.problem.detail) == (
        Code.INCORRECT_PARAM,
        "user, password, access_token: not here.",
    )


def test_nothing_is_forbidden_that_is_not_there() -> None:
    call = a_call(login=None, secret=None, parameters={"to": "1"})
    credentials.forbid(call, ("user", "password"), "not here.")
    assert (call.problem, call.parameters) == (None, {"to": "1"})


def test_an_earlier_problem_stays() -> None:
    first = Refusal(Code.INCORRECT_PARAM, "first")
    call = a_call(login="ana", problem=first)
    credentials.forbid(call, ("user", "password"), "not here.")
    assert call.problem is first
