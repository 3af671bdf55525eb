"""`trunkline run`: everything on one machine, as processes of their own under one that looks after them.

This process stays small: standard library only, no settings model, no database. A child of its own reads the
settings, migrates and makes the first start (`gateway.hosting.prepare`); then the roles are started, and started
again when they die. It holds the listening sockets, so that no connection is refused while a role starts again.
"""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.hosting import lifeline, listen
from gateway.hosting.folder import Folder
from gateway.hosting.preparation import Preparation

# By protocol: the variable that hands a role its listening socket.
SOCKETS = {"http": "TRUNKLINE_HTTP_FD", "smpp": "TRUNKLINE_SMPP_FD", "smpp_tls": "TRUNKLINE_SMPP_TLS_FD"}

# Seconds until a role that died is started again: the first value at once, doubled each time it dies young.
FIRST_DELAY = 0.1
LONGEST_DELAY = 30.0
YOUNG = 20.0
# Seconds that the roles have to finish what they have begun, before they are killed; after a second signal.
PATIENCE = 20.0
IMPATIENCE = 1.0
# The exit status of a role that cannot start with what it was told. At its first start that ends everything, since
# starting it again would not help; later a file of its own was spoilt, which is no reason to stop the others.
BAD_INPUT = 2

# The roles, and the protocols that each listens for; one that would listen for nothing is not started.
ROLES = {"web": ("http",), "dispatch": (), "smpp": ("smpp", "smpp_tls")}


@dataclass(slots=True)
class Role:
    """One role's process, and when it is started again."""

    name: str
    variables: Mapping[str, str]
    inherits: tuple[int, ...]
    process: subprocess.Popen[bytes] | None = None
    lifeline: int | None = None
    started: float = 0.0
    delay: float = FIRST_DELAY
    proved: bool = False
    due: float = field(default_factory=time.monotonic)

    def start(self, arguments: Sequence[str], now: float) -> None:
        """Start the process; the pipe it watches closes when this one ends."""
        watched, self.lifeline = os.pipe()
        try:
            # A group of its own: Ctrl-C on the terminal reaches the supervisor alone.
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "gateway", self.name, *arguments],
                env={**os.environ, **self.variables, lifeline.VARIABLE: str(watched)},
                pass_fds=(watched, *self.inherits),
                stdin=subprocess.DEVNULL,
                process_group=0,
            )
        finally:
            os.close(watched)
        self.started = now

    def ended(self, now: float) -> int | None:
        """The exit status of a process that ended since it was asked last (negative: the signal), or None."""
        if self.process is None:
            return None
        status = self.process.poll()
        if status is None:
            return None
        self.process = None
        if self.lifeline is not None:
            os.close(self.lifeline)
            self.lifeline = None
        young = now - self.started < YOUNG
        self.proved = self.proved or not young or status != BAD_INPUT
        self.delay = min(self.delay * 2, LONGEST_DELAY) if young else FIRST_DELAY
        self.due = now + self.delay
        return status


class Supervisor:
    """Starts the roles, starts again what dies, stops all of it."""

    def __init__(self, roles: Sequence[Role], arguments: Sequence[str], listeners: Sequence[socket.socket]) -> None:
        """`arguments` are given to every role; `listeners` are closed when stopping begins."""
        self._roles = roles
        self._arguments = arguments
        self._listeners = listeners
        self._status = 0

    def run(self, signals: "Signals") -> int:
        """Look after the roles until a signal comes; give this process's exit status."""
        while not signals.asked:
            now = time.monotonic()
            for role in self._roles:
                self._tend(role, now)
            if self._status:
                break
            due = [role.due - now for role in self._roles if role.process is None]
            signals.wait(max(0.0, min(due)) if due else None)
        self._stop(signals)
        return self._status

    def _tend(self, role: Role, now: float) -> None:
        status = role.ended(now)
        if status == BAD_INPUT and not role.proved:
            self._status = BAD_INPUT
        elif status is not None:
            say(f"{role.name} {_ending(status)}; starting it again in {role.delay:g} s")
        if role.process is None and role.due <= now and not self._status:
            role.start(self._arguments, now)

    def _stop(self, signals: "Signals") -> None:
        for listener in self._listeners:
            listener.close()
        asked = signals.asked
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while self._running() and time.monotonic() < deadline:
            signals.wait(deadline - time.monotonic())
            if signals.asked > asked:
                asked = signals.asked
                deadline = min(deadline, time.monotonic() + IMPATIENCE)
        for role in self._running():
            say(f"{role.name} did not end in time and is killed")
        self._signal(signal.SIGKILL)
        for role in self._running():
            if role.process is not None:
                role.process.wait()

    def _running(self) -> list[Role]:
        return [role for role in self._roles if role.process is not None and role.process.poll() is None]

    def _signal(self, number: signal.Signals) -> None:
        # The whole group: a role's own workers too.
        for role in self._running():
            if role.process is None:
                continue
            with contextlib.suppress(ProcessLookupError):
                if number == signal.SIGKILL:
                    os.killpg(role.process.pid, number)
                else:
                    role.process.send_signal(number)


class Signals:
    """The signals that this process is sent, waited for without polling."""

    def __init__(self) -> None:
        self.asked = 0
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._reader, selectors.EVENT_READ)

    def wait(self, seconds: float | None, fileno: int | None = None) -> bool:
        """Wait for a signal, or for `fileno` to be readable, no longer than `seconds` (None: for ever).

        Tells whether `fileno` is readable.
        """
        if fileno is not None:
            self._selector.register(fileno, selectors.EVENT_READ)
        ready = {key.fd for key, _ in self._selector.select(seconds)}
        if fileno is not None:
            self._selector.unregister(fileno)
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(4096)
        return fileno in ready

    def _ask(self, *_: object) -> None:
        self.asked += 1


def run(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run everything until SIGTERM, SIGINT or SIGHUP; give the exit status.

    `arguments` go to every process of the product, `variables` (TRUNKLINE_*) into its environment. Raises
    `ValueError` and `OSError`, each with one sentence, for what cannot be started as it was told.
    """
    os.environ.update(variables)
    signals = Signals()
    with Preparation(arguments) as preparation:
        told = preparation.settings(signals)
        if told is None:
            return preparation.status
        folder = Folder(Path(told["data"]))
        with folder.lock(), _listening(told) as listeners:
            prepared = preparation.finish(signals)
            if prepared is None:
                return preparation.status
            folder.clean()
            _announce(told, {name: listen.shown(listener) for name, listener in listeners.items()}, prepared)
            roles = list(_roles(listeners, folder.shared))
            status = Supervisor(roles, arguments, list(listeners.values())).run(signals)
    say("stopped")
    return status


def say(line: str) -> None:
    """Tell what happened, in one line."""
    print(f"trunkline: {line}", file=sys.stderr, flush=True)  # noqa: T201 - the supervisor has no log


@contextlib.contextmanager
def _listening(told: Mapping[str, Any]) -> Iterator[dict[str, socket.socket]]:
    """The listening sockets by protocol; protocols without an address have none."""
    with contextlib.ExitStack() as opened:
        plaintext = frozenset(told["allow_plaintext"])
        yield {name: opened.enter_context(listen.bind(told[name], name, plaintext)) for name in SOCKETS if told[name]}


def _roles(listeners: Mapping[str, socket.socket], shared: int) -> Iterator[Role]:
    for name, protocols in ROLES.items():
        own = {protocol: listeners[protocol].fileno() for protocol in protocols if protocol in listeners}
        if own or not protocols:
            variables = {SOCKETS[protocol]: str(number) for protocol, number in own.items()}
            yield Role(name, variables, (shared, *own.values()))


def _announce(told: Mapping[str, Any], shown: Mapping[str, str], prepared: Mapping[str, Any]) -> None:
    from gateway.hosting import welcome  # noqa: PLC0415 - needed once

    text = welcome.addresses(shown, told)
    first = prepared.get("first_start")
    if first:
        text = welcome.first_start(text, shown["http"], first)
        if not sys.stdout.isatty():
            text += f"\nThis is also kept in {welcome.save(Path(told['data']), text)}, for you alone to read.\n"
    with contextlib.suppress(BrokenPipeError):
        print(text, flush=True)  # noqa: T201 - what the command prints


def _ending(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
