"""The commands that serve: `run` everything on this machine, or one role alone."""

import sys

import click

from gateway.commands.framework import BadInput, Command, Failure, session


@click.command(cls=Command)
@click.option("--http", metavar="HOST:PORT", help="Where the web server listens.")
@click.option("--smpp", metavar="HOST:PORT", help="Where the SMPP server listens; '' for none.")
def run(http: str | None, smpp: str | None) -> None:
    """Run everything on this machine until Ctrl-C or SIGTERM.

    Creates and migrates the database; the first start makes an operator and a demo account and shows their
    secrets, this once.
    """
    from gateway import supervisor  # noqa: PLC0415 (each role loads only what it needs)

    known = session()
    # Options become variables of the roles: there they stand over those of this process and over the file.
    options = {**known.options, "http": http, "smpp": smpp}
    variables = {f"TRUNKLINE_{name.upper()}": str(value) for name, value in options.items() if value is not None}
    arguments = ["--config", str(known.config.absolute())] if known.config else []
    try:
        status = supervisor.run(arguments, variables)
    except ValueError as error:
        raise BadInput(str(error)) from None
    except OSError as error:
        raise Failure(str(error)) from None
    sys.exit(status)


@click.command(cls=Command)
@click.option("--http", metavar="HOST:PORT", help="Where it listens.")
def web(http: str | None) -> None:
    """Run the web server alone."""
    from gateway.hosting import patched  # noqa: PLC0415

    # Before anything else is loaded: what is loaded earlier would keep the blocking originals.
    patched.patch()
    from gateway import web as role  # noqa: PLC0415

    settings = session().settings(http=http)
    try:
        listener = role.listener(settings)
    except ValueError as error:
        raise BadInput(str(error)) from None
    _check_database()
    role.run(settings, listener)


@click.command(cls=Command)
def dispatch() -> None:
    """Run the dispatcher alone."""
    from gateway.hosting import dispatch as role  # noqa: PLC0415
    from gateway.hosting.lifeline import Lifeline  # noqa: PLC0415

    settings = session().settings()
    _check_database()
    Lifeline().watch()
    role.run(settings)


@click.command(cls=Command)
@click.option("--smpp", metavar="HOST:PORT", help="Where it listens.")
def smpp(smpp: str | None) -> None:
    """Run the SMPP server alone.

    With TLS at the port of the setting smpp_tls too, where smpp_certificate and smpp_key are set.
    """
    from gateway.hosting import smpp as role  # noqa: PLC0415
    from gateway.hosting.lifeline import Lifeline  # noqa: PLC0415

    settings = session().settings(smpp=smpp)
    try:
        opened = role.doors(settings)
    except ValueError as error:
        raise BadInput(str(error)) from None
    _check_database()
    Lifeline().watch()
    role.run(settings, opened)


def _check_database() -> None:
    """Fail in one line where the database is away or is not of this version."""
    with session().database():
        pass
