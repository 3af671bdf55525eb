from collections.abc import Callable

import pytest
from sqlalchemy import update

from gateway import clock
from gateway.storage.queries.dispatch import claims, leases, tick
from gateway.storage.queries.dispatch.leases import Lease, StaleLease
from gateway.storage.schema import carrier_lease
from tests.support.dispatch import NOW, World


def take(world: World, owner: str, dead: Callable[[str], bool] = lambda owner: False) -> Lease | None:
    return world.run(lambda connection: leases.acquire(connection, 1, owner, clock.HOUR, dead))


def expire(world: World) -> None:
    world.change(update(carrier_lease).values(until=1))


def test_one_owner_at_a_time(world: World) -> None:
    first = take(world, "first")
    assert first == Lease(1, "first", 1)
    assert take(world, "second") is None
    with world.database.read() as connection:
        assert not leases.is_free(connection, 1, lambda owner: False)


def test_an_expired_lease_is_taken_over_with_a_new_epoch(world: World) -> None:
    take(world, "first")
    expire(world)
    with world.database.read() as connection:
        assert leases.is_free(connection, 1, lambda owner: False)
    assert take(world, "second") == Lease(1, "second", 2)
    assert take(world, "first") is None


def test_a_dead_owner_is_not_waited_for(world: World) -> None:
    take(world, "first")
    assert take(world, "second", lambda owner: owner == "first") == Lease(1, "second", 2)


def test_a_released_lease_is_free_at_once(world: World) -> None:
    first = world.lease(owner="first")
    world.run(lambda connection: leases.release(connection, first))
    assert take(world, "second") == Lease(1, "second", 2)


def test_who_lost_the_lease_cannot_release_the_new_owners(world: World) -> None:
    first = world.lease(owner="first")
    expire(world)
    take(world, "second")
    world.run(lambda connection: leases.release(connection, first))
    assert take(world, "third") is None


def test_a_renewed_lease_outlives_its_first_end(world: World) -> None:
    first = world.lease(owner="first")
    expire(world)
    world.run(lambda connection: leases.renew(connection, first, clock.HOUR))
    assert take(world, "second") is None


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda c, lease: leases.renew(c, lease, clock.HOUR), id="renew"),
        pytest.param(lambda c, lease: tick.run(c, lease, tick.Work(room=10, limit=10), NOW), id="claim"),
        pytest.param(lambda c, lease: claims.recover(c, lease, "resend", NOW), id="recover"),
        pytest.param(lambda c, lease: claims.reclaim(c, lease, frozenset()), id="reclaim"),
    ],
)
@pytest.mark.parametrize("again", ["second", "first"])
def test_a_stale_epoch_is_refused_and_changes_nothing(world: World, write: Callable[..., object], again: str) -> None:
    stale = world.lease(owner="first")
    expire(world)
    assert take(world, again) is not None
    message_id = world.message()
    before = world.row(message_id)
    with pytest.raises(StaleLease):
        world.run(lambda connection: write(connection, stale))
    assert world.row(message_id) == before
