"""Values that cannot be, through the front door: each with its exact reply."""

from typing import Any

import pytest

from tests.contract.cases.calls import good
from tests.contract.cases.values import CASES, Case
from tests.contract.conftest import World
from tests.support.door import error


def call(world: World, operation: str, values: dict[str, str]) -> Any:
    filled = {name: world.fill(value) for name, value in (good(operation) | values).items()}
    return world.door.call(world.owner.access, operation, filled)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_value(world: World, case: Case) -> None:
    found = call(world, case.operation, case.values)
    if case.code:
        assert found == error(case.code, world.fill(case.detail))
    else:
        assert found["status"] == "SUCCESS", found


@pytest.mark.parametrize(
    "id_",
    ["0", str(2**53), str(2**63), "9" * 5000, "$other_message", "$template"],
    ids=["0", "2**53", "2**63", "huge", "another account's", "another kind"],
)
def test_message_that_is_not_the_accounts(world: World, id_: str) -> None:
    asked = world.fill(id_)
    assert call(world, "sms.getdeliverystatus", {"messages": f"{asked}, $message"})["result"][0] == {
        "messageid": asked,
        "sms": None,
        "deliverydate": None,
        "deliverystatus": "UNKNOWN",
    }
