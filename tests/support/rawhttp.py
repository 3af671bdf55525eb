"""HTTP by hand, for requests that no client library would send."""

import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """A TCP connection to a web server; what is sent is what is written."""

    def __init__(self, port: int, source: str = "127.0.0.1", timeout: float = 20) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout, source_address=(source, 0))
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def response(self, head: bool = False) -> Response:
        """Read one response; `head` says that none has a body. Raises EOFError when the connection ended."""
        line = self._file.readline()
        if not line:
            raise EOFError
        headers: dict[str, str] = {}
        while (field := self._file.readline()) not in (b"\r\n", b""):
            name, _, value = field.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return Response(int(line.split()[1]), headers, b"" if head else self._body(headers))

    def ended(self) -> bool:
        """Wait for the server's end of the connection; whether it came and nothing before it."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            whole = b""
            while size := int(self._file.readline(), 16):
                whole += self._file.read(size)
                self._file.readline()
            self._file.readline()
            return whole
        return self._file.read(int(headers.get("content-length", 0)))


def ask(port: int, request: bytes, source: str = "127.0.0.1", head: bool = False) -> Response:
    """Send one request over a connection of its own and read the response."""
    with Connection(port, source) as connection:
        connection.send(request)
        return connection.response(head)
