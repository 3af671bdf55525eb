"""One call with zeep, from the WSDL.

Arguments: WSDL, version (1.1 or 1.2), operation, SOAPAction in place of the WSDL's if there is one. Parameters come
on standard input, names and values each ended by NUL; the variable CREDENTIALS says how user and password go, as
"elements", a WS-Security UsernameToken ("token") or by HTTP Basic ("basic"). Prints the reply or {fault, text} as
JSON, values as texts; for the operation `operations` the names of those in the WSDL.
"""

import json
import os
import sys
from datetime import datetime
from decimal import Decimal

from requests import Session
from zeep import Client, Plugin
from zeep.exceptions import Fault
from zeep.helpers import serialize_object
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

wsdl, version, operation, *action = sys.argv[1:]


class Misled(Plugin):
    """Puts another action where the one of the WSDL is."""

    def egress(self, envelope, http_headers, operation, binding_options):
        if version == "1.1":
            http_headers["SOAPAction"] = f'"{action[0]}"'
        else:
            http_headers["Content-Type"] = f'application/soap+xml; charset=utf-8; action="{action[0]}"'
        return envelope, http_headers


def plain(value):
    """JSON of what zeep gives: Decimal and datetime as texts, what is None left out."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    assert isinstance(value, str | int | Decimal), type(value)
    return str(value)


words = sys.stdin.buffer.read().decode().split("\0")
values = dict(zip(words[::2], words[1::2], strict=False))
credentials = os.environ["CREDENTIALS"]
session, token = Session(), None
if credentials == "token":
    token = UsernameToken(values.pop("user"), values.pop("password"))
elif credentials == "basic":
    session.auth = (values.pop("user"), values.pop("password"))
service = Client(
    wsdl,
    port_name="SmsSoap11" if version == "1.1" else "SmsSoap12",
    plugins=[Misled()] if action else [],
    wsse=token,
    transport=Transport(session=session),
)
if operation == "operations":
    reply = list(service.service._operations)
else:
    try:
        given = service.service[operation](**values)
        reply = plain(serialize_object(given, dict))
    except Fault as fault:
        reply = {"fault": fault.code, "text": fault.message}
json.dump(reply, sys.stdout)
