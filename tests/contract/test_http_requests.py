"""Requests that are broken, repeat themselves or come in another form, through the front door."""

from xml.etree import ElementTree

import pytest

from tests.contract.cases import encodings
from tests.contract.cases.encodings import Case
from tests.contract.conftest import World
from tests.support.door import FORM, JSON, Login, error, form, given, multipart, reply
from tests.support.rawhttp import Response

NO_CLASS = "class: There is none of this name, only group, optout, sms, template, user."


def send(world: World, case: Case) -> Response:
    query = form(given(world.owner.access, case.operation)) + b"&" + case.query
    return world.door.send(query, case.content, case.content_type)


@pytest.mark.parametrize("case", encodings.CASES, ids=str)
def test_refused(world: World, case: Case) -> None:
    assert reply(send(world, case)) == error("INCORRECT_PARAM", case.detail)


@pytest.mark.parametrize("case", encodings.SAME[:-1], ids=str)
def test_taken(world: World, case: Case) -> None:
    assert reply(send(world, case))["status"] == "SUCCESS"


def test_no_body_of_any_type(world: World) -> None:
    assert reply(send(world, encodings.SAME[-1])) == error(
        "MISSING_COMPULSORY_PARAM", "sms: compulsory for sms.sendsms and not given."
    )


@pytest.mark.parametrize(
    ("class_name", "method", "code", "detail"),
    [
        pytest.param("SMS", "SENDSMS", "", "", id="capitals"),
        pytest.param("Sms", "sendSms", "", "", id="camel case"),
        pytest.param("smss", "sendsms", "INCORRECT_CLASS",
                     NO_CLASS, id="unknown class"),
        pytest.param(" sms", "sendsms", "INCORRECT_CLASS",
                     NO_CLASS, id="a space before it"),
        pytest.param("ſms", "sendsms", "INCORRECT_CLASS",
                     NO_CLASS, id="a long s"),
        pytest.param("user", "sendsms", "INCORRECT_METHOD", "method: The class user has getbalance.",
                     id="another class's method"),
        pytest.param("USER", "nosuch", "INCORRECT_METHOD", "method: The class user has getbalance.",
                     id="unknown method"),
        pytest.param("user", "getbalance\r\n", "INCORRECT_METHOD", "method: The class user has getbalance.",
                     id="a line end after it"),
        pytest.param("template", "x" * 5000, "INCORRECT_METHOD",
                     "method: The class template has addtemplate, deletetemplate, gettemplates.", id="endless"),
    ],
)  # fmt: skip
def test_class_and_method(world: World, class_name: str, method: str, code: str, detail: str) -> None:
    values = {"class": class_name, "method": method, "from": "Shop", "to": "34600000001", "sms": "Hi"}
    found = world.door.call(world.owner.access, "", values)
    assert found["status"] == "SUCCESS" if not code else found == error(code, detail)


@pytest.mark.parametrize(
    ("name", "code", "detail"),
    [
        ("user", "MISSING_USER", "Give the access's login as user."),
        ("password", "MISSING_PASSWORD", "Give the access's secret as password."),
        ("class", "MISSING_CLASS", "Give the class of the operation as class, for example sms."),
        ("method", "MISSING_METHOD", "Give the operation as method, for example sendsms."),
        ("from", "MISSING_COMPULSORY_PARAM", "from: compulsory for sms.sendsms and not given."),
        ("to", "MISSING_COMPULSORY_PARAM", "to: compulsory for sms.sendsms and not given."),
        ("sms", "MISSING_COMPULSORY_PARAM", "sms: compulsory for sms.sendsms and not given."),
    ],
)
@pytest.mark.parametrize("spelling", [str.upper, str.title, lambda name: f"{name} ", lambda name: f"{name}[]"],
                         ids=["capitals", "title", "a space", "brackets"])  # fmt: skip
def test_names_of_parameters_are_exact(world: World, spelling, name: str, code: str, detail: str) -> None:
    values = given(world.owner.access, "sms.sendsms", {"from": "Shop", "to": "34600000001", "sms": "Hi"})
    values[spelling(name)] = values.pop(name)
    assert reply(world.door.send(form(values))) == error(code, detail)


@pytest.mark.parametrize("more", [64_000, 65_000])
def test_query_of_64_kb(world: World, more: int) -> None:
    query = form(given(world.owner.access, "user.getbalance")) + b"&x=" + b"a" * more
    assert reply(world.door.send(query))["status"] == "SUCCESS"


def test_query_too_long(world: World) -> None:
    query = form(given(world.owner.access, "user.getbalance")) + b"&x=" + b"a" * 70_000
    found = world.door.send(query)
    assert (found.status, found.body) == (414, b"URI Too Long\n")


UNREADABLE = [
    pytest.param(b'{"user":"u"', JSON, "The body is not JSON: expecting ',' delimiter at line 1, column 12.",
                 id="JSON cut short"),
    pytest.param(b"user=u&password=p", "text/plain", encodings.TYPES, id="another type"),
    pytest.param(multipart({"user": "u"}), "multipart/form-data; boundary=x", encodings.MALFORMED,
                 id="another boundary"),
    pytest.param(b'{"user":"u","sms":"%s"}' % (b"a" * encodings.MAX_BODY), JSON, encodings.OVER, id="too large"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "content_type", "why"), UNREADABLE)
def test_what_was_in_a_body_that_cannot_be_read_is_missing(
    world: World, content: bytes, content_type: str, why: str
) -> None:
    """Each reply says why it was not found."""
    values: dict[str, str] = {}
    for name, code, text in (
        ("user", "MISSING_USER", "Give the access's login as user."),
        ("password", "MISSING_PASSWORD", "Give the access's secret as password."),
        ("class", "MISSING_CLASS", "Give the class of the operation as class, for example sms."),
        ("method", "MISSING_METHOD", "Give the operation as method, for example sendsms."),
    ):
        found = reply(world.door.send(form(values), content, content_type))
        assert found == error(code, f"{text} {why}")
        values[name] = given(world.owner.access, "sms.sendsms")[name]
    assert reply(world.door.send(form(values), content, content_type)) == error("INCORRECT_PARAM", why)


def test_credentials_at_the_beginning_of_a_body_over_the_limit_count(world: World) -> None:
    values = given(world.owner.access, "sms.sendsms", {"sms": "a" * encodings.MAX_BODY})
    assert reply(world.door.send(b"", form(values), FORM)) == error("INCORRECT_PARAM", encodings.OVER)


def xml(response: Response) -> str:
    assert (response.status, response.headers["content-type"]) == (200, "application/xml; charset=utf-8")
    ElementTree.fromstring(response.body)
    head, body = response.body.decode().split("\n", 1)
    assert head == '<?xml version="1.0" encoding="UTF-8"?>'
    return body


def as_xml(world: World, who: Login | None, operation: str, **values: str) -> str:
    return xml(world.door.send(form(given(who, operation, {**values, "output": "xml"}))))


def test_xml_of_a_send(world: World) -> None:
    found = as_xml(world, world.owner.access, "sms.sendsms", **{"from": "Shop"}, to="34600000001", sms="Hi")
    message_id = ElementTree.fromstring(found).findtext("result/messageid")
    assert found == (
        f"<response><status>SUCCESS</status><result><messageid>{message_id}</messageid><credits>1</credits>"
        "<encoding>GSM7</encoding><segments>1</segments></result><error/></response>"
    )
    assert world.door.cli("message", "show", message_id or "")["text"] == "Hi"


def test_xml_of_a_number(world: World) -> None:
    assert as_xml(world, world.poor.access, "user.getbalance") == (
        "<response><status>SUCCESS</status><result>0</result><error/></response>"
    )


def test_xml_of_a_list(world: World) -> None:
    customer = world.door.customer()
    empty = "<response><status>SUCCESS</status><result></result><error/></response>"
    assert as_xml(world, customer.access, "template.gettemplates") == empty
    ids = [
        world.door.call(customer.access, "template.addtemplate", {"title": title, "message": message})["result"]["id"]
        for title, message in (("a<b", "1 & 2"), ("]]>", "a\x01b\r\nc"))
    ]
    items = [("a&lt;b", "1 &amp; 2"), ("]]&gt;", "a\ufffdb&#13;\nc")]
    rows = "".join(
        f"<item><id>{id_}</id><title>{title}</title><message>{message}</message><type>mobile</type></item>"
        for id_, (title, message) in zip(ids, items, strict=True)
    )
    assert as_xml(world, customer.access, "template.gettemplates") == (
        f"<response><status>SUCCESS</status><result>{rows}</result><error/></response>"
    )


def test_xml_of_a_bulk_send(world: World) -> None:
    found = as_xml(
        world,
        world.owner.access,
        "sms.sendsmstogroup",
        **{"from": "Shop"},
        countrycode="34",
        idgroup=world.names["group"],
        sms="Hi",
    )
    tree = ElementTree.fromstring(found)
    ids = [element.text for element in tree.iterfind("result/destinations/item/messageid")]
    items = "".join(
        f"<item><messageid>{id_}</messageid><destination>3460000000{n}</destination></item>"
        for n, id_ in enumerate(ids, 1)
    )
    assert found == (
        f"<response><status>SUCCESS</status><result><id>{tree.findtext('result/id')}</id><count>2</count>"
        f"<credits>2</credits><destinations>{items}</destinations></result><error/></response>"
    )


@pytest.mark.parametrize(
    ("who", "code", "detail"),
    [
        (None, "MISSING_USER", "Give the access's login as user."),
        ("owner", "MISSING_COMPULSORY_PARAM", "sms: compulsory for sms.sendsms and not given."),
    ],
)
def test_xml_of_an_error(world: World, who: str | None, code: str, detail: str) -> None:
    login = world.owner.access if who else None
    assert as_xml(world, login, "sms.sendsms", **{"from": "Shop"}, to="34600000001") == (
        f"<response><status>ERROR</status><result/><error>{code}</error><detail>{detail}</detail></response>"
    )
