"""The class `sms`: sending, and asking what became of it."""

from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, Field

from gateway.messaging import template as templates_text
from gateway.messaging.states import State, public
from gateway.operations.bulk import bulk
from gateway.operations.catalogue import Parameters, operation
from gateway.operations.context import Answer, Bulk, Context, Credits, Moment, Send
from gateway.operations.errors import Code, Refusal
from gateway.operations.sending import (
    BulkSent,
    Draft,
    SendParameters,
    Sent,
    check_opted_out,
    destination,
    draft,
    filled,
    measured,
    message_row,
)
from gateway.operations.types import CallingCode, Digits, GroupId, MessageText, Pairs, TemplateId, Text, Wire
from gateway.storage.queries import delivery, templates

MAX_STATUS_IDS = 10_000


class SendSms(SendParameters):
    """Parameters of sendsms."""

    from_: Text = Field(alias="from", description="Sender: up to 11 GSM characters, or 15 digits.")
    to: Text = Field(description="Recipient's number in international form, or national to the account's country.")
    sms: MessageText = Field(description="Text of the message.")


@operation(
    "sms.sendsms",
    parameters=SendSms,
    result=Sent,
    summary="Send one SMS.",
    example={"from": "Trunkline", "to": "34600000001", "sms": "Your code is 1234"},
    errors=(Code.OPTED_OUT, Code.NO_ROUTE_AVAILABLE, Code.NO_CREDITS),
)
def sendsms(context: Context, parameters: SendSms) -> Send:
    """Check everything, price it, and hand one message to the writer."""
    plan = draft(context, parameters.from_, parameters.scheduledatetime)
    to = destination(context, parameters.to)
    return _send(context, plan, to, parameters.sms, "sms")


class SendSmsFromTemplate(SendParameters):
    """Parameters of sendsmsfromtemplate."""

    to: Text = Field(description="Recipient's number in international form, or national to the account's country.")
    idtemplate: TemplateId = Field(description="Id of the template.")
    params: Pairs | None = Field(None, description="Values of the template's placeholders: name:value,name:value.")
    from_: Text | None = Field(None, alias="from", description="Sender, instead of the account's own.")


@operation(
    "sms.sendsmsfromtemplate",
    parameters=SendSmsFromTemplate,
    result=Sent,
    summary="Send one SMS from a template.",
    example={"to": "34600000001", "idtemplate": "1", "params": "name:Ana"},
    errors=(Code.OPTED_OUT, Code.NO_ROUTE_AVAILABLE, Code.NO_CREDITS, Code.NOT_ACCESS_TO_TEMPLATE),
)
def sendsmsfromtemplate(context: Context, parameters: SendSmsFromTemplate) -> Send:
    """Fill the template's placeholders, `<mobile>` from the number itself unless it is given, and send."""
    plan = draft(context, parameters.from_, parameters.scheduledatetime)
    to = destination(context, parameters.to)
    body = template_text(context, parameters.idtemplate)
    body = filled(body, {"mobile": to, **(parameters.params or {})}, "params")
    return _send(context, plan, to, body, "idtemplate")


class SendSmsToGroup(SendParameters):
    """Parameters of sendsmstogroup."""

    from_: Text = Field(alias="from", description="Sender: up to 11 GSM characters, or 15 digits.")
    countrycode: CallingCode = Field(description="Calling code of numbers that are not in international form.")
    idgroup: GroupId = Field(description="Id of the group.")
    sms: MessageText = Field(description="Text of the message, the same for all.")


@operation(
    "sms.sendsmstogroup",
    parameters=SendSmsToGroup,
    result=BulkSent,
    summary="Send one SMS to every contact of a group.",
    example={"from": "Trunkline", "countrycode": "34", "idgroup": "1", "sms": "We open at nine"},
    errors=(Code.OPTED_OUT, Code.NO_ROUTE_AVAILABLE, Code.NO_CREDITS, Code.NOT_ACCESS_TO_GROUP),
)
def sendsmstogroup(context: Context, parameters: SendSmsToGroup) -> Bulk:
    """The text goes out as it stands: only templates have placeholders."""
    plan = draft(context, parameters.from_, parameters.scheduledatetime)
    measured(context, parameters.sms, "sms")
    return bulk(plan, parameters.idgroup, parameters.countrycode, parameters.sms, personal=False)


class SendSmsToGroupFromTemplate(SendParameters):
    """Parameters of sendsmstogroupfromtemplate."""

    countrycode: CallingCode = Field(description="Calling code of numbers that are not in international form.")
    idgroup: GroupId = Field(description="Id of the group.")
    idtemplate: TemplateId = Field(description="Id of the template.")
    from_: Text | None = Field(None, alias="from", description="Sender, instead of the account's own.")


@operation(
    "sms.sendsmstogroupfromtemplate",
    parameters=SendSmsToGroupFromTemplate,
    result=BulkSent,
    summary="Send a template to every contact of a group, filled from each contact's own fields.",
    example={"countrycode": "34", "idgroup": "1", "idtemplate": "1"},
    errors=(
        Code.OPTED_OUT,
        Code.NO_ROUTE_AVAILABLE,
        Code.NO_CREDITS,
        Code.NOT_ACCESS_TO_GROUP,
        Code.NOT_ACCESS_TO_TEMPLATE,
    ),
)
def sendsmstogroupfromtemplate(context: Context, parameters: SendSmsToGroupFromTemplate) -> Bulk:
    """A contact without a value for one of the placeholders refuses the whole send."""
    plan = draft(context, parameters.from_, parameters.scheduledatetime)
    body = template_text(context, parameters.idtemplate)
    personal = bool(templates_text.placeholders(body))
    return bulk(plan, parameters.idgroup, parameters.countrycode, body, personal=personal)


class AskedId(NamedTuple):
    """A message's id, and the digits it was asked for with, which the answer repeats."""

    digits: str
    id: int


def message_ids(text: str) -> list[AskedId]:
    """Read ids joined by commas; white space around them is dropped."""
    parts = text.split(",", MAX_STATUS_IDS)
    if len(parts) > MAX_STATUS_IDS:
        raise ValueError(f"has more than {MAX_STATUS_IDS} ids")
    return [AskedId(part, _read_id(part)) for part in map(str.strip, parts)]


_read_id = Digits("sendsms")


class GetDeliveryStatus(Parameters):
    """Parameters of getdeliverystatus."""

    messages: Annotated[list[AskedId], Wire(message_ids)] = Field(
        description=f"Ids of messages joined by commas, {MAX_STATUS_IDS} at most."
    )


class DeliveryStatus(BaseModel):
    """What became of one message."""

    messageid: str
    sms: str | None = Field(description="Text of the message.")
    deliverydate: datetime | None = Field(description="When the receipt arrived, in the account's time zone.")
    deliverystatus: Literal[
        "SCHEDULED",
        "QUEUED",
        "SENT",
        "DELIVERED",
        "UNDELIVERED",
        "EXPIRED",
        "REJECTED",
        "CANCELLED",
        "UNKNOWN",
    ]


@operation(
    "sms.getdeliverystatus",
    parameters=GetDeliveryStatus,
    result=list[DeliveryStatus],
    summary="What became of messages.",
    example={"messages": "123456,123457"},
)
def getdeliverystatus(context: Context, parameters: GetDeliveryStatus) -> Answer:
    """In the order asked for; another account's id reads exactly like one that does not exist."""
    with context.read() as connection:
        found = delivery.statuses(connection, context.account.id, [asked.id for asked in parameters.messages])
    zone, now = context.account.zone, context.now
    result = []
    for digits, message_id in parameters.messages:
        row = found.get(message_id)
        if row is None:
            result.append(_status(digits, None, None, "UNKNOWN"))
            continue
        date = Moment(row.final_at, zone) if row.final_at is not None else None
        result.append(_status(digits, row.text, date, public(State(row.state), row.due_at, now)))
    return Answer(result)


def _status(message_id: str, text: str | None, date: Moment | None, status: str) -> dict[str, str | Moment | None]:
    return {"messageid": message_id, "sms": text, "deliverydate": date, "deliverystatus": status}


def template_text(context: Context, template_id: int) -> str:
    """The text of one of the account's SMS templates. Raises `Refusal` where it has none of that id."""
    with context.read() as connection:
        found = templates.get(connection, context.account.id, template_id)
    if found is None or found.type != "mobile":
        raise Refusal(Code.NOT_ACCESS_TO_TEMPLATE, "idtemplate: This account has no SMS template of this id.")
    return found.message


def _send(context: Context, plan: Draft, to: str, body: str, parameter: str) -> Send:
    info = measured(context, body, parameter)
    check_opted_out(context, to)
    route = context.tariff.routes.first(to)
    price = context.tariff.prices.price(context.account.id, to)
    if route is None or price is None:
        raise Refusal(Code.NO_ROUTE_AVAILABLE, f"to: No route serves {to}.")
    total = price * info.segments
    message_id = context.ids.take(1)[0]
    result = {
        "messageid": str(message_id),
        "credits": Credits(total),
        "encoding": info.encoding.value,
        "segments": info.segments,
    }
    row = message_row(plan, message_id, to, body, info, total, route.carrier_id)
    return Send(result, total, row)
