"""`trunkline wsdl`: the contract, printed."""

import click

from gateway.commands import output
from gateway.commands.framework import Command, session


@click.command("wsdl", cls=Command)
def wsdl() -> None:
    """Print the WSDL of the SOAP service, with the address that the settings tell."""
    from gateway.frontends.soap import pages  # noqa: PLC0415 (only what a command needs is loaded)

    text = pages.wsdl(pages.address(session().settings())).decode()
    output.done(text.rstrip("\n"), {"wsdl": text})
