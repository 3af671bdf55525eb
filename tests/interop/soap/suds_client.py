"""One call with suds-community, from the WSDL; arguments, input and output as `zeep_client.py`'s."""

import json
import sys
from datetime import datetime
from decimal import Decimal

from suds import WebFault
from suds.client import Client
from suds.sax.text import Text

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


client = Client(wsdl, cache=None)
client.set_options(port="SmsSoap11" if version == "1.1" else "SmsSoap12")
if action:
    client.set_options(headers={"SOAPAction": f'"{action[0]}"'})
if operation == "operations":
    reply = list(client.wsdl.services[0].port(client.options.port).methods)
else:
    words = sys.stdin.buffer.read().decode().split("\0")
    try:
        reply = plain(getattr(client.service, operation)(**dict(zip(words[::2], words[1::2], strict=False))))
    except WebFault as problem:
        reply = {"fault": str(problem.fault.faultcode), "text": str(problem.fault.faultstring)}
json.dump(reply, sys.stdout)
