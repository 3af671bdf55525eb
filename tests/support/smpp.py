"""A small SMPP client for tests: blocking sockets and the product's own codec, no session state of its own."""

import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from gateway.smpp import pdu
from gateway.smpp.codec import decode, encode
from gateway.smpp.constants import RESPONSE_BIT
from gateway.smpp.framing import Framer
from gateway.smpp.pdu import Pdu

P = TypeVar("P", bound=Pdu)

PATIENCE = 20.0

_BINDS = {
    "transmitter": pdu.BindTransmitter,
    "receiver": pdu.BindReceiver,
    "transceiver": pdu.BindTransceiver,
}


class Gone(AssertionError):
    """The server closed the connection where a PDU was expected."""


class Esme:
    """One connection to an SMPP server. Every wait ends after `PATIENCE` seconds, with a failure.

    enquire_link is answered by itself unless `keeps_alive` is False. PDUs that came while another was waited for
    are kept, in order.
    """

    def __init__(
        self,
        port: int,
        host: str = "127.0.0.1",
        *,
        source: str = "",
        first: bytes = b"",
        tls: ssl.SSLContext | None = None,
        receive_buffer: int | None = None,
        keeps_alive: bool = True,
    ) -> None:
        """Connect from the address `source`; `first` are bytes to send before anything else, also before TLS."""
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(PATIENCE)
        if source:
            self._socket.bind((source, 0))
        self._socket.connect((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if first:
            self._socket.sendall(first)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname="localhost")
        self._framer = Framer()
        self._inbox: deque[Pdu] = deque()
        self._sequence = 0
        self.keeps_alive = keeps_alive

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    @property
    def local(self) -> tuple[str, int]:
        """Our own address and port."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def close(self) -> None:
        """Close the connection without a word."""
        self._socket.close()

    def cut(self) -> None:
        """Reset the connection, as a peer that crashed does."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._socket.close()

    def send(self, *pdus: Pdu) -> int:
        """Send PDUs in one go, those without a sequence_number with the next one; the last one's number."""
        for one in pdus:
            if one.sequence_number == 0:
                self._sequence += 1
                one.sequence_number = self._sequence
        self._socket.sendall(b"".join(encode(one) for one in pdus))
        return pdus[-1].sequence_number

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def offer(self, data: bytes, timeout: float) -> int:
        """Send of these bytes what the server takes; how many that are, 0 when it takes none in time."""
        self._socket.settimeout(timeout)
        try:
            return self._socket.send(data)
        except TimeoutError:
            return 0
        finally:
            self._socket.settimeout(PATIENCE)

    def receive(self, timeout: float = PATIENCE) -> Pdu:
        """The next PDU. Raises `Gone` when the server closed, `TimeoutError` when nothing came."""
        if self._inbox:
            return self._inbox.popleft()
        deadline = time.monotonic() + timeout
        while not self._inbox:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no PDU came")
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65_536)
            except (ConnectionResetError, BrokenPipeError):
                data = b""
            finally:
                self._socket.settimeout(PATIENCE)
            if not data:
                raise Gone("the server closed the connection")
            for frame in self._framer.feed(data):
                self._take(decode(frame))
        return self._inbox.popleft()

    def expect(self, kind: type[P], timeout: float = PATIENCE) -> P:
        """The next PDU of this kind; others that come before it are kept for later."""
        found = self._expect(lambda one: isinstance(one, kind), kind.__name__, timeout)
        assert isinstance(found, kind)
        return found

    def request(self, request: Pdu, timeout: float = PATIENCE) -> Any:
        """Send a request and give its response: its own _resp, or a generic_nack."""
        number = self.send(request)
        return self._expect(lambda one: _answers(one, number), f"an answer to {type(request).__name__}", timeout)

    def bind(
        self, user: str, password: str, mode: str = "transceiver", timeout: float = PATIENCE, **fields: Any
    ) -> Any:
        """Send a bind and give its response, whatever its status."""
        return self.request(_BINDS[mode](system_id=user, password=password, **fields), timeout)

    def bound(self, user: str, password: str, mode: str = "transceiver", **fields: Any) -> Self:
        """Bind, and fail where that is refused."""
        response = self.bind(user, password, mode, **fields)
        assert response.command_status == 0, f"the bind was refused: 0x{response.command_status:08X}"
        return self

    def unbind(self) -> None:
        """Unbind, and wait until the server has closed the connection."""
        response = self.request(pdu.Unbind())
        assert response.command_status == 0, response
        self.wait_closed()

    def answer(self, request: Pdu, status: int = 0, **fields: Any) -> None:
        """Answer a request of the server's."""
        self.send(pdu.response_of(request, status, **fields))

    def wait_closed(self, timeout: float = PATIENCE) -> list[Pdu]:
        """Wait until the server closes; what came before that."""
        came: list[Pdu] = []
        deadline = time.monotonic() + timeout
        while True:
            try:
                came.append(self.receive(max(0.0, deadline - time.monotonic())))
            except Gone:
                return came
            except TimeoutError:
                raise AssertionError(f"the server did not close the connection; there came {came}") from None

    def _expect(self, wanted: Callable[[Pdu], bool], what: str, timeout: float) -> Pdu:
        others: list[Pdu] = []
        deadline = time.monotonic() + timeout
        try:
            while True:
                try:
                    found = self.receive(max(0.0, deadline - time.monotonic()))
                except (Gone, TimeoutError) as error:
                    came = ", ".join(f"{type(one).__name__} 0x{one.command_status:08X}" for one in others)
                    raise type(error)(f"{error}; expected {what}, there came: {came or 'nothing'}") from None
                if wanted(found):
                    return found
                others.append(found)
        finally:
            self._inbox.extendleft(reversed(others))

    def _take(self, one: Pdu) -> None:
        if self.keeps_alive and isinstance(one, pdu.EnquireLink):
            self.answer(one)
        else:
            self._inbox.append(one)


def _answers(one: Pdu, sequence_number: int) -> bool:
    return bool(one.command_id & RESPONSE_BIT) and one.sequence_number == sequence_number
