"""Reading a SOAP request as a call: versions, values, credentials, actions, types of content."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import clock
from gateway.operations.errors import Code, Refusal
from tests.support.soap import (
    NS,
    PASSWORD_DIGEST,
    SOAP11,
    SOAP12,
    TYPES,
    XSI,
    Answer,
    Listener,
    envelope,
    post,
    request,
    security,
    token,
    xml,
)

SEND = {"user": "ana", "password": "pw", "from": "Shop", "to": "34600000001", "sms": "Hello"}
TEXT = " Señal <&> \"'\n\r 😀"
VERSIONS = [pytest.param(SOAP11, id="1.1"), pytest.param(SOAP12, id="1.2")]


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def read(body: str, header: str = "", version: str = SOAP11, **environ: Any) -> Any:
    """The call that a message becomes."""
    gateway = Listener()
    answer = post(gateway, envelope(body, header, version), TYPES[version], **environ)
    assert answer.fault is None, answer.content
    return gateway.call


def refuse(content: bytes, content_type: str | None = TYPES[SOAP11], **environ: Any) -> Answer:
    """The Fault that something is answered, with which no operation was called."""
    gateway = Listener()
    answer = post(gateway, content, content_type, **environ)
    assert answer.fault is not None
    assert gateway.calls == []
    return answer


@pytest.mark.parametrize("version", VERSIONS)
def test_request_becomes_a_call_and_is_answered_in_its_version(version: str) -> None:
    gateway = Listener()
    environ = {"HTTP_USER_AGENT": "agent", "HTTP_X_REQUEST_ID": "my-request", "HTTP_X_FORWARDED_FOR": "192.0.2.99"}
    answer = post(gateway, envelope(request("sendsms", SEND), "", version), TYPES[version], **environ)
    call = gateway.call
    assert (call.protocol, call.class_name, call.method) == ("soap", "sms", "sendsms")
    assert (call.login, call.secret) == ("ana", "pw")
    assert call.parameters == {"from": "Shop", "to": "34600000001", "sms": "Hello"}
    assert (call.user_agent, call.request_id, call.source_ip) == ("agent", "my-request", "192.0.2.7")
    assert (call.problem, call.http_status, answer.version) == (None, 200, version)
    assert answer.headers["X-Request-Id"] == "my-request"
    assert answer.reply == {
        "status": "SUCCESS",
        "result": {"messageid": TEXT, "credits": "1.5", "encoding": TEXT, "segments": "3"},
    }


def test_known_proxy_is_believed() -> None:
    call = read(request("getbalance"), REMOTE_ADDR="10.1.2.3", HTTP_X_FORWARDED_FOR="192.0.2.99")
    assert call.source_ip == "192.0.2.99"


VALUES = [
    pytest.param("<sms>a&amp;b &lt;i&gt; &#8364; &quot;</sms>", 'a&b <i> € "', id="entities"),
    pytest.param("<sms>a<![CDATA[<b>&amp;]]>c</sms>", "a<b>&amp;c", id="CDATA"),
    pytest.param("<sms>one<!-- no --> two<!----> three</sms>", "one two three", id="comments"),
    pytest.param("<sms>  two\n lines\t</sms>", "  two\n lines\t", id="white space"),
    pytest.param("<sms>a\r\nb&#13;c</sms>", "a\nb\rc", id="line ends as XML reads them"),
    pytest.param("<sms>😀 ñ 你好</sms>", "😀 ñ 你好", id="not ASCII"),
    pytest.param(f'<sms xmlns:i="{XSI}" i:nil="false">a</sms>', "a", id="nil false"),
    pytest.param(f'<sms xmlns:i="{XSI}" i:nil="0">a</sms>', "a", id="nil 0"),
    pytest.param(f'<sms xmlns:i="{XSI}" i:type="xs:int">a</sms>', "a", id="a type that it has not"),
    pytest.param("<sms xmlns=''>a</sms>", "a", id="without a namespace"),
    pytest.param("<sms>a</sms><sms>a</sms>", "a", id="twice the same"),
    pytest.param(f"<sms>{'x' * 20000}</sms>", "x" * 20000, id="longer than the parser's buffer"),
    pytest.param(
        f"<sms>{('x' * 5000 + '&amp;') * 4}</sms>",
        ("x" * 5000 + "&") * 4,
        id="pieces longer than the parser's buffer",
    ),
]


@pytest.mark.parametrize(("element", "expected"), VALUES)
def test_value_is_the_whole_text(element: str, expected: str) -> None:
    call = read(f'<sendsms xmlns="{NS}">{element}</sendsms>')
    assert (call.parameters, call.problem) == ({"sms": expected}, None)


@pytest.mark.parametrize(
    "element",
    [
        pytest.param("", id="missing"),
        pytest.param("<sms/>", id="empty"),
        pytest.param(f'<sms xmlns:i="{XSI}" i:nil="true"/>', id="nil true"),
        pytest.param(f'<sms xmlns:i="{XSI}" i:nil=" 1 "></sms>', id="nil 1"),
        pytest.param("<sms xmlns='urn:other'>a</sms>", id="of another namespace"),
        pytest.param("<SMS>a</SMS>", id="other case"),
        pytest.param("<unknown>a</unknown><class>sms</class><output>xml</output>", id="unknown"),
    ],
)
def test_value_is_not_given(element: str) -> None:
    call = read(f'<sendsms xmlns="{NS}">{element}</sendsms>')
    assert (call.parameters, call.problem) == ({}, None)


@pytest.mark.parametrize(
    ("element", "detail"),
    [
        pytest.param("<sms>a<b>c</b></sms>", "sms must be a text, without elements in it.", id="elements"),
        pytest.param("<sms>a</sms><sms>b</sms>", "sms is given twice with different values.", id="twice"),
        pytest.param(
            "<sms>a</sms><sms xmlns=''>b</sms>", "sms is given twice with different values.", id="twice, one bare"
        ),
        pytest.param(
            f'<sms xmlns:i="{XSI}" i:nil="maybe">a</sms>',
            "sms: xsi:nil must be true or false, not maybe.",
            id="nil is neither",
        ),
        pytest.param(f'<sms xmlns:i="{XSI}" i:nil="1">a</sms>', "sms is nil and has a value.", id="nil with a value"),
        pytest.param(
            '<sms href="#id1"/>', "sms must hold its value: references (href) are not followed.", id="reference"
        ),
        pytest.param("<sms>a</sms>text", "sendsms holds text outside its parameters.", id="text beside"),
    ],
)
def test_value_that_cannot_be_read_is_the_business_error(element: str, detail: str) -> None:
    call = read(f'<sendsms xmlns="{NS}">{element}</sendsms>')
    assert (call.problem.code, call.problem.detail) == (Code.INCORRECT_PARAM, detail)
    assert isinstance(call.problem, Refusal)


def test_order_of_elements_does_not_matter() -> None:
    assert read(request("sendsms", list(SEND.items())[::-1])).parameters["from"] == "Shop"


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\ufffe\uffff"), min_size=1))
def test_every_text_that_xml_can_hold_arrives(text: str) -> None:
    text = "".join(character for character in text if character in "\t\n" or character >= " ")
    assert read(request("sendsms", {"sms": text})).parameters == ({"sms": text} if text else {})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("header", "authorization", "elements", "expected"),
    [
        pytest.param("", None, ("ana", "pw"), ("ana", "pw"), id="elements"),
        pytest.param(security(token("ana", "p<w")), None, None, ("ana", "p<w"), id="token"),
        pytest.param("", basic("ana", "p:w"), None, ("ana", "p:w"), id="Basic"),
        pytest.param(security(token("ana", "pw")), basic("ana", "pw"), ("ana", "pw"), ("ana", "pw"), id="all agree"),
        pytest.param("", basic("ana", "pw"), ("ana", ""), ("ana", "pw"), id="user in both, password in one"),
        pytest.param("", "Bearer abc", ("ana", "pw"), ("ana", "pw"), id="another scheme"),
        pytest.param("", None, None, (None, None), id="none"),
        pytest.param("", "Bearer abc", None, (None, None), id="only another scheme"),
        pytest.param(security(""), None, None, (None, None), id="empty Security header"),
        pytest.param(
            security("<w:UsernameToken><w:Username>ana</w:Username><w:Password>pw</w:Password></w:UsernameToken>"),
            None,
            None,
            ("ana", "pw"),
            id="password without a type",
        ),
        pytest.param(
            security(token("ana", "pw"), 'n:mustUnderstand="1" xmlns:n="VERSION"'),
            None,
            None,
            ("ana", "pw"),
            id="Security must be understood",
        ),
        pytest.param(
            security(token("ana", "pw"), 'n:actor="urn:other" n:role="urn:other" xmlns:n="VERSION"'),
            None,
            None,
            (None, None),
            id="Security for somebody else",
        ),
    ],
)
def test_credentials(
    header: str, authorization: str | None, elements: tuple[str, str] | None, expected: Any, version: str
) -> None:
    given_ = {} if elements is None else dict(zip(("user", "password"), elements, strict=True))
    environ = {} if authorization is None else {"HTTP_AUTHORIZATION": authorization}
    call = read(request("getbalance", given_), header.replace("VERSION", version), version, **environ)
    assert (call.login, call.secret, call.parameters) == (*expected, {})


@pytest.mark.parametrize(
    ("header", "authorization", "elements"),
    [
        pytest.param(security(token("ana", "pw")), None, ("ana", "other"), id="token and elements: password"),
        pytest.param(security(token("ana", "pw")), None, ("eva", "pw"), id="token and elements: user"),
        pytest.param("", basic("ana", "pw"), ("ana", "other"), id="Basic and elements: password"),
        pytest.param("", basic("ana", "pw"), ("eva", "pw"), id="Basic and elements: user"),
        pytest.param(security(token("ana", "pw")), basic("ana", "other"), None, id="token and Basic"),
        pytest.param("", "Basic !!", ("ana", "pw"), id="Basic that cannot be read"),
    ],
)
def test_credentials_that_disagree_are_ones_that_nobody_has(
    header: str, authorization: str | None, elements: tuple[str, str] | None
) -> None:
    given_ = {} if elements is None else dict(zip(("user", "password"), elements, strict=True))
    environ = {} if authorization is None else {"HTTP_AUTHORIZATION": authorization}
    call = read(request("getbalance", given_), header, **environ)
    assert call.login == "ana"
    assert call.secret not in ("pw", "other", "", None)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("inner", "kind"),
    [
        pytest.param(token("ana", "x", PASSWORD_DIGEST), "UnsupportedSecurityToken", id="digest"),
        pytest.param(
            "<w:BinarySecurityToken>x</w:BinarySecurityToken>", "UnsupportedSecurityToken", id="certificate"
        ),
        pytest.param("<Signature xmlns='urn:d'/>", "UnsupportedSecurityToken", id="signature"),
        pytest.param(token("ana", "pw") * 2, "InvalidSecurity", id="two tokens"),
        pytest.param(
            "<u:Timestamp><u:Expires>2020-01-01T00:00:00Z</u:Expires></u:Timestamp>", "MessageExpired", id="expired"
        ),
        pytest.param("<u:Timestamp><u:Expires>soon</u:Expires></u:Timestamp>", "InvalidSecurity", id="no date"),
    ],
)
def test_security_header_that_asks_for_more_is_a_fault(inner: str, kind: str, version: str) -> None:
    answer = refuse(envelope(request("getbalance"), security(inner), version), TYPES[version])
    assert answer.fault == ("Client" if version == SOAP11 else "Sender")
    assert answer.kind == (None if version == SOAP11 else kind)


@pytest.mark.parametrize("expires", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.123", "2999-01-01T00:00:00+02:00"])
def test_timestamp_that_has_not_expired_is_fine(expires: str) -> None:
    inner = f"<u:Timestamp><u:Expires>{expires}</u:Expires></u:Timestamp>" + token("ana", "pw")
    assert read(request("getbalance"), security(inner)).login == "ana"


def test_clocks_may_differ_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = "<u:Timestamp><u:Expires>2026-01-01T00:00:00Z</u:Expires></u:Timestamp>" + token("ana", "pw")
    midnight = 1_767_225_600_000_000
    monkeypatch.setattr(clock, "now", lambda: midnight + 4 * 60_000_000)
    assert read(request("getbalance"), security(inner)).login == "ana"
    monkeypatch.setattr(clock, "now", lambda: midnight + 6 * 60_000_000)
    assert refuse(envelope(request("getbalance"), security(inner))).fault == "Client"


ACTIONS = [
    pytest.param("", id="empty"),
    pytest.param('""', id="quoted empty"),
    pytest.param("sendsms", id="name"),
    pytest.param(f'"{NS}#sendsms"', id="quoted"),
    pytest.param(f"{NS}#sendsms", id="bare"),
    pytest.param('"http://elsewhere.example/anything"', id="unknown"),
]


@pytest.mark.parametrize("action", ACTIONS)
def test_soap_action_is_tolerated(action: str) -> None:
    assert read(request("sendsms", SEND), HTTP_SOAPACTION=action).method == "sendsms"


@pytest.mark.parametrize("action", ["getbalance", f'"{NS}#getbalance"'])
def test_soap_action_of_another_operation_is_refused(action: str) -> None:
    assert refuse(envelope(request("sendsms", SEND)), HTTP_SOAPACTION=action).kind == "ActionMismatch"


def test_action_of_soap_1_2_stands_in_the_content_type() -> None:
    message = envelope(request("sendsms", SEND), "", SOAP12)
    good = post(Listener(), message, f'{TYPES[SOAP12]}; action="{NS}#sendsms"')
    bad = refuse(message, f'{TYPES[SOAP12]}; action="{NS}#getbalance"', HTTP_SOAPACTION=f"{NS}#sendsms")
    assert (good.fault, bad.fault, bad.kind) == (None, "Sender", "ActionMismatch")


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        pytest.param("text/xml", None, id="declared nowhere"),
        pytest.param("TEXT/XML; Charset=UTF-8", "utf-8", id="upper case"),
        pytest.param("application/xml", "utf-8", id="application/xml"),
        pytest.param("text/xml; charset=iso-8859-1", "latin-1", id="Latin-1 by the header"),
        pytest.param("text/xml; charset=windows-1252", "cp1252", id="Windows by the header"),
        pytest.param("text/xml; charset=iso-8859-15", "iso-8859-15", id="Latin-9 by the header"),
        pytest.param("text/xml; charset=utf-16", "utf-16", id="UTF-16 with its mark"),
        pytest.param("text/xml", "utf-16-le", id="UTF-16 without mark, little end first"),
        pytest.param("text/xml", "utf-16-be", id="UTF-16 without mark, big end first"),
        pytest.param("text/xml; charset=utf-8", "utf-16", id="a mark wins over the header"),
        pytest.param("text/xml", "utf-8-sig", id="UTF-8 with its mark"),
    ],
)
def test_encodings(content_type: str, text: str | None) -> None:
    gateway = Listener()
    message = envelope(request("sendsms", {"sms": "Señal"})).decode().encode(text or "utf-8")
    assert post(gateway, message, content_type).fault is None
    assert gateway.call.parameters == {"sms": "Señal"}


@pytest.mark.parametrize("name", ["ISO-8859-1", "iso-8859-15", "windows-1252", "UTF-8", "utf-16"])
def test_encoding_of_the_xml_declaration(name: str) -> None:
    gateway = Listener()
    declared = f'<?xml version="1.0" encoding="{name}"?>\n' + envelope(request("sendsms", {"sms": "Señal"})).decode()
    assert post(gateway, declared.encode(name), "text/xml").fault is None
    assert gateway.call.parameters == {"sms": "Señal"}


def test_header_wins_over_the_xml_declaration() -> None:
    gateway = Listener()
    declared = '<?xml version="1.0" encoding="ISO-8859-1"?>' + envelope(request("sendsms", {"sms": "ñ"})).decode()
    assert post(gateway, declared.encode(), "text/xml; charset=utf-8").fault is None
    assert gateway.call.parameters == {"sms": "ñ"}


def test_media_type_of_the_other_version_is_tolerated() -> None:
    assert post(Listener(), envelope(request("sendsms", SEND), "", SOAP12), "text/xml").version == SOAP12
    assert post(Listener(), envelope(request("sendsms", SEND)), "application/soap+xml").version == SOAP11


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param('n:mustUnderstand="0"', id="need not be"),
        pytest.param('n:mustUnderstand="1" n:actor="urn:x" n:role="urn:x"', id="is for somebody else"),
        pytest.param('mustUnderstand="1"', id="not SOAP's attribute"),
        pytest.param("", id="nothing said"),
    ],
)
def test_header_block_is_passed_over(attributes: str, version: str) -> None:
    header = f'<x:Block xmlns:x="urn:x" xmlns:n="{version}" {attributes}/>'
    assert read(request("getbalance"), header, version).method == "getbalance"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("role", ["", "next"])
def test_header_block_that_must_be_understood_is_refused_by_name(version: str, role: str) -> None:
    name = "actor" if version == SOAP11 else "role"
    next_ = "http://schemas.xmlsoap.org/soap/actor/next" if version == SOAP11 else f"{SOAP12}/role/next"
    value = f'n:{name}="{next_ if role else ""}"'
    header = f'<x:Block xmlns:x="urn:x" xmlns:n="{version}" n:mustUnderstand="1" {value}/>'
    answer = refuse(envelope(request("getbalance"), header, version), TYPES[version])
    assert (answer.status, answer.fault) == (500, "MustUnderstand")
    assert answer.reason == "Not understood: {urn:x}Block."
    if version == SOAP12:
        (block,) = answer.root[0]
        prefix, _, local = block.get("qname").partition(":")
        assert (block.tag, block.nsmap[prefix], local) == (f"{{{SOAP12}}}NotUnderstood", "urn:x", "Block")


@pytest.mark.parametrize(
    ("content_type", "expected"), [("text/xml", SOAP11), ("application/soap+xml", SOAP12)], ids=["1.1", "1.2"]
)
def test_envelope_of_no_version_is_a_mismatch(content_type: str, expected: str) -> None:
    answer = refuse(envelope(request("getbalance"), "", "http://www.w3.org/2001/12/soap-envelope"), content_type)
    assert (answer.version, answer.status, answer.fault) == (expected, 500, "VersionMismatch")
    if expected == SOAP12:
        names = [block.nsmap[block.get("qname").partition(":")[0]] for block in answer.root[0][0]]
        assert names == [SOAP12, SOAP11]


def test_missing_operation_tells_its_namespace() -> None:
    answer = refuse(envelope("<sendsms/>"))
    assert answer.kind == "NoSuchOperation"
    assert answer.reason == f"The operation sendsms is in the namespace {NS}, not in none."


def test_escapes_of_the_tests_are_right() -> None:
    assert xml("<&>") == "&lt;&amp;&gt;"
