"""The contacts of the class `group`.

A contact's number is kept as `messaging.contact.contact_number` gives it: an international one checked and
with its mark, a national one as given, since the country that completes it is named by each send.
"""

from pydantic import BaseModel, Field
from sqlalchemy import Connection

from gateway.messaging.contact import check_values, contact_number
from gateway.operations.catalogue import Parameters, operation
from gateway.operations.context import Answer, Change, Context
from gateway.operations.errors import Code, Refusal
from gateway.operations.group import held_group, no_group
from gateway.operations.types import ContactId, Created, GroupId, Limit, Pairs, Text
from gateway.storage.queries import contacts, groups

_MOBILE = "The number: international after + or 00, else as dialled in the country that a send names."
_FIELDS = "Values of the group's fields, as name:Ana,city:Rome ; a comma in a value is written \\, ."


class AddContact(Parameters):
    """What a contact is made of. Without `mobile` the answer is MISSING_MAIN_FIELD."""

    idgroup: GroupId = Field(description="The group's id.")
    mobile: Text | None = Field(None, description=_MOBILE + " A contact must have one.")
    fields: Pairs | None = Field(None, description=_FIELDS)


class ModifyContact(Parameters):
    """What to change of a contact."""

    idcontact: ContactId = Field(description="The contact's id.")
    mobile: Text | None = Field(None, description=_MOBILE + " Left out, it stays.")
    fields: Pairs | None = Field(None, description=_FIELDS + " Fields not named stay.")


class DeleteContact(Parameters):
    """Which contact to delete."""

    idcontact: ContactId = Field(description="The contact's id.")


class GetContacts(Parameters):
    """Which contacts to list."""

    idgroup: GroupId = Field(description="The group's id.")
    after: ContactId = Field(0, description="The next of the page before; left out, the list begins.")
    limit: Limit = Field(100, description="Most contacts to give, up to 1000.")


class FieldValue(BaseModel):
    """What a contact has in a field."""

    name: str
    value: str


class ContactEntry(BaseModel):
    """A contact in a list."""

    id: str = Field(description="The contact's id, in digits.")
    mobile: str = Field(description="The number: with + where it is known to be international, else as given.")
    fields: list[FieldValue] = Field(description="What it has in the group's fields.")


class ContactPage(BaseModel):
    """A part of a list of contacts."""

    contacts: list[ContactEntry]
    next: str | None = Field(description="What to give as after for the next part; null at the end.")


@operation(
    "group.addcontact",
    parameters=AddContact,
    result=Created,
    errors=(Code.MISSING_MAIN_FIELD, Code.NOT_ACCESS_TO_GROUP),
    summary="Add a contact to a group.",
    example={"idgroup": "1", "mobile": "34600000000", "fields": "name:Ana,city:Rome"},
)
def addcontact(context: Context, parameters: AddContact) -> Change:
    """A group may hold a number more than once; each is sent to."""
    mobile = _number(parameters.mobile)
    if mobile is None:
        raise Refusal(Code.MISSING_MAIN_FIELD, "mobile: a contact must have a number")
    values = parameters.fields or {}

    def work(connection: Connection) -> dict[str, str]:
        group = held_group(connection, context, parameters.idgroup)
        _check_values(values, group)
        id_ = contacts.add(connection, context.account.id, group.id, mobile, values, context.now)
        return {"id": str(id_)}

    return Change(work)


@operation(
    "group.modifycontact",
    parameters=ModifyContact,
    result=None,
    errors=(Code.NOT_ACCESS_TO_GROUP,),
    summary="Change a contact's number, or some of its fields.",
    example={"idcontact": "1", "fields": "city:Milan"},
)
def modifycontact(context: Context, parameters: ModifyContact) -> Change:
    """What is not given stays; `city:` empties a field. With neither number nor fields nothing changes."""
    mobile = _number(parameters.mobile)
    values = parameters.fields or {}

    def work(connection: Connection) -> None:
        stored = contacts.hold(connection, context.account.id, parameters.idcontact)
        group = None if stored is None else groups.get(connection, context.account.id, stored.group_id)
        if stored is None or group is None:
            raise _no_contact()
        _check_values(values, group)
        kept = {name: value for name, value in stored.fields.items() if name in group.fields}
        contacts.modify(connection, context.account.id, stored.id, mobile or stored.mobile, {**kept, **values})

    return Change(work)


@operation(
    "group.deletecontact",
    parameters=DeleteContact,
    result=None,
    errors=(Code.NOT_ACCESS_TO_GROUP,),
    summary="Delete a contact.",
    example={"idcontact": "1"},
)
def deletecontact(context: Context, parameters: DeleteContact) -> Change:
    """Messages already sent or scheduled to it stay."""

    def work(connection: Connection) -> None:
        if not contacts.remove(connection, context.account.id, parameters.idcontact):
            raise _no_contact()

    return Change(work)


@operation(
    "group.getcontacts",
    parameters=GetContacts,
    result=ContactPage,
    errors=(Code.NOT_ACCESS_TO_GROUP,),
    summary="List the contacts of a group, a part at a time.",
    example={"idgroup": "1", "limit": "100"},
)
def getcontacts(context: Context, parameters: GetContacts) -> Answer:
    """In the order they were added. A contact that is added meanwhile is met at the end."""
    with context.read() as connection:
        if groups.get(connection, context.account.id, parameters.idgroup) is None:
            raise no_group()
        page = contacts.page(
            connection, context.account.id, parameters.idgroup, parameters.after, parameters.limit + 1
        )
    more = len(page) > parameters.limit
    shown = page[: parameters.limit]
    return Answer({"contacts": [_entry(entry) for entry in shown], "next": str(shown[-1].id) if more else None})


def _entry(entry: contacts.Contact) -> dict[str, object]:
    fields = [{"name": name, "value": value} for name, value in entry.fields.items()]
    return {"id": str(entry.id), "mobile": entry.mobile, "fields": fields}


def _number(text: str | None) -> str | None:
    """The number as it is kept, None where none (or white space alone) is given."""
    if text is None or not text.strip():
        return None
    try:
        return contact_number(text)
    except ValueError as error:
        raise Refusal(Code.INCORRECT_PARAM, f"mobile: {error}") from None


def _check_values(values: dict[str, str], group: groups.Group) -> None:
    try:
        check_values(values, group.fields)
    except ValueError as error:
        raise Refusal(Code.INCORRECT_PARAM, f"fields: {error}") from None


def _no_contact() -> Refusal:
    return Refusal(Code.NOT_ACCESS_TO_GROUP, "idcontact: no group of the account has a contact with this id")
