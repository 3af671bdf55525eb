"""The published SOAP contract: what the generator makes, in a form that every client reads, and never broken."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from lxml import etree

from gateway.cli import cli
from gateway.frontends.soap.generator import document
from gateway.frontends.soap.generator.__main__ import main
from gateway.frontends.soap.generator.record import Line, Record, breaks
from gateway.frontends.soap.schema import contract
from gateway.operations.catalogue import CATALOGUE, Operation
from tests.support.soap import NS, ROOT, SCHEMA

FOLDER = ROOT / "wsdl"
XS = "{http://www.w3.org/2001/XMLSchema}"
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
PUBLISHED = Record.read(FOLDER)
REQUESTS = [method for _, method in CATALOGUE]


@pytest.fixture(scope="module")
def generated() -> Any:
    return document.generated(PUBLISHED.order)


@pytest.fixture(scope="module")
def wsdl() -> Any:
    return etree.parse(FOLDER / "sms.wsdl").getroot()


def test_wsdl_is_what_the_generator_makes(generated: Any) -> None:
    assert (FOLDER / "sms.wsdl").read_bytes() == document.wsdl(generated), "run `make wsdl`"


def test_schema_is_what_the_generator_makes(generated: Any) -> None:
    assert (FOLDER / "sms.xsd").read_bytes() == document.xsd(generated), "run `make wsdl`"


def test_no_deployed_client_breaks(generated: Any) -> None:
    assert breaks(PUBLISHED, Record.of(document.xsd(generated)), REQUESTS) == []


def test_everything_published_is_on_record(generated: Any) -> None:
    now = Record.of(document.xsd(generated))
    assert PUBLISHED.extended(now) == PUBLISHED, "run `make wsdl`"


SENT = Line("SentReply", "result", "tns:Sent", "0", "1")
FROM = Line("sendsms", "from", "xs:string", "1", "1")
KEY = Line("sendsms", "idempotencykey", "xs:string", "0", "1")
OLD = Record("urn:x:1", (SENT, FROM, KEY))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param((SENT, FROM, KEY), [], id="the same"),
        pytest.param((FROM, KEY), ["result of SentReply is gone"], id="element removed"),
        pytest.param(
            (replace(SENT, kind="xs:string"), FROM, KEY),
            ["result of SentReply was tns:Sent (at most 1), is xs:string (at most 1)"],
            id="element retyped",
        ),
        pytest.param(
            (replace(SENT, most="unbounded"), FROM, KEY),
            ["result of SentReply was tns:Sent (at most 1), is tns:Sent (at most unbounded)"],
            id="one became many",
        ),
        pytest.param(
            (replace(SENT, least="1"), FROM, KEY),
            ["result of SentReply occurred at least 0, now 1 times"],
            id="reply's element became compulsory",
        ),
        pytest.param((SENT, replace(FROM, least="0"), KEY), [], id="parameter became optional"),
        pytest.param(
            (SENT, FROM, replace(KEY, least="1")),
            ["idempotencykey of sendsms occurred at least 0, now 1 times"],
            id="parameter became compulsory",
        ),
        pytest.param((SENT, FROM, KEY, replace(KEY, name="more")), [], id="optional parameter added"),
        pytest.param(
            (SENT, FROM, KEY, replace(FROM, name="more")),
            ["more of sendsms is new and compulsory"],
            id="compulsory parameter added",
        ),
        pytest.param((SENT, FROM, KEY, replace(SENT, name="more", least="1")), [], id="reply grew"),
        pytest.param((SENT, FROM, KEY, Line("new", "a", "xs:string", "1", "1")), [], id="operation added"),
    ],
)
def test_what_breaks_a_client(now: tuple[Line, ...], expected: list[str]) -> None:
    assert breaks(OLD, Record("urn:x:1", now), ["sendsms", "new"]) == expected


def test_a_new_version_of_the_contract_may_change_everything() -> None:
    assert breaks(OLD, Record("urn:x:2", ()), ["sendsms"]) == []


def test_new_members_come_after_published_ones() -> None:
    assert OLD.order("sendsms", ["idempotencykey", "new", "from"]) == ["from", "idempotencykey", "new"]


def test_generator_refuses_to_break_clients(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = Line("SentReply", "gone", "xs:string", "0", "1")
    Record(NS, (*PUBLISHED.lines, gone)).write(tmp_path)
    assert main(tmp_path) == 1
    assert "gone of SentReply is gone" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["elements.txt"]


def test_generator_keeps_what_was_published(tmp_path: Path) -> None:
    PUBLISHED.write(tmp_path)
    assert main(tmp_path) == 0
    for name in ("sms.wsdl", "sms.xsd", "elements.txt"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


def test_installed_package_serves_the_published_documents() -> None:
    for name in ("sms.wsdl", "sms.xsd"):
        assert (ROOT / "gateway/frontends/soap" / name).read_bytes() == (FOLDER / name).read_bytes()


def test_schema_stands_alone_and_in_the_wsdl_alike(wsdl: Any) -> None:
    alone = etree.parse(FOLDER / "sms.xsd").getroot()
    within = wsdl.find(f"{WSDL}types/{XS}schema")
    assert _canonical(within) == _canonical(alone)


def test_schema_is_valid_and_qualified(wsdl: Any) -> None:
    schema = wsdl.find(f"{WSDL}types/{XS}schema")
    assert SCHEMA is not None
    assert schema.get("elementFormDefault") == "qualified"
    assert schema.get("targetNamespace") == wsdl.get("targetNamespace") == NS


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(f".//{XS}import", id="imports"),
        pytest.param(f".//{XS}include", id="includes"),
        pytest.param(f".//{XS}any", id="wildcards"),
        pytest.param(f".//{XS}choice", id="choices"),
        pytest.param(f".//{XS}all", id="unordered groups"),
        pytest.param(f".//{XS}enumeration", id="enumerations"),
        pytest.param(f".//{XS}attribute", id="attributes"),
        pytest.param(".//*[@nillable='true']", id="nillable elements"),
        pytest.param(".//*[@parameterOrder]", id="parameterOrder"),
    ],
)
def test_contract_has_no(wsdl: Any, path: str) -> None:
    assert wsdl.findall(path) == []


def test_every_declared_namespace_is_used(wsdl: Any) -> None:
    text = (FOLDER / "sms.wsdl").read_text("utf-8")
    assert "soap/encoding" not in text
    for element in wsdl.iter():
        for prefix in element.nsmap:
            assert f"<{prefix}:" in text or f'"{prefix}:' in text, prefix


def test_elements_stand_in_the_order_of_wsdl_1_1(wsdl: Any) -> None:
    order = ["types", "message", "portType", "binding", "service"]
    found = [etree.QName(child).localname for child in wsdl]
    assert found == sorted(found, key=order.index)


def test_messages_are_wrapped_documents(wsdl: Any) -> None:
    for message in wsdl.iterfind(f"{WSDL}message"):
        (part,) = message
        assert part.get("name") == "parameters"
        assert part.get("element") == f"tns:{message.get('name')}"
    literal = {body.get("use") for soap in _bindings() for body in wsdl.iter(f"{{{soap}}}body")}
    styles = {binding.get("style") for soap in _bindings() for binding in wsdl.iter(f"{{{soap}}}binding")}
    assert (literal, styles) == ({"literal"}, {"document"})


def test_one_service_has_a_port_for_each_version_at_one_address(wsdl: Any) -> None:
    (service,) = wsdl.findall(f"{WSDL}service")
    assert [port.get("name") for port in service] == ["SmsSoap11", "SmsSoap12"]
    assert [etree.QName(port[0]).namespace for port in service] == list(_bindings())
    assert len({port[0].get("location") for port in service}) == 1


@pytest.mark.parametrize("operation", CATALOGUE.values(), ids=lambda one: one.name)
def test_request_has_the_names_of_the_wire(operation: Operation) -> None:
    schema = etree.parse(FOLDER / "sms.xsd").getroot()
    expected = {"user": "0", "password": "0"}
    for name, field in operation.parameters.model_fields.items():
        expected[field.alias or name] = "1" if field.is_required() else "0"
    found = {element.get("name"): element.get("minOccurs", "1") for element in _members(schema, operation.method)}
    assert found == expected
    assert {element.get("type") for element in _members(schema, operation.method)} == {"xs:string"}


@pytest.mark.parametrize("operation", CATALOGUE.values(), ids=lambda one: one.name)
def test_response_is_one_element_of_status_result_error_and_detail(operation: Operation) -> None:
    schema = etree.parse(FOLDER / "sms.xsd").getroot()
    (outer,) = _members(schema, f"{operation.method}Response")
    assert outer.get("name") == f"{operation.method}Result"
    members = _members(schema, outer.get("type").removeprefix("tns:"))
    assert [(one.get("name"), one.get("minOccurs", "1")) for one in members] == [
        ("status", "1"),
        ("result", "0"),
        ("error", "0"),
        ("detail", "0"),
    ]


def test_every_operation_is_served_and_no_other() -> None:
    assert {one.operation.name for one in contract().methods.values()} == {one.name for one in CATALOGUE.values()}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, "http://127.0.0.1:8080/api/soap/", id="nothing told"),
        pytest.param({"TRUNKLINE_HTTP": "0.0.0.0:81"}, "http://127.0.0.1:81/api/soap/", id="listens everywhere"),
        pytest.param({"TRUNKLINE_HTTP": "[::1]:81"}, "http://[::1]:81/api/soap/", id="IPv6"),
        pytest.param(
            {"TRUNKLINE_PUBLIC_URL": "https://sms.example.com/a&b/"},
            "https://sms.example.com/a&b/api/soap/",
            id="public URL",
        ),
    ],
)
def test_command_prints_it_with_the_configured_address(options: dict[str, str], expected: str) -> None:
    result = CliRunner().invoke(cli, ["wsdl"], env=options, prog_name="trunkline")
    assert result.exit_code == 0
    root = etree.fromstring(result.stdout.encode())
    found = [root.find(f".//{{{soap}}}address").get("location") for soap in _bindings()]
    assert found == [expected, expected]


def test_serving_needs_neither_spyne_nor_lxml() -> None:
    code = (
        "import sys; sys.modules.update(spyne=None, lxml=None)\n"
        "from gateway.frontends import web_modules\n"
        "from gateway.frontends.soap.schema import contract\n"
        "print('gateway.frontends.soap' in [m.__name__ for m in web_modules()], len(contract().methods))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", str(len(CATALOGUE))]


def _bindings() -> Iterator[str]:
    yield from ("http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/")


def _members(schema: Any, kind: str) -> list[Any]:
    return list(schema.iterfind(f"{XS}complexType[@name='{kind}']/{XS}sequence/{XS}element"))


def _canonical(element: Any) -> bytes:
    alone = etree.fromstring(etree.tostring(element), etree.XMLParser(remove_blank_text=True))
    text: bytes = etree.tostring(alone, method="c14n", exclusive=True)
    return text
