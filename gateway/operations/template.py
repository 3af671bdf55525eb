"""The class `template`: texts with placeholders, kept to be sent later."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import BaseModel, Field
from sqlalchemy import Connection

from gateway.operations.catalogue import Parameters, operation
from gateway.operations.context import Answer, Change, Context
from gateway.operations.errors import Code, Refusal
from gateway.operations.types import Created, Line, MessageText, TemplateId, Text, check_type
from gateway.storage.queries import templates

MAX_TEMPLATES = 1_000
"""Most templates of an account, so that a list of them stays readable."""


class AddTemplate(Parameters):
    """What a template is made of."""

    TEXTS: ClassVar[frozenset[str]] = frozenset({"message"})

    title: Line = Field(description="Its name in lists; several templates may have the same.")
    message: MessageText = Field(description="The text; a placeholder is a name between < and >.")
    type: Text = Field("mobile", description="Only mobile.")


class GetTemplates(Parameters):
    """Which templates to list."""

    type: Text | None = Field(None, description="Only mobile, or left out.")


class DeleteTemplate(Parameters):
    """Which template to delete."""

    idtemplate: TemplateId = Field(description="The template's id.")


class TemplateEntry(BaseModel):
    """A template in a list."""

    id: str = Field(description="The template's id, in digits.")
    title: str
    message: str
    type: str


@operation(
    "template.addtemplate",
    parameters=AddTemplate,
    result=Created,
    errors=(Code.INCORRECT_TYPE,),
    summary="Store a template, a text with placeholders such as <name>.",
    example={"title": "Welcome", "message": "Hello <name>, your code is <code>.", "type": "mobile"},
)
def addtemplate(context: Context, parameters: AddTemplate) -> Change:
    """The placeholders are read when the template is sent: a `<` that begins none is text."""
    check_type(parameters.type)

    def work(connection: Connection) -> dict[str, str]:
        if templates.count(connection, context.account.id) >= MAX_TEMPLATES:
            raise Refusal(
                Code.INCORRECT_PARAM, f"title: the account has {MAX_TEMPLATES} templates, the most; delete one first"
            )
        id_ = templates.add(
            connection, context.account.id, parameters.title, parameters.message, parameters.type, context.now
        )
        return {"id": str(id_)}

    return Change(work)


@operation(
    "template.gettemplates",
    parameters=GetTemplates,
    result=list[TemplateEntry],
    errors=(Code.INCORRECT_TYPE,),
    summary="List the account's templates.",
    example={"type": "mobile"},
)
def gettemplates(context: Context, parameters: GetTemplates) -> Answer:
    """In the order they were added."""
    if parameters.type is not None:
        check_type(parameters.type)
    entries = [
        {"id": str(entry.id), "title": entry.title, "message": entry.message, "type": entry.type}
        for entry in _all(context, parameters.type)
    ]
    return Answer(entries)


@operation(
    "template.deletetemplate",
    parameters=DeleteTemplate,
    result=None,
    errors=(Code.NOT_ACCESS_TO_TEMPLATE,),
    summary="Delete a template; messages already sent or scheduled from it keep their text.",
    example={"idtemplate": "1000"},
)
def deletetemplate(context: Context, parameters: DeleteTemplate) -> Change:
    """Another account's template and one that does not exist are answered alike."""

    def work(connection: Connection) -> None:
        if not templates.remove(connection, context.account.id, parameters.idtemplate):
            raise Refusal(Code.NOT_ACCESS_TO_TEMPLATE, "idtemplate: the account has no template with this id")

    return Change(work)


def _all(context: Context, type_: str | None) -> Iterator[templates.Template]:
    """Every template, read page by page, since no read is to be long."""
    after = 0
    while True:
        with context.read() as connection:
            page = templates.list_(connection, context.account.id, type_, after)
        yield from page
        if not page:
            return
        after = page[-1].id
