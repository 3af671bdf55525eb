"""The row that a call leaves: what it says, what it hides, and how long it may get."""

import json
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, create_model

from gateway.operations.catalogue import Operation, Parameters
from gateway.operations.context import Credits, Rows
from gateway.operations.errors import Code
from gateway.pipeline import log
from gateway.pipeline.call import Call, Reply
from gateway.pipeline.log import IGNORED
from gateway.pipeline.redact import REDACTED, is_secret_name
from gateway.storage.records import Access
from gateway.storage.submission import LOG_COLUMNS
from tests.support.calls import SECRET, a_call, an_access, an_account


class SendSms(Parameters):
    TEXTS = frozenset({"sms"})
    SECRETS = frozenset({"pin"})

    from_: str = Field(alias="from")
    to: str
    sms: str
    pin: str | None = None


def an_operation(parameters: type[Parameters]) -> Operation:
    return Operation("sms", "sendsms", parameters, None, (), "", {}, lambda context, parameters: None)  # type: ignore


SEND = an_operation(SendSms)
ACCEPTED = Reply({"messageid": "77", "credits": Credits(1_500_000)})
REFUSED = Reply(None, Code.NO_CREDITS, "The balance does not cover this send.")
NO_METHOD = Reply(None, Code.INCORRECT_METHOD, "…")
DISCREET = an_access(account=an_account(redact_text=True))


def entry(
    call: Call,
    reply: Reply = ACCEPTED,
    access: Access | None = None,
    operation: Operation | None = SEND,
    **more: Any,
) -> dict[str, Any]:
    row = dict(zip(LOG_COLUMNS, log.row(call, reply, access, operation, 42, **more), strict=True))
    return row | {"parameters": json.loads(row["parameters"]), "response": json.loads(row["response"])}


def a_send(**changes: Any) -> Call:
    parameters = {"from": "Shop", "to": "34600000000", "sms": "See you at nine"}
    return a_call(**{"class_name": "SMS", "method": "sendSMS", "parameters": parameters} | changes)


def test_an_accepted_send() -> None:
    call = a_send(user_agent="curl/8.5", http_status=200)
    row = entry(call, ACCEPTED, an_access(), message_id=77, text="See you at nine")
    assert row.pop("duration_us") >= 0
    assert row == {
        "id": 42,
        "at": call.received_at,
        "account_id": 7,
        "access_id": 3,
        "login": "tl_shop",
        "source_ip": "192.0.2.1",
        "protocol": "http",
        "class": "sms",
        "method": "sendsms",
        "parameters": {"from": "Shop", "to": "34600000000", "sms": {"message": "77"}},
        "outcome": "SUCCESS",
        "response": {"status": "SUCCESS", "result": {"messageid": "77", "credits": 1.5}},
        "message_id": 77,
        "http_status": 200,
        "user_agent": "curl/8.5",
        "request_id": "r-1",
        "count": 1,
    }


def test_a_refused_send_keeps_its_text() -> None:
    row = entry(a_send(), REFUSED, an_access())
    assert row["parameters"]["sms"] == "See you at nine"
    assert row["outcome"] == "NO_CREDITS"
    assert row["message_id"] is None
    assert row["response"] == {
        "status": "ERROR",
        "error": "NO_CREDITS",
        "detail": "The balance does not cover this send.",
    }


def test_a_text_that_is_not_the_messages_own_is_kept() -> None:
    row = entry(a_send(), ACCEPTED, an_access(), message_id=77, text="See you at <time>")
    assert row["parameters"]["sms"] == "See you at nine"


TEXTS = [
    ("accepted", ACCEPTED, SEND, "sms", {"message_id": 77, "text": "See you at nine"}),
    ("refused", REFUSED, SEND, "sms", {}),
    ("of an operation that does not exist", NO_METHOD, None, "sms", {}),
    ("under another name there", NO_METHOD, None, "message", {}),
    ("under a name that the operation does not have", REFUSED, SEND, "message", {}),
    ("repeated in the detail", Reply(None, Code.INCORRECT_PARAM, "sms: See you at nine is bad"), SEND, "sms", {}),
    ("repeated in another parameter", REFUSED, SEND, "sms", {"parameters": {"to": "See you at nine"}}),
]


@pytest.mark.parametrize(("reply", "operation", "name", "more"), [c[1:] for c in TEXTS], ids=[c[0] for c in TEXTS])
def test_an_account_may_have_its_texts_redacted(
    reply: Reply, operation: Operation | None, name: str, more: dict
) -> None:
    parameters = {name: "See you at nine", **more.get("parameters", {})}
    given_ = {key: value for key, value in more.items() if key != "parameters"}
    row = entry(a_send(parameters=parameters), reply, DISCREET, operation, **given_)
    assert row["parameters"][name] == (REDACTED if operation is SEND and name == "sms" else IGNORED)
    assert "nine" not in str(row)


UNKNOWN = [
    ("a parameter that the operation does not have", SEND, {"clave": IGNORED, "to": "1", "output": "xml"}),
    ("no operation", None, {"clave": IGNORED, "to": IGNORED, "output": "xml"}),
]


@pytest.mark.parametrize("access", [None, an_access()], ids=["a stranger", "a known access"])
@pytest.mark.parametrize(("operation", "expected"), [c[1:] for c in UNKNOWN], ids=[c[0] for c in UNKNOWN])
def test_what_nobody_asked_for_is_kept_by_name(
    operation: Operation | None, expected: dict[str, str], access: Access | None
) -> None:
    call = a_send(parameters={"clave": "hunter22", "to": "1", "output": "xml"})
    row = entry(call, REFUSED, access, operation)
    assert row["parameters"] == expected
    assert "hunter22" not in str(row)


def test_a_parameter_goes_by_its_name_on_the_wire() -> None:
    row = entry(a_send(parameters={"from": "Shop", "from_": "hunter22", "From": "hunter22"}), REFUSED)
    assert row["parameters"] == {"from": "Shop", "from_": IGNORED, "From": IGNORED}


LOGINS = [
    ("nobody's", "nobody", None, "nob…"),
    ("the password", SECRET, None, REDACTED),
    ("the password and more", f"ana:{SECRET}", None, REDACTED),
    ("another secret", "hunter22", None, "hun…"),
    ("three characters", "ana", None, "ana"),
    ("four characters", "anna", None, "ann…"),
    ("empty", "", None, None),
    ("none", None, None, None),
    ("a known access's", "tl_shop", an_access(), "tl_shop"),
    ("a session's", None, an_access(), "tl_shop"),
]


@pytest.mark.parametrize(("login", "access", "expected"), [c[1:] for c in LOGINS], ids=[c[0] for c in LOGINS])
def test_only_a_login_that_somebody_has_is_kept(login: str | None, access: Access | None, expected: str) -> None:
    assert entry(a_send(login=login), REFUSED, access)["login"] == expected


NAMES = ["password", "Password", "accountpassword", "user_password", "passwd", "pwd", "client_secret", "token"]
NAMES += ["access_token", "apikey", "api_key", "authorization", "pin"]


@pytest.mark.parametrize("name", NAMES)
def test_parameters_that_are_secrets_by_name(name: str) -> None:
    row = entry(a_send(parameters={name: "abc", "to": "1"}), REFUSED)
    assert row["parameters"] == {name: REDACTED, "to": "1"}


@pytest.mark.parametrize("name", ["to", "from", "sms", "messages", "idtemplate", "idempotencykey", "params"])
def test_parameters_that_are_none(name: str) -> None:
    assert not is_secret_name(name)


PLACES = ["login", "class_name", "method", "user_agent", "request_id", "value", "name", "detail", "result", "within"]
SECRETS = [SECRET, 'a"b\\c"d', "line\nfeed\x00end", "пароль-сложный", "\ud83d\udc4d\ud800bad", "</script>", "'; DROP"]


def hidden_at(place: str, secret: str) -> tuple[Call, Reply]:
    call = a_send(secret=secret, login="ana")
    if place in ("value", "name", "within"):
        call.parameters = {"value": {"to": secret}, "name": {secret: "1"}, "within": {"to": f"x{secret}y" * 300}}[
            place
        ]
    elif place == "detail":
        return call, Reply(None, Code.INCORRECT_PARAM, f"to: {secret} is no number.")
    elif place == "result":
        return call, Reply({"list": [{"name": secret, secret: f"<{secret}>"}], "one": secret})
    else:
        setattr(call, place, f"{secret} ")
    return call, REFUSED


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_the_secret_in_another_place(place: str, secret: str) -> None:
    assert_not_kept(secret, *hidden_at(place, secret))


CUTS = [("quoted", repr(SECRET[:20])), ("the end of a sentence", SECRET[:15]), ("twice", SECRET[:13] + SECRET[:20])]


@pytest.mark.parametrize("piece", [c[1] for c in CUTS], ids=[c[0] for c in CUTS])
def test_the_beginning_of_the_secret(piece: str) -> None:
    call = a_send(user_agent=f"x{piece}", parameters={"to": f"{piece}…"})
    row = log.row(call, Reply(None, Code.INCORRECT_PARAM, f"to: {piece}… is no number."), None, SEND, 42)
    assert SECRET[:12] not in str(row)
    assert str(row).count(REDACTED) >= 3


def test_a_secret_with_quotes_as_a_detail_repeats_it() -> None:
    secret = "it's a \\ secret"
    row = log.row(a_send(secret=secret), Reply(None, Code.INCORRECT_PARAM, f"to: {secret!r} is none."), None, SEND, 4)
    assert "secret" not in str(row).replace(REDACTED, "")


@pytest.mark.parametrize("secret", ["redacted", "[redacted]", "[redacted][redacted]", "status", '":"SUCCESS"'])
def test_a_secret_that_the_row_itself_is_made_of(secret: str) -> None:
    row = entry(a_send(secret=secret, parameters={"to": secret, secret: f"{secret}{secret}"}), ACCEPTED)
    assert row["response"]["status"] == "SUCCESS"


def assert_not_kept(secret: str, call: Call, reply: Reply) -> None:
    """Whoever called, and whether class and method name an operation or none."""
    for access in (an_access(), None):
        for operation in (SEND, None):
            assert_nowhere(secret, log.row(call, reply, access, operation, 42))


def assert_nowhere(secret: str, row: tuple) -> None:
    """Neither as it is, nor as JSON writes it."""
    row[LOG_COLUMNS.index("parameters")].encode()
    for value in row:
        if isinstance(value, str):
            assert secret not in value
            assert json.dumps(secret, ensure_ascii=False)[1:-1] not in value
    for name in ("parameters", "response"):
        assert secret not in str(flat(json.loads(row[LOG_COLUMNS.index(name)])))


def flat(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in flat(part)]
    if isinstance(value, list):
        return [text for part in value for text in flat(part)]
    return [value] if isinstance(value, str) else []


anything = st.text(st.characters(), max_size=30)


@settings(deadline=None)
@given(
    secret=st.text(st.characters(), min_size=6, max_size=40).filter(lambda s: not any(c in "[redacted]" for c in s)),
    before=anything,
    after=anything,
    place=st.sampled_from(PLACES),
    padding=st.integers(0, 1100),
)
def test_no_secret_anywhere(secret: str, before: str, after: str, place: str, padding: int) -> None:
    call, reply = hidden_at(place, secret)
    longer = "p" * padding + before + secret + after
    call.parameters = {**call.parameters, "from": longer, "other": longer, before + secret: after}
    assert_not_kept(secret, call, reply)


@given(st.text(st.characters(), min_size=1, max_size=5).filter(lambda s: s not in ("ana", "…")))
def test_a_short_secret_is_hidden_where_it_is_the_whole_value(secret: str) -> None:
    row = entry(a_send(secret=secret, login=secret, parameters={"to": secret, "from": "1" + secret}), REFUSED)
    assert row["parameters"]["to"] == REDACTED
    assert row["login"] == REDACTED


LONG = "x" * 5000


def test_a_long_value_is_cut_and_says_so() -> None:
    row = entry(a_send(parameters={"to": LONG, "from": "Shop"}), REFUSED)
    assert row["parameters"] == {"to": "x" * 1000 + "…[5000 characters]", "from": "Shop"}


SIZES = [
    ("many values", {f"name{n}": "v" * 900 for n in range(100)}),
    ("very many small ones", {f"n{n}": "v" for n in range(20_000)}),
    ("long names", {f"{n}" * 5000: "v" for n in range(9)}),
    ("four bytes a character", {f"n{n}": "\U0001f600" * 2000 for n in range(20)}),
    ("all escaped", {f"n{n}": "\x00" * 2000 for n in range(20)}),
]


def declaring(names: Iterable[str]) -> Operation:
    """An operation that has parameters of these names."""
    fields: dict[str, Any] = {f"f{n}": (str, Field(alias=name)) for n, name in enumerate(names)}
    return an_operation(create_model("Declared", __base__=Parameters, **fields))


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "undeclared"])
@pytest.mark.parametrize("parameters", [c[1] for c in SIZES], ids=[c[0] for c in SIZES])
def test_parameters_are_bounded(parameters: dict[str, str], declared: bool) -> None:
    call = a_send(parameters=parameters)
    text = log.row(call, REFUSED, None, declaring(parameters) if declared else SEND, 42)[
        LOG_COLUMNS.index("parameters")
    ]
    assert len(text.encode()) <= log.PARAMETERS_LIMIT
    assert len(json.loads(text)) > 0


def test_what_was_left_out_is_counted() -> None:
    parameters = {f"name{n}": "v" * 900 for n in range(100)}
    row = entry(a_send(parameters=parameters), REFUSED, None, declaring(parameters))
    assert len(row["parameters"]) == 9
    assert row["parameters"]["…"] == "[92 more]"


RESULTS = [
    ("a number", 5, 5),
    ("credits", Credits(1_250_000), 1.25),
    ("whole credits", Credits(3_000_000), 3),
    ("nothing", None, None),
    ("rows", {"id": "5", "destinations": Rows(lambda: iter([]), 5)}, {"id": "5", "destinations": "[rows]"}),
    ("a long list", ["a"] * 25, ["a"] * 20 + ["[5 more]"]),
    ("a long text", "y" * 500, "y" * 200 + "…[500 characters]"),
    ("texts of messages", [{"messageid": "1", "sms": "Hello"}], [{"messageid": "1", "sms": "[text]"}]),
    ("a secret by name", {"token": "abc"}, {"token": REDACTED}),
    ("something else", Decimal(1), "[Decimal]"),
    ("a lone surrogate", {"title": "\ud800"}, {"title": "\ufffd"}),
]


@pytest.mark.parametrize(("result", "expected"), [c[1:] for c in RESULTS], ids=[c[0] for c in RESULTS])
def test_results(result: Any, expected: Any) -> None:
    assert entry(a_send(), Reply(result))["response"] == {"status": "SUCCESS", "result": expected}


def test_a_response_is_bounded() -> None:
    result = [{f"key{n}": "v" * 150 for n in range(20)} for _ in range(20)]
    response = entry(a_send(), Reply(result))["response"]
    assert response["status"] == "SUCCESS"
    assert response["result"].endswith("bytes]")


def test_rows_are_not_read() -> None:
    def pages() -> Any:
        raise AssertionError("the log read the rows")

    entry(a_send(), Reply({"destinations": Rows(pages, 5)}))


LINES = [
    ("a line feed", "curl\nINFO all is well", "curl\ufffdINFO all is well"),
    ("an escape sequence", "\x1b[2J", "\ufffd[2J"),
    ("NUL", "a\x00b", "a\ufffdb"),
    ("the other direction", "abc\u202ecba", "abc\ufffdcba"),
    ("a line separator", "a\u2028b", "a\ufffdb"),
    ("a lone surrogate", "a\udcffb", "a\ufffdb"),
    ("letters of elsewhere", "Ünïcøde 端末", "Ünïcøde 端末"),
    ("too long", "a" * 500, "a" * 200),
]


@pytest.mark.parametrize(("given_", "expected"), [c[1:] for c in LINES], ids=[c[0] for c in LINES])
def test_columns_stay_one_line(given_: str, expected: str) -> None:
    row = entry(a_send(login=given_, user_agent=given_), REFUSED, an_access(login=given_))
    assert row["user_agent"] == expected
    assert row["login"] == (expected if len(given_) < 200 else given_[:254])
    assert entry(a_send(login=given_), REFUSED)["login"] == (expected if len(given_) < 4 else f"{expected[:3]}…")


def test_a_strangers_row() -> None:
    call = a_call(login="x" * 300, class_name="c" * 99, method="m" * 99, request_id="r" * 99, source_ip="s" * 99)
    row = entry(call, Reply(None, Code.INCORRECT_USER_PASSWORD, "…"), None, None)
    assert (row["account_id"], row["access_id"], row["user_agent"], row["http_status"]) == (None,) * 4
    assert (row["class"], row["method"]) == ("?[99]", "?[99]")
    assert [len(row[name]) for name in ("login", "request_id", "source_ip")] == [4, 64, 45]


NAMES_GIVEN = {
    "an operation": (("SMS", "SendSMS"), ("sms", "sendsms")),
    "of another class": (("user", "sendsms"), ("user", "sendsms")),
    "a wrong method": (("sms", "sendsmss"), ("sms", "?[8]")),
    "a wrong class": (("smss", "sendsms"), ("?[4]", "sendsms")),
    "what looks known": (("sms ", "sendsms\n"), ("?[4]", "?[8]")),
    "a password": (("sms", "correct horse"), ("sms", "?[13]")),
    "much": (("x" * 50_000, "\ud800"), ("?[50000]", "?[1]")),
    "empty": (("", ""), ("?[0]", "?[0]")),
    "none": ((None, None), (None, None)),
}


@pytest.mark.parametrize("case", NAMES_GIVEN)
def test_class_and_method_of_a_call_that_found_no_operation(case: str) -> None:
    """What is in no catalogue may be a secret that was typed into the wrong field: only its length is kept."""
    (class_name, method), expected = NAMES_GIVEN[case]
    row = entry(a_call(class_name=class_name, method=method), REFUSED, None, None)
    assert (row["class"], row["method"]) == expected


def test_an_operation_of_no_catalogue_is_named_before_its_caller_is_known() -> None:
    call = a_call(class_name="token", method="x", operation=replace(SEND, class_name="jwt", method="token"))
    row = entry(call, REFUSED, None, None)
    assert (row["class"], row["method"]) == ("jwt", "token")


def test_a_session_is_named_by_its_access() -> None:
    assert entry(a_send(login=None, secret=None), ACCEPTED, an_access())["login"] == "tl_shop"


def test_nothing_given() -> None:
    row = entry(a_call(login=None, secret=None, class_name=None, method=None), REFUSED, None, None)
    assert (row["login"], row["class"], row["method"], row["parameters"]) == (None, None, None, {})
