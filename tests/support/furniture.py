"""What each operation's example needs to find before it can succeed, made anew for each call."""

from collections.abc import Callable

from gateway.operations.catalogue import Operation
from tests.support.door import Customer, Door


def parameters(door: Door, customer: Customer, operation: Operation) -> dict[str, str]:
    """The operation's example with ids of what was just made for it, so that the call succeeds."""

    def made(operation_: str, /, **values: str) -> str:
        found: str = door.call(customer.access, operation_, values)["result"]["id"]
        return found

    def group() -> str:
        found = made("group.creategroup", name="All", fields="name,city")
        made("group.addcontact", idgroup=found, mobile="+34600000001", fields="name:Ana,city:Rome")
        return found

    def contact() -> str:
        found = made("group.creategroup", name="All", fields="name,city")
        return made("group.addcontact", idgroup=found, mobile="+34600000001", fields="name:Ana")

    def number() -> str:
        found = operation.example["number"]
        if operation.name == "optout.deleteoptout":
            assert door.outcome(customer.access, "optout.addoptout", {"number": found}) == "SUCCESS"
        return found

    makers: dict[str, Callable[[], str]] = {
        "idtemplate": lambda: made("template.addtemplate", title="Greeting", message="Hello <name>"),
        "idgroup": group,
        "idcontact": contact,
        "number": number,
    }
    return {name: makers[name]() if name in makers else value for name, value in operation.example.items()}
