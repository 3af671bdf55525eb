"""A TCP relay that cuts the link after so many PDUs of the server's: a link lost in the middle of a window."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Scissors:
    """Passes bytes on until the server has sent `after` PDUs, then cuts; once, and never again.

    It cuts between PDUs: there are clients that take half a PDU at the end for a whole one.
    """

    def __init__(self, target: tuple[str, int], after: int) -> None:
        self._target = target
        self._after = after
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
                threading.Thread(target=self._pass, args=(client, server, self._all), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, self._some), daemon=True).start()

    def close(self) -> None:
        """Accept nobody any more."""
        self._listener.close()

    def _all(self, source: socket.socket, sink: socket.socket) -> None:
        while data := source.recv(4096):
            # What comes after the cut is read still: unread, it would take back what was passed on before.
            with suppress(OSError):
                sink.sendall(data)

    def _some(self, source: socket.socket, sink: socket.socket) -> None:
        with source.makefile("rb") as stream:
            while head := stream.read(4):
                sink.sendall(head + stream.read(int.from_bytes(head, "big") - 4))
                self._after -= 1
                if self._after == 0:
                    self.cuts += 1
                    return

    def _pass(self, source: socket.socket, sink: socket.socket, how: "Pass") -> None:
        with suppress(OSError):
            how(source, sink)
        with suppress(OSError):
            source.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


Pass = Callable[[socket.socket, socket.socket], None]


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
