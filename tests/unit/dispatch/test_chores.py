import asyncio

import pytest

from gateway.dispatch import housekeeping
from gateway.dispatch.housekeeping import every
from gateway.storage.errors import Unavailable


@pytest.mark.parametrize("problem", [Unavailable("away"), ValueError("secret")], ids=["away", "a fault"])
def test_a_chore_that_fails_is_tried_again_and_its_trouble_is_said_once(
    problem: Exception, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(housekeeping, "PAUSE", 0.0)
    done = asyncio.Event()
    tries = 0

    async def chore() -> None:
        nonlocal tries
        tries += 1
        if tries <= 3:
            raise problem
        done.set()

    async def run() -> None:
        task = asyncio.create_task(every(0.0, chore))
        await asyncio.wait_for(done.wait(), 10)
        task.cancel()

    asyncio.run(run())
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 1
    assert "chore=chore" in said[0]
    assert "secret" not in said[0]
