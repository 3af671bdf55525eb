"""One call with suds-community, from the WSDL; arguments, input and output as `zeep_client.py`'s."""

import json
import os
import sys
from datetime import datetime
from decimal import Decimal

from suds import WebFault
from suds.client import Client
from suds.sax.text import Text
from suds.transport.http import HttpAuthenticated
from suds.wsse import Security, UsernameToken

wsdl, version, operation, *action = sys.argv[1:]


def plain(value):
    """JSON of what suds gives: Decimal and datetime as texts, what is None left out."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "__keylist__"):
        return {name: plain(member) for name, member in value if member is not None}
    assert isinstance(value, Text | str | int | Decimal), type(value)
    return str(value)


words = sys.stdin.buffer.read().decode().split("\0")
values = dict(zip(words[::2], words[1::2], strict=False))
client = Client(wsdl, cache=None)
client.set_options(port="SmsSoap11" if version == "1.1" else "SmsSoap12")
if os.environ["CREDENTIALS"] == "token":
    security = Security()
    security.tokens.append(UsernameToken(values.pop("user"), values.pop("password")))
    client.set_options(wsse=security)
elif os.environ["CREDENTIALS"] == "basic":
    # Its ordinary transport waits to be asked by a 401, which a SOAP reply never is.
    client.set_options(transport=HttpAuthenticated(username=values.pop("user"), password=values.pop("password")))
if action:
    client.set_options(headers={"SOAPAction": f'"{action[0]}"'})
if operation == "operations":
    reply = list(client.wsdl.services[0].port(client.options.port).methods)
else:
    try:
        reply = plain(getattr(client.service, operation)(**values))
    except WebFault as problem:
        reply = {"fault": str(problem.fault.faultcode), "text": str(problem.fault.faultstring)}
json.dump(reply, sys.stdout)
