"""Reading /proc: what processes cost."""

import os
import subprocess
import sys

import pytest

from bench import proc


@pytest.mark.parametrize(
    ("name", "line"),
    [
        pytest.param("gunicorn", "41 (gunicorn) S 7 41 7 0 -1 4194560 1 2 3 4 500 60 7 8 20 0 9 0 1", id="plain"),
        pytest.param("a b) (c", "41 (a b) (c) S 7 41 7 0 -1 4194560 1 2 3 4 500 60 7 8 20 0 9 0 1", id="parentheses"),
    ],
)
def test_stat_is_read(name: str, line: str) -> None:
    stat = proc.parse_stat(line)
    assert (stat.pid, stat.name, stat.parent) == (41, name, 7)
    assert (stat.user, stat.system, stat.children_user, stat.children_system) == (500, 60, 7, 8)
    assert stat.ticks == 575


def test_pss_is_read_in_bytes() -> None:
    rollup = "00400000-7ffd rollup\nRss:  5000 kB\nPss:  1234 kB\nPss_Anon:  99 kB\nPss_File: 1 kB\n"
    assert proc.parse_pss(rollup) == 1234 * 1024


def test_pss_that_is_missing_is_an_error() -> None:
    with pytest.raises(ValueError, match="Pss"):
        proc.parse_pss("Rss: 5000 kB\n")


def stat(pid: int, parent: int) -> proc.Stat:
    return proc.Stat(pid, "x", parent, 1, 1, 0, 0)


@pytest.mark.parametrize(
    ("roots", "members"),
    [
        pytest.param([10], {10, 11, 12, 13}, id="all below a root"),
        pytest.param([11], {11, 13}, id="a branch"),
        pytest.param([10, 11], {10, 11, 12, 13}, id="a root below another counts once"),
        pytest.param([20, 99], {20}, id="one that has ended is left out"),
    ],
)
def test_tree(roots: list[int], members: set[int]) -> None:
    pairs = [(1, 0), (10, 1), (11, 10), (12, 10), (13, 11), (20, 1)]
    processes = {pid: stat(pid, parent) for pid, parent in pairs}
    assert {member.pid for member in proc.tree(roots, processes)} == members


def test_cpu_of_a_child_is_counted_after_it_ended() -> None:
    """A child that has been waited for is in its parent's time."""
    before = proc.cpu_seconds([os.getpid()])
    busy = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
    subprocess.run([sys.executable, "-c", busy], check=True, timeout=30)
    assert proc.cpu_seconds([os.getpid()]) - before >= 0.2


def test_memory_of_this_process_is_found() -> None:
    assert proc.pss_bytes([os.getpid()]) > 2**20


def test_busy_time_of_the_machine_leaves_waiting_out() -> None:
    text = "cpu  100 20 30 4000 500 6 7 0 0 0\ncpu0 1 2 3 4 5 6 7 0 0 0\n"
    assert proc.parse_machine(text) == 100 + 20 + 30 + 6 + 7


def test_what_we_wait_for_is_not_of_others() -> None:
    before = proc.machine_seconds()
    others = proc.Others([])
    busy = "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    subprocess.run([sys.executable, "-c", busy], check=True, timeout=30)
    theirs = others.used() - others.before
    assert theirs <= proc.machine_seconds() - before - 0.4
