"""The class `group`: groups of contacts, and their fields. What is done with contacts is in `contact.py`."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import Connection

from gateway.messaging import contact
from gateway.messaging.quoting import quote
from gateway.operations.catalogue import NoParameters, Parameters, operation
from gateway.operations.context import Answer, Change, Context
from gateway.operations.errors import Code, Refusal
from gateway.operations.types import Created, GroupId, Line, Text, Wire, check_type
from gateway.storage.queries import groups

MAX_GROUPS = 1_000
"""Most groups of an account, so that a list of them stays readable."""

FieldName = Annotated[str, Wire(contact.field_name, (("maxLength", 40),))]
FieldNames = Annotated[list[str], Wire(contact.field_names)]


class CreateGroup(Parameters):
    """What a group is made of."""

    name: Line = Field(description="Its name in lists; several groups may have the same.")
    type: Text = Field("mobile", description="Only mobile.")
    fields: FieldNames | None = Field(
        None,
        description="Names of the fields of its contacts, joined by commas: placeholders of templates. "
        "The number is the placeholder mobile in every group and is not listed.",
    )


class OneGroup(Parameters):
    """Which group."""

    idgroup: GroupId = Field(description="The group's id.")


class OneField(OneGroup):
    """Which field of which group."""

    field: FieldName = Field(description="Up to 40 letters, digits, _, - and . ; its case counts.")


class GroupEntry(BaseModel):
    """A group in a list."""

    id: str = Field(description="The group's id, in digits.")
    name: str
    count: int = Field(description="How many contacts it has.")
    fields: list[str] = Field(description="The names of its contacts' fields.")


@operation(
    "group.creategroup",
    parameters=CreateGroup,
    result=Created,
    errors=(Code.INCORRECT_TYPE,),
    summary="Make a group of contacts, with the fields that each contact may have.",
    example={"name": "Customers", "type": "mobile", "fields": "name,city"},
)
def creategroup(context: Context, parameters: CreateGroup) -> Change:
    """A group begins without contacts."""
    check_type(parameters.type)

    def work(connection: Connection) -> dict[str, str]:
        if groups.count(connection, context.account.id) >= MAX_GROUPS:
            raise Refusal(
                Code.INCORRECT_PARAM, f"name: the account has {MAX_GROUPS} groups, the most; delete one first"
            )
        id_ = groups.create(
            connection, context.account.id, parameters.name, parameters.type, parameters.fields or (), context.now
        )
        return {"id": str(id_)}

    return Change(work)


@operation(
    "group.getgroups",
    parameters=NoParameters,
    result=list[GroupEntry],
    summary="List the account's groups.",
    example={},
)
def getgroups(context: Context, _: NoParameters) -> Answer:
    """In the order they were made."""
    entries = [
        {"id": str(entry.id), "name": entry.name, "count": entry.count, "fields": list(entry.fields)}
        for entry in _all(context)
    ]
    return Answer(entries)


@operation(
    "group.deletegroup",
    parameters=OneGroup,
    result=None,
    errors=(Code.NOT_ACCESS_TO_GROUP,),
    summary="Delete a group and its contacts.",
    example={"idgroup": "1"},
)
def deletegroup(context: Context, parameters: OneGroup) -> Change:
    """The group is gone for the account at once; its rows follow in small steps."""

    def work(connection: Connection) -> None:
        if not groups.remove(connection, context.account.id, parameters.idgroup, context.now):
            raise no_group()

    return Change(work)


@operation(
    "group.getfields",
    parameters=OneGroup,
    result=list[str],
    errors=(Code.NOT_ACCESS_TO_GROUP,),
    summary="List the names of a group's fields.",
    example={"idgroup": "1"},
)
def getfields(context: Context, parameters: OneGroup) -> Answer:
    """In the order they were added."""
    with context.read() as connection:
        fields = groups.fields(connection, context.account.id, parameters.idgroup)
    if fields is None:
        raise no_group()
    return Answer(list(fields))


@operation(
    "group.addfield",
    parameters=OneField,
    result=None,
    errors=(Code.NOT_ACCESS_TO_GROUP,),
    summary="Add a field to a group; its contacts have no value in it yet.",
    example={"idgroup": "1", "field": "street"},
)
def addfield(context: Context, parameters: OneField) -> Change:
    """A name that the group has already is INCORRECT_PARAM, and so is one field too many."""

    def work(connection: Connection) -> None:
        group = held_group(connection, context, parameters.idgroup)
        if parameters.field in group.fields:
            raise Refusal(Code.INCORRECT_PARAM, f"field: the group has the field {quote(parameters.field)} already")
        try:
            contact.check_field_count((*group.fields, parameters.field))
        except ValueError as error:
            raise Refusal(Code.INCORRECT_PARAM, f"field: {error}") from None
        groups.add_field(connection, context.account.id, group.id, parameters.field)

    return Change(work)


@operation(
    "group.deletefield",
    parameters=OneField,
    result=None,
    errors=(Code.NOT_ACCESS_TO_GROUP,),
    summary="Remove a field from a group, and with it what its contacts had in it.",
    example={"idgroup": "1", "field": "city"},
)
def deletefield(context: Context, parameters: OneField) -> Change:
    """The contacts' values are left out from then on, and dropped when the contact is next modified."""

    def work(connection: Connection) -> None:
        group = held_group(connection, context, parameters.idgroup)
        if not groups.remove_field(connection, context.account.id, group.id, parameters.field):
            raise Refusal(Code.INCORRECT_PARAM, f"field: the group has no field {quote(parameters.field)}")

    return Change(work)


def held_group(connection: Connection, context: Context, group_id: int) -> groups.Group:
    """The account's group, kept from other changes until this one ends; `Refusal` where it has none."""
    group = groups.hold(connection, context.account.id, group_id)
    if group is None:
        raise no_group()
    return group


def no_group() -> Refusal:
    """The answer for another account's group and for one that does not exist: the same."""
    return Refusal(Code.NOT_ACCESS_TO_GROUP, "idgroup: the account has no group with this id")


def _all(context: Context) -> Iterator[groups.Group]:
    """Every group, read page by page: the contacts of many groups take long to count."""
    after = 0
    while True:
        with context.read() as connection:
            page = groups.list_(connection, context.account.id, after)
        yield from page
        if not page:
            return
        after = page[-1].id
