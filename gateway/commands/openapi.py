"""`trunkline openapi`."""

import click
import orjson

from gateway.commands.framework import Command, session
from gateway.frontends.reference.document import document


@click.command("openapi", cls=Command)
def openapi() -> None:
    """Print the OpenAPI document of the HTTP front ends, as /api/openapi.json serves it."""
    text = orjson.dumps(document(session().settings()), option=orjson.OPT_INDENT_2)
    click.echo(text)
