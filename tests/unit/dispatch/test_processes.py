import os
import subprocess
import sys

from gateway.dispatch.holder import Processes


def test_this_process_lives() -> None:
    processes = Processes()
    assert not processes.is_dead(processes.me)
    assert processes.me == Processes().me
    assert len(processes.me) <= 64


def test_a_process_that_ended_is_dead() -> None:
    code = "from gateway.dispatch.holder import Processes; print(Processes().me)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert Processes().is_dead(found.stdout.strip())


def test_another_process_with_the_same_number_is_not_the_owner() -> None:
    processes = Processes()
    machine, pid, started = processes.me.split("-")
    assert pid == str(os.getpid())
    assert processes.is_dead(f"{machine}-{pid}-{int(started) - 1}")


def test_nothing_is_known_of_another_machine() -> None:
    _, pid, _ = Processes().me.split("-")
    assert not Processes().is_dead(f"00000000-{pid}-1")
    assert not Processes().is_dead("")
