"""The contacts of groups on both databases, with another account's contacts beside."""

from threading import Thread
from typing import Any

import pytest

from gateway.messaging.numbers import normalise
from gateway.storage.queries import contacts, groups
from tests.integration.operations.conftest import NOW, Customer

NO_CONTACT = ("NOT_ACCESS_TO_GROUP", "idcontact: no group of the account has a contact with this id")


def make(customer: Customer, fields: str = "name,city") -> str:
    return str(customer.answer("group.creategroup", name="Customers", fields=fields)["id"])


def add(customer: Customer, group: str, mobile: str = "34600000001", fields: str = "") -> str:
    return str(customer.answer("group.addcontact", idgroup=group, mobile=mobile, fields=fields)["id"])


def listed(customer: Customer, group: str) -> list[dict[str, Any]]:
    return list(customer.answer("group.getcontacts", idgroup=group)["contacts"])


def values(customer: Customer, group: str) -> list[dict[str, str]]:
    """What each contact has in its fields."""
    return [{field["name"]: field["value"] for field in entry["fields"]} for entry in listed(customer, group)]


def test_a_contact_is_kept_with_its_fields(ana: Customer, bob: Customer) -> None:
    group, theirs = make(ana), make(bob)
    add(bob, theirs, "34600000009", "name:Bob")
    first = add(ana, group, "34600000001", r"city:Rome\, Italy: north,name:Ana 😀")
    second = add(ana, group, "34600000001")
    assert ana.answer("group.getcontacts", idgroup=group) == {
        "contacts": [
            {
                "id": first,
                "mobile": "34600000001",
                "fields": [{"name": "name", "value": "Ana 😀"}, {"name": "city", "value": "Rome, Italy: north"}],
            },
            {"id": second, "mobile": "34600000001", "fields": []},
        ],
        "next": None,
    }
    assert values(bob, theirs) == [{"name": "Bob"}]


@pytest.mark.parametrize(
    ("mobile", "kept", "to_34"),
    [
        pytest.param("34600000001", "34600000001", "34600000001", id="international-without-mark"),
        pytest.param("+34600000001", "+34600000001", "34600000001", id="plus"),
        pytest.param("0034600000001", "+34600000001", "34600000001", id="two-zeros"),
        pytest.param(" 34600000001", "+34600000001", "34600000001", id="space-of-a-plus"),
        pytest.param("600000001", "600000001", "34600000001", id="national"),
        pytest.param("+612345678", "+612345678", "612345678", id="australian-by-its-plus"),
        pytest.param("612345678", "612345678", "34612345678", id="the-same-digits-spanish"),
    ],
)
def test_how_a_number_is_kept_and_read_by_a_send(ana: Customer, mobile: str, kept: str, to_34: str) -> None:
    group = make(ana)
    add(ana, group, mobile)
    assert [entry["mobile"] for entry in listed(ana, group)] == [kept]
    assert normalise(kept, "34") == to_34


def test_contacts_are_listed_a_part_at_a_time(ana: Customer, bob: Customer) -> None:
    group, theirs = make(ana), make(bob)
    mine = []
    for number in range(5):
        mine.append(add(ana, group, f"3460000000{number}"))
        add(bob, theirs, "34600000009")
    parts, after = [], "0"
    while after is not None:
        part = ana.answer("group.getcontacts", idgroup=group, after=after, limit="2")
        parts.append([entry["id"] for entry in part["contacts"]])
        after = part["next"]
    assert parts == [mine[:2], mine[2:4], mine[4:]]
    full = ana.answer("group.getcontacts", idgroup=group, limit="5")
    assert ([entry["id"] for entry in full["contacts"]], full["next"]) == (mine, None)
    assert ana.answer("group.getcontacts", idgroup=group, after="9" * 30) == {"contacts": [], "next": None}


def test_a_list_has_at_most_a_hundred_contacts_unless_more_are_asked_for(ana: Customer) -> None:
    group = make(ana)
    with ana.database.transaction() as connection:
        rows = [(f"34600{number:06d}", {"name": str(number)}) for number in range(1_000)]
        assert contacts.add_many(connection, ana.account.id, int(group), rows, NOW) == 1_000
        assert contacts.add_many(connection, ana.account.id, int(group), [("1", {})], NOW) == 1
        assert contacts.add_many(connection, ana.account.id, int(group), [], NOW) == 0
        with pytest.raises(ValueError, match="at most 1000"):
            contacts.add_many(connection, ana.account.id, int(group), [*rows, ("1", {})], NOW)
    assert len(listed(ana, group)) == 100
    part = ana.answer("group.getcontacts", idgroup=group, limit="1000")
    assert [entry["mobile"] for entry in part["contacts"]] == [mobile for mobile, _ in rows]
    assert part["next"] == part["contacts"][-1]["id"]


def test_modifying_changes_what_is_given_and_keeps_the_rest(ana: Customer, bob: Customer) -> None:
    group = make(ana)
    contact = add(ana, group, "34600000001", "name:Ana,city:Rome")
    for parameters, mobile, fields in (
        ({"fields": "city:Milan"}, "34600000001", {"name": "Ana", "city": "Milan"}),
        ({"mobile": "+34600000002"}, "+34600000002", {"name": "Ana", "city": "Milan"}),
        ({"fields": "name:"}, "+34600000002", {"name": "", "city": "Milan"}),
        ({"mobile": "600000003", "fields": "name:Eva,city:"}, "600000003", {"name": "Eva", "city": ""}),
        ({}, "600000003", {"name": "Eva", "city": ""}),
        ({"mobile": " "}, "600000003", {"name": "Eva", "city": ""}),
    ):
        assert ana.answer("group.modifycontact", idcontact=contact, **parameters) is None
        assert [entry["mobile"] for entry in listed(ana, group)] == [mobile]
        assert values(ana, group) == [fields]
    assert bob.refusal("group.modifycontact", idcontact=contact, mobile="34600000009") == NO_CONTACT


def test_what_a_contact_had_in_a_deleted_field_is_not_seen(ana: Customer) -> None:
    group = make(ana)
    contact = add(ana, group, fields="name:Ana,city:Rome")
    untouched = add(ana, group, fields="city:Oslo")
    ana.answer("group.deletefield", idgroup=group, field="city")
    assert values(ana, group) == [{"name": "Ana"}, {}]
    ana.answer("group.modifycontact", idcontact=contact, fields="name:Eva")
    ana.answer("group.addfield", idgroup=group, field="city")
    assert values(ana, group)[0] == {"name": "Eva"}
    assert ana.answer("group.deletecontact", idcontact=untouched) is None


def test_a_deleted_contact_is_gone_and_its_id_is_not_given_again(ana: Customer, bob: Customer) -> None:
    group, theirs = make(ana), make(bob)
    other, contact, bobs = add(ana, group), add(ana, group), add(bob, theirs)
    assert ana.answer("group.deletecontact", idcontact=contact) is None
    assert [entry["id"] for entry in listed(ana, group)] == [other]
    assert ana.refusal("group.deletecontact", idcontact=contact) == NO_CONTACT
    assert ana.refusal("group.modifycontact", idcontact=contact) == NO_CONTACT
    assert add(ana, group) not in (other, contact, bobs)


@pytest.mark.parametrize("method", ["modifycontact", "deletecontact"])
def test_another_accounts_contact_is_answered_like_one_that_does_not_exist(
    ana: Customer, bob: Customer, method: str
) -> None:
    make(ana)
    theirs = make(bob)
    contact = add(bob, theirs, fields="name:Bob")
    for idcontact in (contact, "0", "999999999", str(2**53), str(2**63), "9" * 5_000):
        assert ana.refusal(f"group.{method}", idcontact=idcontact) == NO_CONTACT
    assert values(bob, theirs) == [{"name": "Bob"}]


NUMBER = "34600000001"


@pytest.mark.parametrize(
    ("parameters", "code", "detail"),
    [
        pytest.param({}, "MISSING_MAIN_FIELD", "mobile: a contact must have a number", id="no-number"),
        pytest.param({"mobile": ""}, "MISSING_MAIN_FIELD", "mobile: a contact must have a number", id="empty-number"),
        pytest.param(
            {"mobile": " \t"}, "MISSING_MAIN_FIELD", "mobile: a contact must have a number", id="blank-number"
        ),
        pytest.param(
            {"mobile": "34600x"},
            "INCORRECT_PARAM",
            "mobile: The number '34600x' holds characters other than the digits 0 to 9.",
            id="letters",
        ),
        pytest.param(
            {"mobile": "٣٤٦٠٠"},
            "INCORRECT_PARAM",
            "mobile: The number '٣٤٦٠٠' holds characters other than the digits 0 to 9.",
            id="arabic-digits",
        ),
        pytest.param(
            {"mobile": "34 600"},
            "INCORRECT_PARAM",
            "mobile: The number '34 600' holds characters other than the digits 0 to 9.",
            id="space-within",
        ),
        pytest.param(
            {"mobile": "1" * 16},
            "INCORRECT_PARAM",
            f"mobile: The number '{'1' * 16}' has more than 15 digits.",
            id="too-long",
        ),
        pytest.param(
            {"mobile": "+3460000000"},
            "INCORRECT_PARAM",
            "mobile: The number '+3460000000' has a length that calling code 34 does not have.",
            id="impossible-international",
        ),
        pytest.param({"mobile": "+"}, "INCORRECT_PARAM", "mobile: The number is empty.", id="plus-alone"),
        pytest.param(
            {"mobile": "1\0"},
            "INCORRECT_PARAM",
            "mobile: holds the character U+0000 at position 2",
            id="nul",
        ),
        pytest.param(
            {"mobile": NUMBER, "fields": "name:Ana,zip:1"},
            "INCORRECT_PARAM",
            "fields: The group has no field 'zip'; its fields are name, city.",
            id="unknown-field",
        ),
        pytest.param(
            {"mobile": NUMBER, "fields": "mobile:34600000002"},
            "INCORRECT_PARAM",
            "fields: The group has no field 'mobile'; its fields are name, city.",
            id="number-as-field",
        ),
        pytest.param(
            {"mobile": NUMBER, "fields": "name"},
            "INCORRECT_PARAM",
            "fields: Pair 1 ('name') has no colon between name and value.",
            id="no-colon",
        ),
        pytest.param(
            {"mobile": NUMBER, "fields": "name:Ana,name:Eva"},
            "INCORRECT_PARAM",
            "fields: Pair 2 gives 'name' a second value.",
            id="two-values",
        ),
        pytest.param(
            {"mobile": NUMBER, "fields": "name:\ud800"},
            "INCORRECT_PARAM",
            "fields: holds half a surrogate pair (U+D800) at position 6",
            id="lone-surrogate",
        ),
        pytest.param(
            {"mobile": NUMBER, "fields": "name:" + "x" * 4_000},
            "INCORRECT_PARAM",
            "fields: has 4005 characters, and 4000 is the most",
            id="long-fields",
        ),
    ],
)
def test_bad_contacts(ana: Customer, bob: Customer, parameters: dict[str, str], code: str, detail: str) -> None:
    group, theirs = make(ana), make(bob, "zip,mobil")
    assert ana.refusal("group.addcontact", idgroup=group, **parameters) == (code, detail)
    contact = add(ana, group, fields="name:Ana")
    if code == "INCORRECT_PARAM":
        assert ana.refusal("group.modifycontact", idcontact=contact, **parameters) == (code, detail)
    assert [entry["mobile"] for entry in listed(ana, group)] == [NUMBER]
    assert values(ana, group) == [{"name": "Ana"}]
    assert listed(bob, theirs) == []


@pytest.mark.parametrize(
    ("parameters", "code", "detail"),
    [
        pytest.param({"idgroup": ""}, "MISSING_COMPULSORY_PARAM", "idgroup: must be given", id="no-group"),
        pytest.param(
            {"limit": "1001"},
            "INCORRECT_PARAM",
            "limit: must be a whole number from 1 to 1000, not '1001'",
            id="limit-over",
        ),
        pytest.param(
            {"limit": "0"},
            "INCORRECT_PARAM",
            "limit: must be a whole number from 1 to 1000, not '0'",
            id="limit-zero",
        ),
        pytest.param(
            {"after": "x"},
            "INCORRECT_PARAM",
            "after: must be an id in digits, as getcontacts gives it, not 'x'",
            id="after-no-id",
        ),
    ],
)
def test_bad_lists(ana: Customer, bob: Customer, parameters: dict[str, str], code: str, detail: str) -> None:
    group = make(ana)
    make(bob)
    assert ana.refusal("group.getcontacts", **{"idgroup": group, **parameters}) == (code, detail)


def test_a_group_without_fields_says_so(ana: Customer, bob: Customer) -> None:
    make(bob)
    group = make(ana, "")
    assert ana.refusal("group.addcontact", idgroup=group, mobile=NUMBER, fields="name:Ana") == (
        "INCORRECT_PARAM",
        "fields: The group has no field 'name'; it has none.",
    )


def test_many_fields_are_not_all_repeated_in_an_error(ana: Customer) -> None:
    group = make(ana, ",".join(f"f{number}" for number in range(50)))
    assert ana.refusal("group.addcontact", idgroup=group, mobile=NUMBER, fields="x:1") == (
        "INCORRECT_PARAM",
        "fields: The group has no field 'x'; its fields are f0, f1, f2, f3, f4, f5, f6, f7, f8, f9 and 40 more.",
    )


def test_fields_added_at_the_same_time_are_all_kept(ana: Customer) -> None:
    group = make(ana, "")
    fields = [f"f{number}" for number in range(8)]
    threads = [
        Thread(target=ana.call, args=("group.addfield",), kwargs={"idgroup": group, "field": field})
        for field in fields
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(ana.answer("group.getfields", idgroup=group)) == fields


def test_a_contact_is_never_added_to_a_group_that_is_being_removed(ana: Customer) -> None:
    """The removal waits for whoever holds the group, and whoever comes after it finds none."""
    group = make(ana)
    with ana.database.transaction() as connection:
        assert groups.hold(connection, ana.account.id, int(group)) is not None
        remover = Thread(target=ana.call, args=("group.deletegroup",), kwargs={"idgroup": group})
        remover.start()
        remover.join(0.3)
        assert remover.is_alive()
        contacts.add(connection, ana.account.id, int(group), NUMBER, {}, NOW)
    remover.join(30)
    assert ana.refusal("group.addcontact", idgroup=group, mobile=NUMBER)[0] == "NOT_ACCESS_TO_GROUP"
    with ana.database.transaction() as connection:
        assert contacts.purge_orphans(connection) == 2
