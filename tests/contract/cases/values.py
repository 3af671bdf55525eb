"""Values that cannot be: operation, what differs from a good call, and the reply's code and detail.

$names are those of the fixture `world`. An empty code means that the value is taken.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.contract.cases.calls import OPERATIONS

PARAM = "INCORRECT_PARAM"
_COUNTRIES = "a calling code such as 34 or a two-letter code such as ES"
NAMED = "abcdefghijklmnopqrst"


@dataclass(frozen=True)
class Case:
    label: str
    operation: str
    values: dict[str, str]
    code: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.operation} {self.label}"


def _to() -> Iterator[Case]:
    def case(label: str, to: str, detail: str = "") -> Case:
        return Case(f"to {label}", "sms.sendsms", {"to": to}, PARAM if detail else "", detail and f"to: {detail}")

    def foreign(label: str, to: str, shown: str) -> Case:
        return case(label, to, f"The number '{shown}' holds characters other than the digits 0 to 9.")

    yield case("international", "34600000001")
    yield case("with +", "+34600000001")
    yield case("with 00", "0034600000001")
    yield case("with the space that + becomes", " 34600000001")
    yield case("national", "600000001")
    yield case("with white space around it", "34600000001\r\n")
    yield foreign("with a letter", "34600O00001", "34600O00001")
    yield foreign("with Arabic digits", "٣٤٦٠٠٠٠٠٠٠١", "٣٤٦٠٠٠٠٠٠٠١")
    yield foreign("with full width digits", "３４600000001", "３４600000001")
    yield foreign("with a superscript", "3460000000²", "3460000000²")
    yield foreign("with spaces", "34 600 000 001", "34 600 000 001")
    yield foreign("with hyphens", "34-600-000-001", "34-600-000-001")
    yield foreign("as an amount", "3.46e10", "3.46e10")
    yield foreign("negative", "-34600000001", "-34600000001")
    yield foreign("with two +", "++34600000001", "++34600000001")
    yield foreign("two", "34600000001,34600000002", "34600000001,34600000…")
    yield foreign("two lines", "34600000001\n34600000002", "34600000001\\n34600000…")
    yield foreign("a zero width space", "34600\u200b000001", "34600\\u200b000001")
    yield case("blank", "   ", "The number is empty.")
    yield case("+ alone", "+", "The number is empty.")
    yield case("of 16 digits", "3460000000012345", "The number '3460000000012345' has more than 15 digits.")
    yield case("of 4,001 characters", "3" * 4001, "has 4001 characters, and 4000 is the most.")
    yield case(
        "of a length that its country does not have",
        "+346000000015",
        "The number '+346000000015' has a length that calling code 34 does not have.",
    )
    yield case(
        "of no country", "+999600000001", "The number '+999600000001' does not begin with a country calling code."
    )
    yield case(
        "of nowhere",
        "999999999999999",
        "The number '999999999999999' is possible neither internationally nor in country 34.",
    )


def _from() -> Iterator[Case]:
    def case(label: str, sender: str, detail: str = "") -> Case:
        code = PARAM if detail else ""
        return Case(f"from {label}", "sms.sendsms", {"from": sender}, code, detail and f"from: {detail}")

    def long(label: str, sender: str) -> Case:
        return case(label, sender, f"The sender '{sender}' is too long: up to 11 characters, or 15 digits.")

    def foreign(label: str, sender: str, shown: str) -> Case:
        return case(label, sender, f"The sender '{shown}' holds characters that a sender cannot have.")

    yield case("of 11 characters", "ABCDEFGHIJK")
    yield long("of 12 characters", "ABCDEFGHIJKL")
    yield case("alphanumeric", "Shop 24 7")
    yield case("of 11 septets of the extension table", "€€€€€a")
    yield long("of 12 septets of the extension table", "€€€€€€")
    yield case("of 15 digits", "123456789012345")
    yield case("of 16 digits", "1234567890123456", "The sender '1234567890123456' has more than 15 digits.")
    yield case("a number with +", "+34600000001")
    yield case("a short code", "12345")
    yield case("blank", "  ", "The sender is empty.")
    yield foreign("with an emoji", "Shop 😀", "Shop 😀")
    yield foreign("with Arabic digits", "٣٤٦", "٣٤٦")
    yield foreign("of two lines", "Sh\nop", "Sh\\nop")
    yield foreign("with a tab", "Sh\top", "Sh\\top")
    yield case("of 4,001 characters", "S" * 4001, "has 4001 characters, and 4000 is the most.")


def _sms() -> Iterator[Case]:
    def case(label: str, text: str, detail: str = "") -> Case:
        return Case(
            f"text {label}", "sms.sendsms", {"sms": text}, PARAM if detail else "", detail and f"sms: {detail}"
        )

    yield case("of 10 GSM segments", "a" * 1530)
    yield case("of 11 GSM segments", "a" * 1531, "The text takes 11 segments and 10 is the most.")
    yield case("of 10 GSM segments with accents", "ñ" * 1530)
    yield case("of 10 UCS-2 segments", "я" * 670)
    yield case("of 11 UCS-2 segments", "я" * 671, "The text takes 11 segments and 10 is the most.")
    yield case("of 4,001 characters", "a" * 4001, "has 4001 characters, and 4000 is the most.")
    yield case("of one space", " ")
    yield case("of control characters", "\x01\x1b\x7f")
    yield case("of emoji", "😀" * 330)


def _when() -> Iterator[Case]:
    def case(label: str, when: str, detail: str = "") -> Case:
        code = PARAM if detail else ""
        detail = detail and f"scheduledatetime: {detail}"
        return Case(f"date {label}", "sms.sendsms", {"scheduledatetime": when}, code, detail)

    def shape(label: str, when: str, shown: str) -> Case:
        return case(label, when, f"The date '{shown}' is not of the form yyyy-mm-dd hh:mm:ss.")

    yield case("in 20 days", "$soon")
    yield case("blank", "  ")
    yield case("in the gap", "$gap", "The time '$gap' does not exist in $zone: the clocks skip it.")
    yield case("yesterday", "$past", "The date '$past' is past.")
    yield case("over a year ahead", "$far", "The date '$far' is over a year ahead.")
    yield case("30 February", "2030-02-30 10:00:00", "The date '2030-02-30 10:00:00' does not exist.")
    yield case("29 February of no leap year", "2030-02-29 10:00:00", "The date '2030-02-29 10:00:00' does not exist.")
    yield case("month 13", "2030-13-01 10:00:00", "The date '2030-13-01 10:00:00' does not exist.")
    yield case("hour 24", "2030-01-01 24:00:00", "The date '2030-01-01 24:00:00' does not exist.")
    yield case("second 60", "2030-01-01 10:00:60", "The date '2030-01-01 10:00:60' does not exist.")
    yield case("year 0", "0000-01-01 10:00:00", "The date '0000-01-01 10:00:00' does not exist.")
    yield case("in 9999", "9999-12-31 23:59:59", "The date '9999-12-31 23:59:59' is over a year ahead.")
    yield case("in year 1", "0001-01-01 00:00:00", "The date '0001-01-01 00:00:00' is past.")
    yield case(
        "of an offset that is none",
        "2030-01-01 10:00:00+25:00",
        "The date '2030-01-01 10:00:00+25:00' does not exist.",
    )
    yield shape("without a time", "2030-01-01", "2030-01-01")
    yield shape("without seconds", "2030-01-01 10:00", "2030-01-01 10:00")
    yield shape("of another order", "01/02/2030 10:00:00", "01/02/2030 10:00:00")
    yield shape("as a number", "1900000000", "1900000000")
    yield shape("with Arabic digits", "٢٠٣٠-01-01 10:00:00", "٢٠٣٠-01-01 10:00:00")
    yield shape("tomorrow", "tomorrow", "tomorrow")
    yield shape("with more after it", "2030-01-01 10:00:00 a.m.", "2030-01-01 10:00:00 …")
    yield case("of 4,001 characters", "2" * 4001, "has 4001 characters, and 4000 is the most.")


def _key() -> Iterator[Case]:
    def case(label: str, key: str, detail: str) -> Case:
        return Case(f"key {label}", "sms.sendsms", {"idempotencykey": key}, PARAM, f"idempotencykey: {detail}")

    yield case("of 129 characters", "k" * 129, "has 129 characters, and 128 is the most.")
    yield case("blank", " ", "must not be blank.")
    yield case("of two lines", "a\nb", "holds the control character U+000A at position 2.")


def _ids() -> Iterator[Case]:
    """Of every operation that takes an id."""
    sources = {
        "idtemplate": "gettemplates",
        "idgroup": "getgroups",
        "idcontact": "getcontacts",
    }
    pages = {"group.getcontacts": "getcontacts", "sms.getinbound": "getinbound"}
    bad = {
        "letters": "abc",
        "negative": "-1",
        "with a sign": "+1",
        "with a space": "1 2",
        "hexadecimal": "0x1F",
        "with Arabic digits": "١٢٣",
        "of a fraction": "1.0",
        "an amount": "1e3",
        "with an underscore": "1_0",
        "a list": "1,2",
        "long and no number": "x" * 5000,
    }
    for operation, declared in OPERATIONS.items():
        for name in declared.parameters.model_json_schema()["properties"]:
            source = pages.get(operation) if name == "after" else sources.get(name)
            if source is not None:
                for label, text in bad.items():
                    shown = repr(text if len(text) <= 20 else text[:20] + "…")
                    detail = f"{name}: must be an id in digits, as {source} gives it, not {shown}."
                    yield Case(f"{name} {label}", operation, {name: text}, PARAM, detail)


def _nobodys_ids() -> Iterator[Case]:
    """Ids of the right form that give access to nothing: all are answered alike."""
    template, group = "NOT_ACCESS_TO_TEMPLATE", "NOT_ACCESS_TO_GROUP"
    ids = {
        "idtemplate": (
            template,
            "idtemplate: the account has no template with this id",
            {"another account's": "$other_template", "deleted": "$deleted_template"},
        ),
        "idgroup": (
            group,
            "idgroup: the account has no group with this id",
            {"another account's": "$other_group"},
        ),
        "idcontact": (
            group,
            "idcontact: no group of the account has a contact with this id",
            {"another account's": "$other_contact"},
        ),
    }
    everywhere = {"0": "0", "2**53": str(2**53), "2**63": str(2**63), "of 17 digits": "9" * 17, "huge": "9" * 5000}
    for operation, declared in OPERATIONS.items():
        for name in declared.parameters.model_json_schema()["properties"]:
            if name in ids:
                code, detail, more = ids[name]
                if operation.startswith("sms."):
                    kind = "SMS template" if name == "idtemplate" else "group"
                    detail = f"{name}: This account has no {kind} of this id."
                for label, id_ in (everywhere | more).items():
                    yield Case(f"{name} {label}", operation, {name: id_}, code, detail)


def _lists() -> Iterator[Case]:
    def messages(label: str, ids: str, detail: str = "") -> Case:
        code = PARAM if detail else ""
        return Case(
            f"messages {label}", "sms.getdeliverystatus", {"messages": ids}, code, detail and f"messages: {detail}"
        )

    def no_id(label: str, ids: str, shown: str) -> Case:
        return messages(label, ids, f"must be an id in digits, as sendsms gives it, not {shown}.")

    yield messages("10,001 ids", ",".join(["1"] * 10_001), "has more than 10000 ids.")
    yield messages("10,000 ids", ",".join(["1"] * 10_000))
    yield no_id("letters", "12,abc", "'abc'")
    yield no_id("negative", "-5", "'-5'")
    yield no_id("an empty one among them", "1,,2", "''")
    yield no_id("a comma at the end", "1,", "''")
    yield no_id("with Arabic digits", "١٢٣", "'١٢٣'")
    yield no_id("joined by semicolons", "1;2", "'1;2'")
    yield no_id("an endless one that is none", "x" * 9000, f"'{'x' * 20}…'")


def _groups() -> Iterator[Case]:
    def case(label: str, operation: str, name: str, value: str, detail: str, code: str = PARAM) -> Case:
        return Case(f"{name} {label}", f"group.{operation}", {name: value}, code, detail and f"{name}: {detail}")

    fields, codes = "creategroup", "a field's"
    yield case("of 101 characters", fields, "name", "n" * 101, "has 101 characters, and 100 is the most.")
    yield case("blank", fields, "name", " ", "must not be blank.")
    yield case("of two lines", fields, "name", "a\u2028b", "holds the control character U+2028 at position 2.")
    yield case("twice", fields, "fields", "name,name", "The field 'name' stands twice in the list.")
    yield case("a comma at the end", fields, "fields", "name,", "A field's name is empty.")
    yield case(
        f"{codes} name taken", fields, "fields", "mobile", "The name 'mobile' is taken: it is every contact's number."
    )
    yield case(
        f"{codes} space",
        fields,
        "fields",
        "first name",
        "The field's name 'first name' holds ' ': letters, digits, _, - and . are possible.",
    )
    yield case(
        f"{codes} length",
        fields,
        "fields",
        NAMED * 3,
        f"The field's name '{NAMED}…' has 60 characters, and 40 is the most.",
    )
    yield case("too many", fields, "fields", ",".join(f"f{n}" for n in range(51)), "A group has at most 50 fields.")
    for operation in ("group.creategroup", "template.addtemplate", "template.gettemplates"):
        for label, type_ in (("whatsapp", "whatsapp"), ("in capitals", "MOBILE"), ("with an accent", "mobilé")):
            detail = f"type: {type_!r} is not served; mobile is the only type"
            yield Case(f"type {label}", operation, {"type": type_}, "INCORRECT_TYPE", detail)
    yield case("has it already", "addfield", "field", "name", "the group has the field 'name' already")
    yield case("of none", "deletefield", "field", "street", "the group has no field 'street'")
    main = "MISSING_MAIN_FIELD"
    yield case("empty", "addcontact", "mobile", "", "a contact must have a number", main)
    yield case("blank", "addcontact", "mobile", "  ", "a contact must have a number", main)
    for operation in ("addcontact", "modifycontact"):
        yield case(
            "with a letter",
            operation,
            "mobile",
            "60000000l",
            "The number '60000000l' holds characters other than the digits 0 to 9.",
        )
        yield case(
            "of no country",
            operation,
            "mobile",
            "+999600000001",
            "The number '+999600000001' does not begin with a country calling code.",
        )
        yield case(
            "unknown",
            operation,
            "fields",
            "street:Main",
            "The group has no field 'street'; its fields are name, city.",
        )
        yield case("without colon", operation, "fields", "Ana", "Pair 1 ('Ana') has no colon between name and value.")
    for paged in ("group.getcontacts", "sms.getinbound", "optout.getoptouts"):
        for label, limit in (("0", "0"), ("1001", "1001"), ("negative", "-1"), ("a word", "ten"), ("Arabic", "١٠")):
            detail = f"limit: must be a whole number from 1 to 1000, not '{limit}'."
            yield Case(f"limit {label}", paged, {"limit": limit}, PARAM, detail)


def _optouts() -> Iterator[Case]:
    for operation in ("optout.addoptout", "optout.deleteoptout"):
        yield Case(
            "with a letter",
            operation,
            {"number": "60000000l"},
            PARAM,
            "number: The number '60000000l' holds characters other than the digits 0 to 9.",
        )
        yield Case("blank", operation, {"number": " "}, PARAM, "number: The number is empty.")
    yield Case(
        "not on the list",
        "optout.deleteoptout",
        {"number": "+34600000097"},
        PARAM,
        "number: 34600000097 is not on the account's opt-out list",
    )
    for label, after in (("+", "+34600000001"), ("a word", "x"), ("of 16 digits", "3" * 16), ("Arabic", "٣٤")):
        detail = f"after: must be a number in digits, as getoptouts gives it, not '{after}'."
        yield Case(f"after {label}", "optout.getoptouts", {"after": after}, PARAM, detail)


def _sends() -> Iterator[Case]:
    template, bulk, filled = "sms.sendsmsfromtemplate", "sms.sendsmstogroup", "sms.sendsmstogroupfromtemplate"
    yield Case("every placeholder", template, {"params": "name:Ana,code:1"})
    yield Case(
        "a placeholder", template, {"params": "name:Ana"}, PARAM, "params: The placeholder <code> has no value."
    )
    yield Case("no placeholder", template, {"params": ""}, PARAM, "params: The placeholder <name> has no value.")
    yield Case(
        "a pair without colon",
        template,
        {"params": "name"},
        PARAM,
        "params: Pair 1 ('name') has no colon between name and value.",
    )
    yield Case(
        "a pair without name",
        template,
        {"params": ":x"},
        PARAM,
        "params: Pair 1 (':x') has no name before its colon.",
    )
    yield Case(
        "a name twice",
        template,
        {"params": "name:a,code:1,name:b"},
        PARAM,
        "params: Pair 3 gives 'name' a second value.",
    )
    yield Case(
        "a group's placeholder",
        filled,
        {},
        PARAM,
        "idtemplate: The placeholder <code> has no value in contact $contact.",
    )
    for operation in (bulk, filled):
        for label, code in (("0", "0"), ("letters", "XX"), ("unassigned", "999"), ("mixed", "34a"), ("Arabic", "٣٤")):
            detail = f"countrycode: {code!r} is no country: give {_COUNTRIES}."
            yield Case(f"countrycode {label}", operation, {"countrycode": code}, PARAM, detail)
    empty = "idgroup: The group $empty_group has no contacts."
    yield Case("an empty group", bulk, {"idgroup": "$empty_group"}, PARAM, empty)


CASES = [
    *_to(), *_from(), *_sms(), *_when(), *_key(), *_ids(), *_nobodys_ids(), *_lists(), *_groups(), *_optouts(),
    *_sends(),
]  # fmt: skip
