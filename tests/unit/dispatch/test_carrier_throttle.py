import pytest

from gateway.dispatch.throttle import LEAST, LIFT, Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_unlimited_lets_everything_leave(clock: Clock) -> None:
    throttle = Throttle(None, clock)
    throttle.spend(1_000_000)
    assert (throttle.allowance(), throttle.wait()) == (None, 0.0)


def test_a_limit_is_kept_over_time(clock: Clock) -> None:
    throttle = Throttle(100.0, clock)
    left = 0
    for _ in range(1000):
        allowed = throttle.allowance()
        assert allowed is not None
        throttle.spend(allowed)
        left += allowed
        clock.now += 0.01
    assert 1000 <= left <= 1000 + 10


def test_a_burst_is_a_tenth_of_a_second_however_long_nothing_left(clock: Clock) -> None:
    throttle = Throttle(100.0, clock)
    clock.now += 3600
    assert throttle.allowance() == 10


def test_a_slow_carrier_gets_one_at_a_time(clock: Clock) -> None:
    throttle = Throttle(0.5, clock)
    assert throttle.allowance() == 1
    throttle.spend(1)
    assert (throttle.allowance(), throttle.wait()) == (0, 2.0)
    clock.now += 2.0
    assert (throttle.allowance(), throttle.wait()) == (1, 0.0)


def test_what_left_beyond_the_limit_is_waited_for(clock: Clock) -> None:
    throttle = Throttle(1.0, clock)
    throttle.spend(3)
    assert (throttle.allowance(), throttle.wait()) == (0, 3.0)


@pytest.mark.parametrize(
    ("taken", "throttled", "rate"),
    [(0, 10, 50.0), (10, 10, 75.0), (99, 1, 99.5), (100, 0, 100.0)],
    ids=["all complain: half", "half complain: a quarter less", "one in a hundred: half a percent", "nobody"],
)
def test_complaints_slow_it_by_their_share(clock: Clock, taken: int, throttled: int, rate: float) -> None:
    throttle = Throttle(100.0, clock)
    throttle.answered(taken, throttled)
    assert throttle.rate == pytest.approx(rate)


def test_it_recovers_up_to_its_limit(clock: Clock) -> None:
    throttle = Throttle(1000.0, clock)
    throttle.answered(0, 1)
    assert throttle.rate == 500.0
    clock.now += 0.5
    throttle.allowance()
    assert throttle.rate == pytest.approx(500 * 2**0.5)
    clock.now += 10
    throttle.allowance()
    assert throttle.rate == 1000.0


def test_it_never_stops_altogether(clock: Clock) -> None:
    throttle = Throttle(100.0, clock)
    for _ in range(50):
        throttle.answered(0, 1)
    assert throttle.rate == LEAST
    slow = Throttle(2.0, clock)
    slow.answered(0, 1)
    assert slow.rate == 2.0


def test_without_a_limit_complaints_slow_it_from_what_it_took(clock: Clock) -> None:
    throttle = Throttle(None, clock)
    for _ in range(10):
        throttle.answered(400, 0)
        clock.now += 0.1
    throttle.answered(0, 400)
    assert throttle.rate is not None
    assert 1500 <= throttle.rate <= 2500


def test_without_a_limit_it_becomes_unlimited_again(clock: Clock) -> None:
    throttle = Throttle(None, clock)
    throttle.answered(0, 1)
    assert throttle.allowance() is not None
    for _ in range(20):
        clock.now += 1
        throttle.allowance()
    assert (throttle.rate, throttle.allowance()) == (None, None)
    assert LIFT < LEAST * 2**20
