"""A message that takes half a minute: sent by the fixture, before all other tests; near the last to be looked at."""

from datetime import datetime, timedelta

from tests.contract.conftest import World
from tests.support.wait import until


def test_delivered_after_half_a_minute(world: World) -> None:
    owner, message_id = world.owner.access, world.names["slow_message"]
    until(lambda: world.door.status(owner, message_id) == ["DELIVERED"], 60, "DELIVERED of 0009")
    shown = world.door.cli("message", "show", message_id)
    accepted, final = (datetime.fromisoformat(shown[name].replace("Z", "+00:00")) for name in ("accepted", "final"))
    assert final - accepted >= timedelta(seconds=29)
