"""The pipe that ties a process to its supervisor: when the supervisor ends, however it ends, the pipe closes."""

import os
import signal
import threading

VARIABLE = "TRUNKLINE_SUPERVISOR_FD"

# After it was asked to end, a process whose supervisor is gone has so many seconds.
GRACE = 20.0


class Lifeline:
    """The reading end of the supervisor's pipe, if this process has a supervisor."""

    def __init__(self) -> None:
        """Take the descriptor that `TRUNKLINE_SUPERVISOR_FD` names; no variable, no supervisor."""
        number = os.environ.get(VARIABLE)
        self._fd = int(number) if number else None

    def cut(self) -> bool:
        """Whether the supervisor is gone. Does not wait."""
        if self._fd is None:
            return False
        os.set_blocking(self._fd, False)
        try:
            return not os.read(self._fd, 1)
        except BlockingIOError:
            return False

    def watch(self) -> None:
        """From a thread of its own, end this process as SIGTERM does when the supervisor goes.

        If it has not ended `GRACE` seconds later it is ended at once. For processes that gevent has not patched.
        """
        if self._fd is not None:
            threading.Thread(target=self._wait, args=(self._fd,), name="lifeline", daemon=True).start()

    @staticmethod
    def _wait(fd: int) -> None:
        os.read(fd, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(GRACE)
        os._exit(1)
