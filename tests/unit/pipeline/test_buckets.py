"""Buckets in a shared file: how they fill, empty, and what happens to the file."""

import threading
from pathlib import Path

import pytest

from gateway.pipeline.buckets import Buckets

SECOND = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now = 1000 * SECOND

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(buckets: Buckets, key: int, tries: int, interval: int = SECOND, burst: float = 3) -> int:
    return sum(buckets.take(key, interval, burst) for _ in range(tries))


def test_a_burst_then_one_each_interval(tmp_path: Path, clock: Clock) -> None:
    with Buckets(tmp_path / "b", 64, clock) as buckets:
        assert taken(buckets, 5, 10) == 3
        clock.now += SECOND - 1
        assert taken(buckets, 5, 10) == 0
        clock.now += 1
        assert taken(buckets, 5, 10) == 1
        clock.now += 100 * SECOND
        assert taken(buckets, 5, 10) == 3


def test_full_says_what_take_would(tmp_path: Path, clock: Clock) -> None:
    with Buckets(tmp_path / "b", 64, clock) as buckets:
        for _ in range(3):
            assert not buckets.full(5, SECOND, 3)
            assert buckets.take(5, SECOND, 3)
        assert buckets.full(5, SECOND, 3)
        clock.now += SECOND
        assert not buckets.full(5, SECOND, 3)


def test_what_is_given_back_can_be_taken_again(tmp_path: Path, clock: Clock) -> None:
    with Buckets(tmp_path / "b", 64, clock) as buckets:
        assert taken(buckets, 5, 3) == 3
        buckets.give_back(5, SECOND)
        assert taken(buckets, 5, 3) == 1


def test_giving_back_too_much_makes_no_larger_burst(tmp_path: Path, clock: Clock) -> None:
    with Buckets(tmp_path / "b", 64, clock) as buckets:
        for _ in range(9):
            buckets.give_back(5, SECOND)
        assert taken(buckets, 5, 9) == 3


def test_buckets_are_apart(tmp_path: Path, clock: Clock) -> None:
    with Buckets(tmp_path / "b", 1024, clock) as buckets:
        keys = [buckets.key("rate", str(number)) for number in range(50)]
        assert [taken(buckets, key, 5) for key in keys] == [3] * 50


def test_when_there_is_no_room_the_emptiest_gives_way(tmp_path: Path, clock: Clock) -> None:
    with Buckets(tmp_path / "b", 8, clock) as buckets:
        assert taken(buckets, 1000, 3) == 3
        for key in range(1, 8):
            assert buckets.take(key, SECOND, 3)
        assert buckets.take(2000, SECOND, 3)
        assert taken(buckets, 1000, 3) == 0


def test_a_time_of_before_a_reboot_counts_for_nothing(tmp_path: Path, clock: Clock) -> None:
    with Buckets(tmp_path / "b", 64, clock) as buckets:
        assert taken(buckets, 5, 3) == 3
        clock.now = SECOND
        assert not buckets.full(5, SECOND, 3)
        assert taken(buckets, 5, 9) == 3


def test_the_counts_outlive_the_process(tmp_path: Path, clock: Clock) -> None:
    with Buckets(tmp_path / "run" / "b", 64, clock) as buckets:
        key = buckets.key("rate", "1")
        assert taken(buckets, key, 2) == 2
    with Buckets(tmp_path / "run" / "b", 64, clock) as buckets:
        assert buckets.key("rate", "1") == key
        assert taken(buckets, key, 9) == 1


BROKEN = [
    ("empty", lambda whole: b""),
    ("cut short", lambda whole: whole[:-1]),
    ("too long", lambda whole: whole + b"\0"),
    ("of something else", lambda whole: b"SQLite format 3\0" + whole[16:]),
    ("of another version", lambda whole: whole[:8] + b"\xff" + whole[9:]),
]


@pytest.mark.parametrize("broken", [b[1] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_file_of_another_kind_is_made_anew(tmp_path: Path, clock: Clock, broken) -> None:
    path = tmp_path / "b"
    Buckets(path, 64, clock).close()
    path.write_bytes(broken(path.read_bytes()))
    with Buckets(path, 64, clock) as buckets:
        assert taken(buckets, 5, 9) == 3


def test_another_size_is_made_anew_beside_those_who_have_the_old_one(tmp_path: Path, clock: Clock) -> None:
    with Buckets(tmp_path / "b", 64, clock) as old, Buckets(tmp_path / "b", 128, clock) as new:
        assert taken(old, 5, 9) == 3
        assert taken(new, 5, 9) == 3


def test_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    Buckets(tmp_path / "b", 64).close()
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


@pytest.mark.parametrize("slots", [0, 4, 100])
def test_a_size_that_is_no_power_of_two_is_refused(tmp_path: Path, slots: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        Buckets(tmp_path / "b", slots)


def test_keys_of_two_files_differ_and_parts_do_not_run_together(tmp_path: Path) -> None:
    with Buckets(tmp_path / "a", 64) as one, Buckets(tmp_path / "b", 64) as other:
        assert one.key("x", "1") != other.key("x", "1")
        assert one.key("x", "1", "2") != one.key("x", "12")


def test_threads_do_not_take_more_than_there_is(tmp_path: Path, clock: Clock) -> None:
    with Buckets(tmp_path / "b", 64, clock) as buckets:
        counts: list[int] = []
        threads = [
            threading.Thread(target=lambda: counts.append(taken(buckets, 5, 300, burst=1000))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(counts) == 1000
