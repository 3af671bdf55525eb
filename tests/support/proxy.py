"""A TCP proxy before PostgreSQL that cuts the link where a test says: before COMMIT, during it, after it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Literal

from sqlalchemy import URL, make_url

Cut = Literal["before", "during", "after"]


class Proxy:
    """Passes bytes on; `url` is how the database is reached through it.

    `cut` is armed for one COMMIT: `before` it reaches the server, `during` (the server has it, its answer is
    not waited for), `after` the server's answer, which the client never sees. While `away`, links end at once.
    """

    def __init__(self, url: str) -> None:
        self._target = make_url(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.cut: Cut | None = None
        self.cuts = 0
        self._away = threading.Event()
        self._links: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        target: URL = self._target.set(host="127.0.0.1", port=self._listener.getsockname()[1])
        return target.set(query={}).render_as_string(hide_password=False)

    def leave(self) -> None:
        """Cut every link, and each new one."""
        self._away.set()
        for link in list(self._links):
            _shut(link)

    def come_back(self) -> None:
        self._away.clear()

    def close(self) -> None:
        self.leave()
        _shut(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._away.is_set():
                    client.close()
                    continue
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with closing(client), closing(self._connect()) as server:
            self._links |= {client, server}
            answers = _Answers(server, client)
            with suppress(OSError):
                while data := client.recv(65_536):
                    if self.cut is not None and b"COMMIT\0" in data:
                        self._cut(client, server, answers, data)
                        break
                    server.sendall(data)
            if not answers.silent:
                _shut(server)
            _shut(client)
            answers.thread.join(10)
            self._links -= {client, server}

    def _cut(self, client: socket.socket, server: socket.socket, answers: "_Answers", data: bytes) -> None:
        cut, self.cut = self.cut, None
        self.cuts += 1
        if cut == "before":
            return
        answers.silent = True
        if cut == "during":
            _shut(client)
        server.sendall(data)
        if cut == "after":
            answers.came.wait(10)

    def _connect(self) -> socket.socket:
        host = self._target.host or self._target.query.get("host")
        port = self._target.port or 5432
        if isinstance(host, str) and host.startswith("/"):
            link = socket.socket(socket.AF_UNIX)
            link.connect(str(Path(host) / f".s.PGSQL.{port}"))
            return link
        return socket.create_connection((str(host), port))


class _Answers:
    """What the server says, passed on to the client until it is `silent`."""

    def __init__(self, server: socket.socket, client: socket.socket) -> None:
        self.silent = False
        self.came = threading.Event()
        self._server = server
        self._client = client
        self.thread = threading.Thread(target=self._pump, daemon=True)
        self.thread.start()

    def _pump(self) -> None:
        with suppress(OSError):
            while data := self._server.recv(65_536):
                if self.silent:
                    self.came.set()
                    break
                self._client.sendall(data)
        _shut(self._client)


def _shut(link: socket.socket) -> None:
    with suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxied(url: str) -> Iterator[Proxy]:
    """A proxy before the PostgreSQL database at `url`."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
