"""Groups and their fields on both databases, with another account's groups beside."""

import pytest

from gateway.operations.group import MAX_GROUPS
from gateway.storage.database import Database
from gateway.storage.queries import contacts, groups
from tests.integration.operations.conftest import NOW, Customer

NOT_OURS = ("NOT_ACCESS_TO_GROUP", "idgroup: the account has no group with this id")


def make(customer: Customer, name: str = "Customers", fields: str = "name,city") -> str:
    return str(customer.answer("group.creategroup", name=name, fields=fields)["id"])


def names(customer: Customer) -> list[str]:
    return [entry["name"] for entry in customer.answer("group.getgroups")]


def test_groups_are_listed_with_counts_and_fields(ana: Customer, bob: Customer) -> None:
    first, theirs, second = make(ana), make(bob, "Theirs", "x"), make(ana, "Empty", "")
    for mobile in ("34600000001", "34600000002"):
        ana.answer("group.addcontact", idgroup=first, mobile=mobile)
    bob.answer("group.addcontact", idgroup=theirs, mobile="34600000003")
    assert ana.answer("group.getgroups") == [
        {"id": first, "name": "Customers", "count": 2, "fields": ["name", "city"]},
        {"id": second, "name": "Empty", "count": 0, "fields": []},
    ]
    assert bob.answer("group.getgroups") == [{"id": theirs, "name": "Theirs", "count": 1, "fields": ["x"]}]


def test_fields_are_added_and_removed_in_order(ana: Customer, bob: Customer) -> None:
    group, theirs = make(ana), make(bob)
    assert ana.answer("group.addfield", idgroup=group, field=" straße ") is None
    assert ana.answer("group.getfields", idgroup=group) == ["name", "city", "straße"]
    assert ana.answer("group.deletefield", idgroup=group, field="name") is None
    assert ana.answer("group.getfields", idgroup=group) == ["city", "straße"]
    assert bob.answer("group.getfields", idgroup=theirs) == ["name", "city"]


def test_the_case_of_a_fields_name_counts(ana: Customer) -> None:
    group = make(ana, fields="name,Name,Mobile")
    assert ana.answer("group.getfields", idgroup=group) == ["name", "Name", "Mobile"]


def test_a_deleted_group_is_gone_with_its_contacts(ana: Customer, bob: Customer) -> None:
    group, theirs = make(ana), make(bob)
    contact = ana.answer("group.addcontact", idgroup=group, mobile="34600000001")["id"]
    assert ana.answer("group.deletegroup", idgroup=group) is None
    assert names(ana) == []
    assert names(bob) == ["Customers"]
    for method, parameters in (
        ("deletegroup", {}),
        ("getfields", {}),
        ("getcontacts", {}),
        ("addfield", {"field": "x"}),
        ("deletefield", {"field": "name"}),
        ("addcontact", {"mobile": "34600000002"}),
    ):
        assert ana.refusal(f"group.{method}", idgroup=group, **parameters) == NOT_OURS
    for method in ("modifycontact", "deletecontact"):
        assert ana.refusal(f"group.{method}", idcontact=contact)[0] == "NOT_ACCESS_TO_GROUP"
    with ana.read() as connection:
        assert groups.get(connection, ana.account.id, int(group)) is None
        assert contacts.page(connection, ana.account.id, int(group), 0, 10) == []
        assert contacts.count(connection, ana.account.id, int(group)) == 0
    assert make(ana) not in (group, theirs)


def purge(database: Database, limit: int) -> int:
    with database.transaction() as connection:
        return contacts.purge_orphans(connection, limit)


def test_removed_groups_are_purged_in_steps(ana: Customer, bob: Customer) -> None:
    removed, also, kept = make(ana, "removed"), make(bob, "also"), make(ana, "kept")
    for customer, group in ((ana, removed), (bob, also), (ana, kept)):
        with ana.database.transaction() as connection:
            numbers = [f"346000000{number:02d}" for number in range(25)]
            contacts.add_many(connection, customer.account.id, int(group), [(n, {}) for n in numbers], NOW)
    assert purge(ana.database, 10) == 0
    ana.answer("group.deletegroup", idgroup=removed)
    bob.answer("group.deletegroup", idgroup=also)
    steps = []
    while step := purge(ana.database, 10):
        steps.append(step)
    assert sum(steps) == 2 * 25 + 2
    assert max(steps) == 10
    assert [(entry["name"], entry["count"]) for entry in ana.answer("group.getgroups")] == [("kept", 25)]


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        pytest.param("deletegroup", {}, id="deletegroup"),
        pytest.param("getfields", {}, id="getfields"),
        pytest.param("getcontacts", {}, id="getcontacts"),
        pytest.param("addfield", {"field": "x"}, id="addfield"),
        pytest.param("deletefield", {"field": "name"}, id="deletefield"),
        pytest.param("addcontact", {"mobile": "34600000001", "fields": "name:Ana"}, id="addcontact"),
        pytest.param("addcontact", {"mobile": "34600000001", "fields": "x:Ana"}, id="addcontact-wrong-field"),
    ],
)
def test_another_accounts_group_is_answered_like_one_that_does_not_exist(
    ana: Customer, bob: Customer, method: str, parameters: dict[str, str]
) -> None:
    theirs = make(bob)
    before = bob.answer("group.getgroups")
    for idgroup in (theirs, "0", "999999999", str(2**53), str(2**63), "9" * 5_000):
        assert ana.refusal(f"group.{method}", idgroup=idgroup, **parameters) == NOT_OURS
    assert bob.answer("group.getgroups") == before


def test_queries_are_confined_to_the_account(ana: Customer, bob: Customer) -> None:
    theirs = int(make(bob))
    stranger = ana.account.id
    with ana.database.transaction() as connection:
        contact = contacts.add(connection, bob.account.id, theirs, "34600000001", {"name": "Bob"}, NOW)
        with pytest.raises(LookupError):
            contacts.add(connection, stranger, theirs, "34600000001", {}, NOW)
        with pytest.raises(LookupError):
            contacts.add_many(connection, stranger, theirs, [("34600000001", {})], NOW)
        assert groups.get(connection, stranger, theirs) is None
        assert groups.hold(connection, stranger, theirs) is None
        assert groups.fields(connection, stranger, theirs) is None
        assert groups.list_(connection, stranger) == []
        assert groups.count(connection, stranger) == 0
        assert not groups.add_field(connection, stranger, theirs, "x")
        assert not groups.remove_field(connection, stranger, theirs, "name")
        assert not groups.remove(connection, stranger, theirs, NOW)
        assert contacts.hold(connection, stranger, contact) is None
        assert contacts.page(connection, stranger, theirs, 0, 10) == []
        assert contacts.count(connection, stranger, theirs) == 0
        assert not contacts.modify(connection, stranger, contact, "1", {})
        assert not contacts.remove(connection, stranger, contact)
    with bob.read() as connection:
        assert contacts.page(connection, bob.account.id, theirs, 0, 10) == [
            contacts.Contact(contact, theirs, "34600000001", {"name": "Bob"})
        ]


FIFTY = ",".join(f"f{number}" for number in range(50))


@pytest.mark.parametrize(
    ("method", "parameters", "code", "detail"),
    [
        pytest.param("creategroup", {}, "MISSING_COMPULSORY_PARAM", "name: must be given", id="no-name"),
        pytest.param("creategroup", {"name": " "}, "INCORRECT_PARAM", "name: must not be blank", id="blank-name"),
        pytest.param(
            "creategroup",
            {"name": "n" * 101},
            "INCORRECT_PARAM",
            "name: has 101 characters, and 100 is the most",
            id="long-name",
        ),
        pytest.param(
            "creategroup",
            {"name": "x", "type": "whatsapp"},
            "INCORRECT_TYPE",
            "type: 'whatsapp' is not served; mobile is the only type",
            id="whatsapp",
        ),
        pytest.param(
            "creategroup",
            {"name": "x", "fields": "name,mobile"},
            "INCORRECT_PARAM",
            "fields: The name 'mobile' is taken: it is every contact's number.",
            id="reserved-field",
        ),
        pytest.param(
            "creategroup",
            {"name": "x", "fields": "name, name"},
            "INCORRECT_PARAM",
            "fields: The field 'name' stands twice in the list.",
            id="field-twice",
        ),
        pytest.param(
            "creategroup",
            {"name": "x", "fields": "name,,city"},
            "INCORRECT_PARAM",
            "fields: A field's name is empty.",
            id="empty-field",
        ),
        pytest.param(
            "creategroup",
            {"name": "x", "fields": "first name"},
            "INCORRECT_PARAM",
            "fields: The field's name 'first name' holds ' ': letters, digits, _, - and . are possible.",
            id="field-with-space",
        ),
        pytest.param(
            "creategroup",
            {"name": "x", "fields": "a\0"},
            "INCORRECT_PARAM",
            r"fields: The field's name 'a\x00' holds '\x00': letters, digits, _, - and . are possible.",
            id="field-with-nul",
        ),
        pytest.param(
            "creategroup",
            {"name": "x", "fields": "f" * 41},
            "INCORRECT_PARAM",
            f"fields: The field's name '{'f' * 20}…' has 41 characters, and 40 is the most.",
            id="long-field",
        ),
        pytest.param(
            "creategroup",
            {"name": "x", "fields": FIFTY + ",more"},
            "INCORRECT_PARAM",
            "fields: A group has at most 50 fields.",
            id="fifty-one-fields",
        ),
        pytest.param(
            "deletegroup",
            {"idgroup": "-1"},
            "INCORRECT_PARAM",
            "idgroup: must be an id in digits, as getgroups gives it, not '-1'",
            id="negative-id",
        ),
        pytest.param("deletegroup", {}, "MISSING_COMPULSORY_PARAM", "idgroup: must be given", id="no-id"),
        pytest.param("getfields", {}, "MISSING_COMPULSORY_PARAM", "idgroup: must be given", id="fields-of-none"),
    ],
)
def test_bad_input(
    ana: Customer, bob: Customer, method: str, parameters: dict[str, str], code: str, detail: str
) -> None:
    make(bob)
    assert ana.refusal(f"group.{method}", **parameters) == (code, detail)
    assert names(ana) == []
    assert names(bob) == ["Customers"]


@pytest.mark.parametrize(
    ("method", "field", "detail"),
    [
        pytest.param("addfield", "name", "field: the group has the field 'name' already", id="add-again"),
        pytest.param(
            "addfield",
            "mobile",
            "field: The name 'mobile' is taken: it is every contact's number.",
            id="add-reserved",
        ),
        pytest.param(
            "addfield",
            "a<b",
            "field: The field's name 'a<b' holds '<': letters, digits, _, - and . are possible.",
            id="add-bracket",
        ),
        pytest.param("addfield", " ", "field: A field's name is empty.", id="add-blank"),
        pytest.param("deletefield", "Name", "field: the group has no field 'Name'", id="delete-unknown"),
    ],
)
def test_bad_fields(ana: Customer, bob: Customer, method: str, field: str, detail: str) -> None:
    group, theirs = make(ana), make(bob, fields="name,Name")
    assert ana.refusal(f"group.{method}", idgroup=group, field=field) == ("INCORRECT_PARAM", detail)
    assert ana.answer("group.getfields", idgroup=group) == ["name", "city"]
    assert bob.answer("group.getfields", idgroup=theirs) == ["name", "Name"]


def test_a_group_has_at_most_fifty_fields(ana: Customer) -> None:
    group = make(ana, fields=FIFTY)
    assert ana.refusal("group.addfield", idgroup=group, field="more") == (
        "INCORRECT_PARAM",
        "field: A group has at most 50 fields.",
    )
    ana.answer("group.deletefield", idgroup=group, field="f7")
    assert ana.answer("group.addfield", idgroup=group, field="more") is None
    assert len(ana.answer("group.getfields", idgroup=group)) == 50


def test_an_account_has_a_bounded_number_of_groups(ana: Customer, bob: Customer) -> None:
    make(bob)
    with ana.database.transaction() as connection:
        for number in range(MAX_GROUPS):
            groups.create(connection, ana.account.id, f"g{number}", "mobile", [], NOW)
    assert ana.refusal("group.creategroup", name="x") == (
        "INCORRECT_PARAM",
        f"name: the account has {MAX_GROUPS} groups, the most; delete one first",
    )
    listed = ana.answer("group.getgroups")
    assert [entry["name"] for entry in listed] == [f"g{number}" for number in range(MAX_GROUPS)]
    ana.answer("group.deletegroup", idgroup=listed[0]["id"])
    assert make(ana)
