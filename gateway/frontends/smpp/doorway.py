"""Where customers come in: the listening sockets, who may connect at all, proxies before us, TLS."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway import logs
from gateway.frontends.smpp import proxy
from gateway.frontends.smpp.connection import Connection
from gateway.frontends.smpp.server import SmppServer
from gateway.pipeline import ipfilter
from gateway.settings import Settings
from gateway.storage.records import Network

# Connections taken at once before the loop goes on to those that are there.
_AT_ONCE = 64
# Seconds until the next try where the system has no descriptor or memory for a connection.
_REST = 0.5
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


@dataclass(frozen=True, slots=True)
class Entrance:
    """A listening socket, and the TLS of its connections."""

    listener: socket.socket
    tls: ssl.SSLContext | None = None


class Doorway:
    """Accepts connections for a server, in an event loop, until `close`."""

    def __init__(self, server: SmppServer, settings: Settings, entrances: Sequence[Entrance]) -> None:
        self._server = server
        self._networks: tuple[Network, ...] = settings.smpp_networks
        self._proxies: tuple[Network, ...] = settings.smpp_proxies
        self._patience = settings.smpp_session_init
        self._entrances = entrances
        self._loop = asyncio.get_running_loop()

    def open(self) -> None:
        """Begin to accept."""
        for entrance in self._entrances:
            entrance.listener.setblocking(False)
            self._attend(entrance)

    def close(self) -> None:
        """Accept no more; the sockets are closed."""
        for entrance in self._entrances:
            if entrance.listener.fileno() >= 0:
                self._loop.remove_reader(entrance.listener)
                entrance.listener.close()

    def _attend(self, entrance: Entrance) -> None:
        if entrance.listener.fileno() >= 0:
            self._loop.add_reader(entrance.listener, self._accept, entrance)

    def _accept(self, entrance: Entrance) -> None:
        for _ in range(_AT_ONCE):
            try:
                client, address = entrance.listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    continue
                logs.error("smpp connections cannot be accepted now", reason=error.strerror)
                self._loop.remove_reader(entrance.listener)
                self._loop.call_later(_REST, self._attend, entrance)
                return
            client.setblocking(False)
            self._welcome(client, str(address[0]), entrance.tls)

    def _welcome(self, client: socket.socket, peer: str, tls: ssl.SSLContext | None) -> None:
        address = ipfilter.parse(peer)
        source = peer[:45] if address is None else str(address)
        proxied = bool(self._proxies) and ipfilter.within(address, self._proxies)
        if not proxied and not self._may_connect(source):
            client.close()
            return
        connection = self._server.admit(source, secure=tls is not None)
        if connection is None:
            client.close()
            return
        connection.opening = self._loop.create_task(self._open(connection, client, tls, proxied=proxied))
        # Not at the end of the task itself: one that is cancelled before it began never comes there.
        connection.opening.add_done_callback(lambda _: self._opened(connection, client))

    def _opened(self, connection: Connection, client: socket.socket) -> None:
        connection.opening = None
        if connection.link is None:
            client.close()
            self._server.gone(connection)

    async def _open(
        self, connection: Connection, client: socket.socket, tls: ssl.SSLContext | None, *, proxied: bool
    ) -> None:
        handed_over = False
        try:
            if proxied and not await self._introduced(connection, client):
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            handed_over = True
            await self._loop.connect_accepted_socket(
                lambda: self._server.link(connection),
                client,
                ssl=tls,
                ssl_handshake_timeout=None if tls is None else self._patience,
            )
        except (OSError, TimeoutError, ValueError) as error:
            # Of TLS too: ssl.SSLError is an OSError.
            self._server.journal.turned_away(connection.source_ip, _reason(error, handed_over=handed_over))

    async def _introduced(self, connection: Connection, client: socket.socket) -> bool:
        """Take a proxy's header, which says who comes; whether he may."""
        async with asyncio.timeout(self._patience):
            source = await proxy.read(client)
        if source is not None:
            connection.source_ip = str(ipfilter.parse(str(source)))
        return self._may_connect(connection.source_ip)

    def _may_connect(self, source: str) -> bool:
        if not self._networks or ipfilter.within(ipfilter.parse(source), self._networks):
            return True
        self._server.journal.turned_away(source, "its network may not connect (smpp_networks)")
        return False


def _reason(error: Exception, *, handed_over: bool) -> str:
    if isinstance(error, ssl.SSLError):
        return f"the TLS handshake failed: {error.reason or type(error).__name__}"
    if isinstance(error, ValueError):
        return str(error)
    stage = "the TLS handshake" if handed_over else "the header of the PROXY protocol"
    return f"{stage} did not end: {type(error).__name__}"


class Certificate:
    """The server's certificate, taken up again when its file was renewed."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises `ValueError`, its text one sentence, where they cannot be used."""
        self._certificate = certificate
        self._key = key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self._load()
        except (OSError, ssl.SSLError) as error:
            raise ValueError(
                f"the certificate {certificate} with the key {key} cannot be used: {_why(error)}"
            ) from None

    def renew(self) -> None:
        """Take up a file that has changed; one that cannot be used is told of, and the former stays."""
        try:
            if self._times() != self._loaded:
                self._load()
                logs.info("smpp certificate renewed", file=str(self._certificate))
        except (OSError, ssl.SSLError) as error:
            logs.error("the renewed smpp certificate cannot be used", file=str(self._certificate), reason=_why(error))

    def _load(self) -> None:
        times = self._times()
        # Into a context of its own first: what fails half way must not leave half of it behind.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self._certificate, self._key, _no_password)
        self.context.load_cert_chain(self._certificate, self._key, _no_password)
        self._loaded = times

    def _times(self) -> tuple[int, int]:
        return self._certificate.stat().st_mtime_ns, self._key.stat().st_mtime_ns


def _no_password() -> str:
    # Without this OpenSSL would ask for it on the terminal.
    raise ssl.SSLError("the key has a password")


def _why(error: OSError) -> str:
    return str(getattr(error, "reason", None) or error.strerror or error)
