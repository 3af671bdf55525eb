"""Rates of accesses."""

from pathlib import Path

import pytest

from gateway.operations.errors import Code, Refusal
from gateway.pipeline.buckets import Buckets
from gateway.pipeline.limit import Limiter
from tests.support.calls import an_access

SECOND = 1_000_000_000
now = 50 * SECOND

CASES = [
    ("one a second", 1.0, 1, 1),
    ("ten a second", 10.0, 1, 10),
    ("one in ten seconds", 0.1, 1, 1),
    ("ten a second on two machines", 10.0, 2, 5),
    ("one a second on three machines", 1.0, 3, 1),
    ("no machine known yet", 10.0, 0, 10),
    ("a fraction more", 2.5, 1, 2),
    ("nothing", 0.0, 1, 0),
]


def allowed(limiter: Limiter, rate: float | None, tries: int, access_id: int = 3) -> int:
    count = 0
    for _ in range(tries):
        try:
            limiter.check(an_access(id=access_id, rate=rate))
        except Refusal as refusal:
            assert refusal.code is Code.TOO_MANY_REQUESTS
        else:
            count += 1
    return count


@pytest.mark.parametrize(("rate", "machines", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_a_second_allows_may_come_at_once(tmp_path: Path, rate: float, machines: int, expected: int) -> None:
    with Buckets(tmp_path / "b", 64, lambda: now) as buckets:
        assert allowed(Limiter(buckets, lambda: machines), rate, 30) == expected


def test_in_the_long_run_the_rate_holds(tmp_path: Path) -> None:
    time = [now]
    with Buckets(tmp_path / "b", 64, lambda: time[0]) as buckets:
        limiter = Limiter(buckets)
        count = 0
        for _ in range(1000):  # 100 tries a second for ten seconds
            time[0] += SECOND // 100
            count += allowed(limiter, 20.0, 1)
    assert 200 <= count <= 220


def test_accesses_do_not_share(tmp_path: Path) -> None:
    with Buckets(tmp_path / "b", 1024, lambda: now) as buckets:
        limiter = Limiter(buckets)
        assert [allowed(limiter, 2.0, 5, access_id) for access_id in (1, 2)] == [2, 2]


def test_an_access_without_a_rate_is_not_counted(tmp_path: Path) -> None:
    with Buckets(tmp_path / "b", 64, lambda: now) as buckets:
        before = (tmp_path / "b").read_bytes()
        assert allowed(Limiter(buckets), None, 1000) == 1000
        assert (tmp_path / "b").read_bytes() == before


@pytest.mark.parametrize(("rate", "named"), [(5.0, "5 calls"), (0.5, "0.5 calls"), (1000.0, "1000 calls")])
def test_the_refusal_names_the_rate(tmp_path: Path, rate: float, named: str) -> None:
    with Buckets(tmp_path / "b", 64, lambda: now) as buckets:
        limiter = Limiter(buckets)
        allowed(limiter, rate, 1000)
        with pytest.raises(Refusal, match=named):
            limiter.check(an_access(rate=rate))
