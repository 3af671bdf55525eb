"""`trunkline template`: customers' templates."""

import click

from gateway import clock
from gateway.commands import output
from gateway.commands.account import account_of
from gateway.commands.framework import BadInput, Group, session
from gateway.commands.parameters import EMAIL, ID, TEXT, TITLE
from gateway.messaging.template import placeholders
from gateway.storage.queries import owners, templates

TYPE = "mobile"


@click.group(cls=Group)
def template() -> None:
    """Customers' templates."""


@template.command("add")
@click.argument("email", type=EMAIL)
@click.argument("title", type=TITLE)
@click.argument("text", type=TEXT)
def add(email: str, title: str, text: str) -> None:
    """Add a template; <name> in TEXT is a placeholder."""
    with session().database() as database, database.transaction() as connection:
        owner = account_of(connection, email)["id"]
        template_id = templates.add(connection, owner, title, text, TYPE, clock.now())
    fields = {
        "id": str(template_id),
        "account": email,
        "title": title,
        "message": text,
        "type": TYPE,
        "placeholders": list(placeholders(text)),
    }
    output.done(f"Added template {template_id}.", fields)


@template.command("list")
@click.argument("email", type=EMAIL)
def list_(email: str) -> None:
    """List an account's templates."""
    rows: list[templates.Template] = []
    with session().database() as database, database.read() as connection:
        owner = account_of(connection, email)["id"]
        while page := templates.list_(connection, owner, after=rows[-1].id if rows else 0):
            rows += page
    output.listing(
        [{"id": str(row.id), "title": row.title, "message": row.message, "type": row.type} for row in rows]
    )


@template.command("remove")
@click.argument("template_id", metavar="ID", type=ID)
def remove(template_id: int) -> None:
    """Remove a template; messages that were sent from it stay."""
    with session().database() as database, database.transaction() as connection:
        owner = owners.of_template(connection, template_id)
        if owner is None or not templates.remove(connection, owner, template_id):
            raise BadInput(f"there is no template {template_id}")
    output.done(f"Removed template {template_id}.", {"id": str(template_id)})
