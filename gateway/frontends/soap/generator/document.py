"""The published documents: what spyne generates, put into the form that old and strict clients read alike.

spyne's WSDL has one port, names each message's part after the message (gSOAP and JAX-WS recognise the wrapped
style by the name `parameters`), a parameterOrder that means nothing for one part, namespaces that nothing uses,
an invented transport and its elements in an order that WSDL 1.1 does not allow (section 2.1 and its schema).
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from lxml import etree

from gateway.frontends.soap.generator.declaration import NAMESPACE, Order, application
from gateway.operations.catalogue import CATALOGUE

ADDRESS = "http://127.0.0.1:8080/api/soap/"
"""Stands in the published document where each installation puts its own."""

_XS = "http://www.w3.org/2001/XMLSchema"
_WSDL = "http://schemas.xmlsoap.org/wsdl/"
_SOAP11 = "http://schemas.xmlsoap.org/wsdl/soap/"
_SOAP12 = "http://schemas.xmlsoap.org/wsdl/soap12/"
_HTTP = "http://schemas.xmlsoap.org/soap/http"
_KEPT = {"xs": _XS, "wsdl": _WSDL, "soap": _SOAP11, "soap12": _SOAP12, "tns": NAMESPACE}
_SERVICE = "Trunkline"
_PORTS = (("SmsSoap11", _SOAP11), ("SmsSoap12", _SOAP12))


def action(method: str) -> str:
    """The SOAPAction of an operation."""
    return f"{NAMESPACE}#{method}"


def generated(order: Order) -> Any:
    """What spyne makes; `order` gives each type's members in their published order."""
    from spyne.interface.wsdl import Wsdl11  # noqa: PLC0415 (declaration has prepared the import)

    document = Wsdl11(application(lambda *_: None, order).interface)
    document.build_interface_document(ADDRESS)
    return etree.fromstring(document.get_interface_document(), etree.XMLParser(resolve_entities=False))


def wsdl(raw: Any) -> bytes:
    """The WSDL 1.1 document, with the schema in it, from what is `generated`."""
    raw = deepcopy(raw)
    root = etree.Element(f"{{{_WSDL}}}definitions", nsmap=_KEPT, name=_SERVICE, targetNamespace=NAMESPACE)
    types = etree.SubElement(root, f"{{{_WSDL}}}types")
    types.append(_schema(raw, {"xs": _XS, "tns": NAMESPACE}))
    root.extend(_messages(raw))
    root.append(_port_type(raw))
    for name, soap in _PORTS:
        root.append(_binding(name, soap))
    root.append(_service())
    etree.cleanup_namespaces(root, keep_ns_prefixes=["tns", "xs"])
    return _written(root)


def xsd(raw: Any) -> bytes:
    """The schema as a document of its own, from what is `generated`."""
    return _written(_schema(raw, {"xs": _XS, "tns": NAMESPACE}))


def _schema(raw: Any, nsmap: dict[str, str]) -> Any:
    """The types in the order of their names, then the elements that messages are made of."""
    found = raw.find(f".//{{{_XS}}}schema")
    schema = etree.Element(f"{{{_XS}}}schema", nsmap=nsmap, attrib=dict(found.attrib))
    kinds = {kind.get("name"): kind for kind in found.iterfind(f"{{{_XS}}}complexType")}
    for name in sorted(kinds):
        kind = deepcopy(kinds[name])
        if kind.find(f"{{{_XS}}}sequence") is None:
            etree.SubElement(kind, f"{{{_XS}}}sequence")
        schema.append(kind)
    messages = {name for method in _methods() for name in (method, f"{method}Response")}
    elements = {element.get("name"): element for element in found.iterfind(f"{{{_XS}}}element")}
    schema.extend(deepcopy(elements[name]) for name in sorted(messages))
    etree.cleanup_namespaces(schema, keep_ns_prefixes=["tns"])
    return schema


def _messages(raw: Any) -> Iterator[Any]:
    found = {message.get("name"): message for message in raw.iterfind(f"{{{_WSDL}}}message")}
    for name in sorted(found):
        (part,) = found[name]
        part.set("name", "parameters")
        yield found[name]


def _port_type(raw: Any) -> Any:
    port_type = raw.find(f"{{{_WSDL}}}portType")
    port_type[:] = sorted(port_type, key=lambda operation: operation.get("name"))
    for operation in port_type:
        del operation.attrib["parameterOrder"]
    return port_type


def _binding(name: str, soap: str) -> Any:
    binding = etree.Element(f"{{{_WSDL}}}binding", nsmap=_KEPT, name=name, type="tns:Sms")
    etree.SubElement(binding, f"{{{soap}}}binding", style="document", transport=_HTTP)
    for method in _methods():
        operation = etree.SubElement(binding, f"{{{_WSDL}}}operation", name=method)
        etree.SubElement(operation, f"{{{soap}}}operation", soapAction=action(method), style="document")
        for direction, message in (("input", method), ("output", f"{method}Response")):
            side = etree.SubElement(operation, f"{{{_WSDL}}}{direction}", name=message)
            etree.SubElement(side, f"{{{soap}}}body", use="literal")
    return binding


def _service() -> Any:
    service = etree.Element(f"{{{_WSDL}}}service", nsmap=_KEPT, name=_SERVICE)
    for name, soap in _PORTS:
        port = etree.SubElement(service, f"{{{_WSDL}}}port", name=name, binding=f"tns:{name}")
        etree.SubElement(port, f"{{{soap}}}address", location=ADDRESS)
    return service


def _methods() -> list[str]:
    return sorted(operation.method for operation in CATALOGUE.values())


def _written(root: Any) -> bytes:
    etree.indent(root)
    text: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return text.replace(b"version='1.0' encoding='UTF-8'", b'version="1.0" encoding="UTF-8"') + b"\n"
