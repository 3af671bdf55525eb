"""The web server: gunicorn's worker on gevent's pywsgi, with limits against slow and oversized clients.

Reading a request, taking a response: each has its time, after which the connection is closed. A body is read
before the application is called, so no call in progress waits for a slow client.
"""

import io
import os
import socket
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent import pywsgi
from gevent.socket import socket as gevent_socket
from gunicorn.workers.ggevent import GeventPyWSGIWorker

from gateway import logs
from gateway.frontends.body import LOOKED_AT
from gateway.hosting import http1
from gateway.hosting.http1 import Malformed

# Seconds a connection may be idle before a request line, fewer when nearly all places are taken; then for the
# rest of the head, for the body, and for taking each piece of the response.
IDLE = 30.0
IDLE_WHEN_CROWDED = 1.0
HEAD = 10.0
BODY = 60.0
RESPONSE = 60.0
# A client that is refused while it sends is read for so long and so much, so that it gets to see why.
LINGER = 2.0
LINGER_BYTES = 64 * 1_048_576
# Connections of a worker.
CONNECTIONS = 1_000
_CROWDED = CONNECTIONS * 9 // 10
# While it lasts, the worker looks after its connections and its master so often.
_LOOK = 0.2
# Responses up to this size leave in one piece with their head.
_ONE_PIECE = 65_536

_monotonic = time.monotonic


class Body(io.BytesIO):
    """A request's body, whole: what the application reads it from."""

    def _discard(self) -> None:
        """pywsgi calls this after the application; nothing is left on the connection."""


class Handler(pywsgi.WSGIHandler):  # type: ignore[misc]
    """One connection."""

    deadline: float = 0.0
    idle: bool = True

    def handle(self) -> None:
        """Serve the connection until it ends; remembered meanwhile, for its deadline."""
        connections = self.server.connections
        connections.add(self)
        try:
            super().handle()
        finally:
            connections.discard(self)

    def handle_one_request(self) -> Any:
        """Read one request and answer it: None ends the connection, True asks for the next."""
        self.idle = True
        self.deadline = _monotonic() + IDLE
        if self.server.stopping:
            return None
        try:
            line = self.rfile.readline(http1.MAX_LINE + 2)
            if line in (b"\r\n", b"\n"):  # RFC 9112, section 2.2
                line = self.rfile.readline(http1.MAX_LINE + 2)
            if not line:
                return None
            self.idle = False
            self.deadline = _monotonic() + HEAD
            linger = self._read(line)
        except Malformed as malformed:
            return self._refuse(malformed)
        except (OSError, EOFError, ValueError):
            return None
        self.deadline = 0.0
        self.application = self.server.application
        self.handle_one_response()
        if linger:
            self._linger()
            return None
        return None if self.close_connection or self.rfile.closed else True

    def _read(self, line: bytes) -> bool:
        """Read head and body; whether more of the body is under way than will be read."""
        env = self.server.get_environ()
        self.command, env["PATH_INFO"], env["QUERY_STRING"], version = http1.request_line(line)
        self.request_version = version
        env["REQUEST_METHOD"] = self.command
        env["SERVER_PROTOCOL"] = version
        http1.fields(self.rfile.readline, env)
        address = self.client_address
        env["REMOTE_ADDR"] = address[0]
        env["REMOTE_PORT"] = str(address[1])
        env["wsgi.input_terminated"] = True
        connection = env.get("HTTP_CONNECTION", "").lower()
        self.close_connection = connection != "keep-alive" if version == "HTTP/1.0" else connection == "close"
        length = http1.body_length(env)
        self.environ = env
        if length == 0:
            env["wsgi.input"] = self.wsgi_input = Body()
            return False
        return self._read_body(env, length)

    def _read_body(self, env: dict[str, Any], length: int | None) -> bool:
        self.deadline = _monotonic() + BODY
        limit: int = self.server.max_body
        too_large = length is not None and length > limit
        if env.get("HTTP_EXPECT", "").lower() == "100-continue":
            if too_large:
                env["wsgi.input"] = self.wsgi_input = Body()
                self.close_connection = True
                return True
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if length is None:
            try:
                data = pywsgi.Input(self.rfile, None, chunked_input=True).read(limit + 1)
            except (OSError, ValueError) as error:
                raise Malformed(http1.BAD) from error
            too_large = len(data) > limit
        else:
            wanted = min(length, LOOKED_AT) if too_large else length
            data = self.rfile.read(wanted)
            if len(data) < wanted:
                raise EOFError
        env["wsgi.input"] = self.wsgi_input = Body(data)
        if too_large:
            self.close_connection = True
        return too_large

    def _refuse(self, malformed: Malformed) -> None:
        logs.debug("request refused", source_ip=self.client_address[0], status=malformed.status)
        self.deadline = _monotonic() + LINGER
        try:
            self.socket.sendall(malformed.response())
            self._linger()
        except OSError:
            pass

    def _linger(self) -> None:
        """Take what is still under way: closing at once would reset the connection and lose the response."""
        self.deadline = _monotonic() + LINGER
        left = LINGER_BYTES
        try:
            self.socket.shutdown(socket.SHUT_WR)
            while left > 0:
                data = self.socket.recv(65_536)
                if not data:
                    return
                left -= len(data)
        except OSError:
            return

    def cut(self) -> None:
        """End the connection now, whatever it waits for."""
        connection = self.__dict__.get("socket")
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def finalize_headers(self) -> None:
        """Add what only the server knows: the date, the length, whether the connection stays."""
        headers = self.response_headers
        if self.provided_date is None:
            headers.append((b"Date", self.server.date()))
        if self.server.stopping:
            self.close_connection = True
        if self.provided_content_length is None and self.code not in (204, 304):
            if self.request_version == "HTTP/1.0":
                self.close_connection = True
            elif self.command != "HEAD":
                self.response_use_chunked = True
                headers.append((b"Transfer-Encoding", b"chunked"))
        if self.close_connection:
            headers[:] = [pair for pair in headers if pair[0] != b"Connection"]
            headers.append((b"Connection", b"close"))

    def _write_with_headers(self, data: bytes) -> None:
        self.headers_sent = True
        self.finalize_headers()
        head = [b"HTTP/1.1 ", self.status]
        for name, value in self.response_headers:
            head += (b"\r\n", name, b": ", value)
        head.append(b"\r\n\r\n")
        small = len(data) <= _ONE_PIECE and not self.response_use_chunked and self.command != "HEAD"
        if small:
            head.append(data)
        self._sendall(b"".join(head))
        if not small:
            self._write(data)

    def _write(self, data: bytes, _bytearray: type = bytearray) -> None:
        if self.command != "HEAD":
            super()._write(data)

    def _sendall(self, data: bytes) -> None:
        self.deadline = _monotonic() + RESPONSE
        super()._sendall(data)
        self.deadline = 0.0

    def log_request(self) -> None:
        """Calls are logged by the pipeline; there is no access log, which would hold secrets."""

    def handle_error(self, kind: Any, error: Any, trace: Any) -> None:
        """An application failed: its place goes to the log, not its text, which may hold secrets."""
        if not isinstance(error, gevent.GreenletExit):
            logs.failure("request failed", error)
        self._send_error_response_if_possible(500)


class Server(pywsgi.WSGIServer):  # type: ignore[misc]
    """A listening socket and its connections."""

    max_body: int = 1_048_576

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.connections: set[Handler] = set()
        self.stopping = False
        self._date = (0, b"")
        options["log"] = None
        options["error_log"] = None
        super().__init__(*arguments, **options)

    def date(self) -> bytes:
        """The value of the Date header, made once a second."""
        now = int(time.time())
        if self._date[0] != now:
            self._date = (now, pywsgi.format_date_time(now))
        return self._date[1]

    def look_after(self) -> None:
        """End the connections whose time is over."""
        now = _monotonic()
        allowance = IDLE - IDLE_WHEN_CROWDED if len(self.connections) > _CROWDED else 0.0
        for handler in list(self.connections):
            deadline = handler.deadline
            if deadline and deadline - (allowance if handler.idle else 0.0) < now:
                handler.cut()

    def drain(self) -> None:
        """Stop accepting, and end the connections on which nothing is asked; the others end after their reply."""
        self.stopping = True
        self.close()
        for handler in list(self.connections):
            if handler.idle:
                handler.cut()

    def update_environ(self) -> None:
        """Name the server without asking the DNS for it, as pywsgi would."""
        host, port = self.address[:2]
        self.environ.setdefault("SERVER_NAME", str(host))
        self.environ.setdefault("SERVER_PORT", str(port))


class Worker(GeventPyWSGIWorker):  # type: ignore[misc]
    """A worker process of the web role. `settings` and `closing` are set by `gateway.web`."""

    server_class = Server
    wsgi_handler = Handler
    max_body: int = Server.max_body
    closing: Callable[[], None] = staticmethod(lambda: None)

    def patch(self) -> None:
        """Make the listening sockets gevent's; the standard library was patched before the fork."""
        self.sockets: list[Any] = [
            gevent_socket(listener.FAMILY, socket.SOCK_STREAM, fileno=listener.sock.detach())
            for listener in self.sockets
        ]

    def notify(self) -> None:
        """Tell the master that this worker lives, and end when the master does not."""
        self.tmp.notify()
        if self.ppid != os.getppid():
            self.alive = False

    def run(self) -> None:
        """Serve until told to stop; then finish what was asked, within the master's graceful_timeout."""
        servers = [self._server(listener) for listener in self.sockets]
        told = 0.0
        while self.alive:
            now = _monotonic()
            if now - told >= 1.0:
                told = now
                self.notify()
                for server in servers:
                    server.look_after()
            gevent.sleep(_LOOK)
        for server in servers:
            server.drain()
        deadline = _monotonic() + self.cfg.graceful_timeout
        while any(server.connections for server in servers) and _monotonic() < deadline:
            self.tmp.notify()
            for server in servers:
                server.look_after()
            gevent.sleep(0.05)
        type(self).closing()

    def _server(self, listener: Any) -> Server:
        listener.setblocking(False)
        server = self.server_class(
            listener,
            application=self.wsgi,
            spawn=CONNECTIONS,
            handler_class=self.wsgi_handler,
            environ={"wsgi.multithread": True, "wsgi.multiprocess": self.cfg.workers > 1},
        )
        server.max_body = self.max_body
        server.start()
        return server
