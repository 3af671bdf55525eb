"""Kannel (bearerbox and smsbox) as a customer that binds to us, with what it says of deliveries."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit
from urllib.request import urlopen

from tests.support.ports import free_port
from tests.support.wait import until

UP = 30.0

_CONFIGURATION = """\
group = core
admin-port = {admin}
admin-password = {word}
admin-deny-ip = "*.*.*.*"
admin-allow-ip = "127.0.0.1"
smsbox-port = {smsbox}
box-allow-ip = "127.0.0.1"
log-file = "{folder}/bearerbox.log"
log-level = 0
sms-resend-freq = 1

{connections}
group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
log-file = "{folder}/smsbox.log"
log-level = 0

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "http://127.0.0.1:{reports}/inbound?from=%p&to=%P&coding=%c&text=%a"

group = sendsms-user
username = kannel
password = {word}
max-messages = 10
concatenation = true
"""


_CONNECTION = """\
group = smsc
smsc = smpp
smsc-id = trunkline
host = 127.0.0.1
{mode}
smsc-username = "{user}"
smsc-password = "{secret}"
system-type = ""
address-range = ""
enquire-link-interval = 5
reconnect-delay = 1
msg-id-type = 0x03

"""

# What a connection's mode is in Kannel's words; without a transceiver it takes a connection for each direction.
_MODES = {
    "transceiver": ("port = {smpp}\ntransceiver-mode = true",),
    "pair": ("port = {smpp}\ntransceiver-mode = false", "receive-port = {smpp}\ntransceiver-mode = false"),
}


class Reports(ThreadingHTTPServer):
    """Takes what smsbox reports: delivery reports and messages from mobiles, as their parameters."""

    daemon_threads = True

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, str]]] = []
        super().__init__(("127.0.0.1", 0), _Report)

    def of(self, path: str, **wanted: str) -> list[dict[str, str]]:
        """What was reported at a path with these parameters."""
        return [found for at, found in list(self.heard) if at == path and wanted.items() <= found.items()]


class _Report(BaseHTTPRequestHandler):
    server: Reports

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.heard.append((parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Kannel:
    """A Kannel whose one SMSC is the gateway."""

    def __init__(self, folder: Path, smpp: int, user: str, secret: str, mode: str) -> None:
        self.folder = folder
        self.reports = Reports()
        self.http, self.admin = free_port(), free_port()
        self._processes: list[subprocess.Popen[bytes]] = []
        connections = (
            _CONNECTION.format(user=user, secret=secret, mode=words.format(smpp=smpp)) for words in _MODES[mode]
        )
        (folder / "kannel.conf").write_text(
            _CONFIGURATION.format(
                connections="".join(connections).rstrip() + "\n",
                admin=self.admin,
                smsbox=free_port(),
                http=self.http,
                reports=self.reports.server_port,
                word="for-this-test",
                folder=folder,
            )
        )

    def start(self, online: bool = True) -> None:
        """Start both boxes and wait until the SMSC is online, where it is to come online."""
        threading.Thread(target=self.reports.serve_forever, daemon=True).start()
        configuration = str(self.folder / "kannel.conf")
        self._spawn("bearerbox", configuration)
        until(lambda: self.status() is not None, UP, "bearerbox")
        self._spawn("smsbox", configuration)
        until(self._listens, UP, "smsbox")
        if online:
            until(lambda: "(online" in self._smsc(), UP, "the SMSC of Kannel to be online")

    def send(self, to: str, text: str, *, source: str = "Kannel", mark: str = "", **more: str) -> str:
        """Send by smsbox's HTTP interface; what it answers. Reports name `mark`."""
        values = {
            "username": "kannel",
            "password": "for-this-test",
            "from": source,
            "to": to,
            "text": text,
            "charset": "UTF-8",
            "dlr-mask": "31",
            **more,
        }
        report = f"http://127.0.0.1:{self.reports.server_port}/report?mark={quote_plus(mark)}&kind=%d&answer=%A"
        query = urlencode(values) + "&dlr-url=" + quote_plus(report)
        with urlopen(f"http://127.0.0.1:{self.http}/cgi-bin/sendsms?{query}", timeout=30) as answer:
            return str(answer.read().decode())

    def delivered(self, mark: str, kind: str = "1") -> list[dict[str, str]]:
        """The delivery reports of a message; 1 delivered, 2 failed, 8 the SMSC took it, 16 the SMSC refused it."""
        return self.reports.of("/report", mark=mark, kind=kind)

    def status(self) -> str | None:
        """Bearerbox's status page, None while nobody answers."""
        try:
            with urlopen(f"http://127.0.0.1:{self.admin}/status.txt?password=for-this-test", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return None

    def log(self) -> str:
        """What bearerbox logged."""
        return (self.folder / "bearerbox.log").read_text("utf-8", "replace")

    def stop(self) -> None:
        """End both boxes."""
        self.reports.shutdown()
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)

    def _smsc(self) -> str:
        return (self.status() or "").partition("SMSC connections")[2]

    def _listens(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.http}/cgi-bin/sendsms", timeout=5):
                return True
        except OSError as answer:
            return getattr(answer, "code", None) is not None

    def _spawn(self, box: str, configuration: str) -> None:
        with (self.folder / f"{box}.out").open("wb") as out:
            self._processes.append(
                subprocess.Popen(
                    [box, "-v", "4", configuration],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    cwd=self.folder,
                )
            )


@contextmanager
def kannel(folder: Path, smpp: int, user: str, secret: str, mode: str, *, online: bool = True) -> Iterator[Kannel]:
    """A running Kannel."""
    folder.mkdir(parents=True, exist_ok=True)
    running = Kannel(folder, smpp, user, secret, mode)
    try:
        running.start(online)
        yield running
    finally:
        running.stop()
