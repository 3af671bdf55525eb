"""A TCP relay that cuts the link after so many bytes of the server's: a link lost in the middle of a window."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Scissors:
    """Passes bytes on until the server has sent `after` of them, then cuts; once, and never again."""

    def __init__(self, target: tuple[str, int], after: int) -> None:
        self._target = target
        self._after: int | None = after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.cuts = 0

    @property
    def port(self) -> int:
        """Where it listens, on loopback."""
        return int(self._listener.getsockname()[1])

    def serve(self) -> None:
        """Accept until it is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def close(self) -> None:
        """Accept nobody any more."""
        self._listener.close()

    def _pass(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(4096):
                passed += len(data)
                if counted and self._after is not None and passed >= self._after:
                    self._after = None
                    self.cuts += 1
                    break
                sink.sendall(data)
        for link in (source, sink):
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)


@contextmanager
def scissors(port: int, after: int) -> Iterator[Scissors]:
    """A relay to a port of this machine."""
    relay = Scissors(("127.0.0.1", port), after)
    thread = threading.Thread(target=relay.serve, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        relay.close()
