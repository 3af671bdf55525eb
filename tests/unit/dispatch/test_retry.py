import pytest

from gateway import clock
from gateway.dispatch.retry import REFUSED, THROTTLED, Backoff


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [(1, 5), (2, 10), (3, 20), (7, 320), (8, 600), (9, 600), (30_000, 600)],
)
def test_waits_double_up_to_the_most(attempt: int, seconds: int) -> None:
    backoff = Backoff(5 * clock.SECOND, 600 * clock.SECOND, chance=lambda: 0.0)
    assert backoff.delay(attempt) == seconds * clock.SECOND


def test_chance_shortens_a_wait_by_up_to_a_quarter() -> None:
    assert Backoff(1000, 9000, chance=lambda: 0.5).delay(1) == 875
    assert Backoff(1000, 9000, chance=lambda: 1.0).delay(1) == 750


@pytest.mark.parametrize("backoff", [REFUSED, THROTTLED], ids=["refused", "throttled"])
def test_messages_that_failed_together_do_not_come_back_together(backoff: Backoff) -> None:
    waits = {backoff.delay(3) for _ in range(100)}
    assert len(waits) > 50
    assert all(backoff.first * 3 <= wait <= backoff.first * 4 for wait in waits)
