"""Whose a template or group is: for the operator, who names things by their ids alone."""

from sqlalchemy import Connection, select

from gateway.storage.schema import contact_group, template


def of_template(connection: Connection, template_id: int) -> int | None:
    """The id of the account that has this template."""
    return connection.execute(select(template.c.account_id).where(template.c.id == template_id)).scalar()


def of_group(connection: Connection, group_id: int) -> int | None:
    """The id of the account that has this group."""
    return connection.execute(select(contact_group.c.account_id).where(contact_group.c.id == group_id)).scalar()
