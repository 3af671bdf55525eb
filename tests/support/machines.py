"""Two machines' worth of roles on one database: each a data folder of its own, the same key file in all of them."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from gateway.storage.keyfile import KEY_FILE
from tests.support.smpp_role import STOP, Role


class Machine:
    """A machine that runs `trunkline dispatch` and `trunkline smpp`; `data` is its folder."""

    def __init__(self, data: Path, url: str, key: Path | None = None, **variables: str) -> None:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if key is not None:
            shutil.copy(key, data / KEY_FILE)
        self.data = data
        self._url = url
        self._variables = variables
        self._log = data / "dispatch.err"
        self._dispatch: subprocess.Popen[bytes] | None = None
        self._smpp: Role | None = None

    @property
    def smpp(self) -> Role:
        """Its SMPP server."""
        assert self._smpp is not None
        return self._smpp

    @property
    def dispatch(self) -> int:
        """The process id of its dispatcher."""
        assert self._dispatch is not None
        return self._dispatch.pid

    @property
    def errors(self) -> str:
        """What its dispatcher logged."""
        return self._log.read_text()

    def start(self) -> None:
        """Start both roles, and wait until the SMPP server answers."""
        self._smpp = Role(self.data, self._url, **self._variables)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
        with self._log.open("ab") as log:
            self._dispatch = subprocess.Popen(
                [sys.executable, "-m", "gateway", "dispatch", "--data", str(self.data)],
                env=clean | {"TRUNKLINE_DATABASE_URL": self._url, **self._variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._smpp.wait_ready()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to both roles."""
        for process in self._processes():
            process.send_signal(number)
        if number == signal.SIGKILL:
            for process in self._processes():
                process.wait(STOP)

    def stop(self) -> list[int]:
        """End both roles in good order; their exit statuses."""
        self.signal(signal.SIGTERM)
        return [process.wait(STOP) for process in self._processes()]

    def end(self) -> None:
        """End them, by force."""
        for process in self._processes():
            process.kill()
            process.wait()

    def _processes(self) -> list[subprocess.Popen[bytes]]:
        smpp = self._smpp.process if self._smpp is not None else None
        return [process for process in (smpp, self._dispatch) if process is not None]
