"""`trunkline simulator`: an SMSC to test against."""

import asyncio
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import uvloop

from gateway import logs
from gateway.commands import output
from gateway.commands.framework import BadInput, Command, Failure, session
from gateway.commands.parameters import Parsed, read_secret
from gateway.hosting import listen
from gateway.messaging.quoting import quote
from gateway.smsc import texts
from gateway.smsc.options import Options
from gateway.smsc.server import Smsc
from gateway.smsc.styles import STYLES, style

ADDRESS = "127.0.0.1:2776"
"""Where it listens unless told otherwise: beside the gateway's own SMPP server."""

_PLAIN = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_THROUGHPUT = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(?:/s)?")


def _throughput(text: str) -> float:
    found = _THROUGHPUT.fullmatch(text)
    if found is None or not float(found[1]):
        raise ValueError(f"{quote(text)} is no throughput: it is written like 100 or 100/s, and is above 0.")
    return float(found[1])


def _seconds(least: float, most: float) -> Parsed:
    """Seconds in plain digits."""

    def read(text: str) -> float:
        if not _PLAIN.fullmatch(text) or not least <= float(text) <= most:
            raise ValueError(f"{quote(text)} is no number of seconds from {least:g} to {most:g}.")
        return float(text)

    return Parsed("seconds", read)


def _message(text: str) -> texts.Message:
    source, first, rest = text.partition(":")
    destination, second, words = rest.partition(":")
    if not (first and second):
        raise ValueError(f"{quote(text)} is no message: it is written like 34600111222:5550:Hello.")
    return texts.message(source, destination, words)


@click.command("simulator", cls=Command)
@click.option("--smpp", metavar="HOST:PORT", default=ADDRESS, show_default=True, help="Where it listens.")
@click.option("--system-id", metavar="NAME", help="Who may bind; anybody unless given.")
@click.option(
    "--password-file",
    "password",
    metavar="FILE|-",
    type=Parsed("file", read_secret),
    help="The password to bind with; any unless given.",
)
@click.option(
    "--throughput",
    metavar="N/s",
    type=Parsed("rate", _throughput),
    help="Segments a second; what is above is answered 0x58 (throttled).",
)
@click.option(
    "--latency",
    metavar="SECONDS",
    type=_seconds(0, 60),
    default="0",
    show_default=True,
    help="From a submit to its answer.",
)
@click.option(
    "--drop-after",
    metavar="N",
    type=click.IntRange(1),
    help="Cut every link after so many submits; answers that have not left by then are lost.",
)
@click.option(
    "--wrong-sequence",
    metavar="[N]",
    type=click.IntRange(1),
    is_flag=False,
    flag_value=10,
    help="Answer one of N submits (10 unless said) with a wrong sequence number.",
)
@click.option(
    "--receipts",
    metavar="STYLE,…",
    type=Parsed("style", style),
    default="canonical",
    show_default=True,
    help=f"How ids and receipts are written: {', '.join(STYLES)}.",
)
@click.option(
    "--receipt-delay",
    metavar="SECONDS",
    type=_seconds(0, 86_400),
    default="1",
    show_default=True,
    help="From an answer to its receipt, where the number does not say it.",
)
@click.option(
    "--response",
    metavar="SECONDS",
    type=_seconds(0.01, 3_600),
    default="10",
    show_default=True,
    help="Until a receipt or message that is not acknowledged comes again.",
)
@click.option(
    "--journal",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a line of JSON for every segment taken, before it is answered.",
)
@click.option(
    "--mo",
    "messages",
    metavar="FROM:TO:TEXT",
    multiple=True,
    type=Parsed("message", _message),
    help="Deliver a message to whoever binds; may be repeated.",
)
@click.option(
    "--alphabet",
    type=click.Choice(["gsm", "latin1", "utf8"]),
    default="gsm",
    show_default=True,
    help="What data_coding 0 means in messages delivered.",
)
def simulator(smpp: str, receipts: Any, messages: tuple[texts.Message, ...], **rest: Any) -> None:
    """Be an SMSC to test against, until Ctrl-C or SIGTERM.

    It takes submit_sm from whoever binds; what becomes of a message follows from the last four digits of its
    number, as with the simulated carrier. Lines on standard input, FROM TO TEXT, are delivered as messages.
    """
    settings = session().settings()
    try:
        listener = listen.bind(smpp, "smpp", settings.allow_plaintext)
    except ValueError as error:
        raise BadInput(str(error)) from None
    except OSError as error:
        raise Failure(str(error)) from None
    logs.start("simulator", settings.log_level, settings.log_format)
    uvloop.run(_run(listener, Options(style=receipts, **rest), messages))


async def _run(listener: Any, options: Options, messages: tuple[texts.Message, ...]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        smsc = Smsc(options)
    except OSError as error:
        raise BadInput(f"the journal {options.journal} cannot be written: {error.strerror}") from None
    await smsc.start(listener)
    for message in messages:
        smsc.send(message)
    address = listen.shown(listener)
    output.done(f"The simulator listens at {address}.", {"smpp": address})
    sys.stdout.flush()
    if _may_read():
        threading.Thread(target=_read, args=(loop, smsc.send), daemon=True).start()
    await stop.wait()
    await smsc.stop()


def _may_read() -> bool:
    """Not from a terminal in whose background it runs: it would be stopped."""
    try:
        return not sys.stdin.isatty() or os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


def _read(loop: asyncio.AbstractEventLoop, send: Callable[[texts.Message], None]) -> None:
    for line in sys.stdin:
        source, destination, text = (*line.rstrip("\r\n").split(" ", 2), "", "")[:3]
        try:
            message = texts.message(source, destination, text)
        except ValueError as error:
            click.echo(f"trunkline: a line is not delivered: {error} It is written FROM TO TEXT.", err=True)
            continue
        try:
            loop.call_soon_threadsafe(send, message)
        except RuntimeError:
            return
