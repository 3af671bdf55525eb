"""The class `template` on both databases, with another account's templates beside."""

import pytest

from gateway.operations.template import MAX_TEMPLATES
from gateway.storage.queries import templates
from tests.integration.operations.conftest import NOW, Customer

NOT_OURS = ("NOT_ACCESS_TO_TEMPLATE", "idtemplate: the account has no template with this id")


def add(customer: Customer, title: str = "Welcome", message: str = "Hello <name>") -> str:
    return str(customer.answer("template.addtemplate", title=title, message=message)["id"])


def test_templates_are_listed_in_the_order_they_were_added(ana: Customer, bob: Customer) -> None:
    first = add(ana, "Welcome", "Hello <name>,\nyour code is <code> € 😀")
    add(bob, "Other", "other")
    second = add(ana, "Welcome", "again")
    expected = [
        {"id": first, "title": "Welcome", "message": "Hello <name>,\nyour code is <code> € 😀", "type": "mobile"},
        {"id": second, "title": "Welcome", "message": "again", "type": "mobile"},
    ]
    assert ana.answer("template.gettemplates") == expected
    assert ana.answer("template.gettemplates", type="mobile") == expected
    assert first.isdigit()


def test_an_account_without_templates_has_an_empty_list(ana: Customer, bob: Customer) -> None:
    add(bob)
    assert ana.answer("template.gettemplates") == []


def test_a_deleted_template_is_gone_and_its_id_is_not_given_again(ana: Customer, bob: Customer) -> None:
    theirs = add(bob)
    mine = add(ana)
    assert ana.answer("template.deletetemplate", idtemplate=mine) is None
    assert ana.refusal("template.deletetemplate", idtemplate=mine) == NOT_OURS
    assert ana.answer("template.gettemplates") == []
    assert add(ana) not in (mine, theirs)
    assert [entry["id"] for entry in bob.answer("template.gettemplates")] == [theirs]


def test_another_accounts_template_is_answered_like_one_that_does_not_exist(ana: Customer, bob: Customer) -> None:
    theirs = add(bob)
    assert ana.refusal("template.deletetemplate", idtemplate=theirs) == NOT_OURS
    with ana.read() as connection:
        assert templates.get(connection, ana.account.id, int(theirs)) is None
        found = templates.get(connection, bob.account.id, int(theirs))
    assert found == templates.Template(int(theirs), "Welcome", "Hello <name>", "mobile")


@pytest.mark.parametrize(
    "idtemplate",
    [
        pytest.param("0", id="zero"),
        pytest.param("999999999", id="unknown"),
        pytest.param(str(2**53), id="beyond-javascript"),
        pytest.param(str(2**63), id="beyond-bigint"),
        pytest.param("9" * 5_000, id="beyond-all"),
    ],
)
def test_ids_that_are_not_the_accounts(ana: Customer, bob: Customer, idtemplate: str) -> None:
    add(bob)
    assert ana.refusal("template.deletetemplate", idtemplate=idtemplate) == NOT_OURS


def test_an_id_may_have_leading_zeros(ana: Customer) -> None:
    assert ana.answer("template.deletetemplate", idtemplate="000" + add(ana)) is None


@pytest.mark.parametrize(
    ("name", "parameters", "code", "detail"),
    [
        pytest.param(
            "addtemplate", {"message": "x"}, "MISSING_COMPULSORY_PARAM", "title: must be given", id="no-title"
        ),
        pytest.param(
            "addtemplate",
            {"title": "", "message": "x"},
            "MISSING_COMPULSORY_PARAM",
            "title: must be given",
            id="empty-title",
        ),
        pytest.param(
            "addtemplate", {"title": "x"}, "MISSING_COMPULSORY_PARAM", "message: must be given", id="no-message"
        ),
        pytest.param(
            "addtemplate",
            {"title": " \t", "message": "x"},
            "INCORRECT_PARAM",
            "title: must not be blank",
            id="blank-title",
        ),
        pytest.param(
            "addtemplate",
            {"title": "t" * 101, "message": "x"},
            "INCORRECT_PARAM",
            "title: has 101 characters, and 100 is the most",
            id="long-title",
        ),
        pytest.param(
            "addtemplate",
            {"title": "a\nb", "message": "x"},
            "INCORRECT_PARAM",
            "title: holds the control character U+000A at position 2",
            id="title-of-two-lines",
        ),
        pytest.param(
            "addtemplate",
            {"title": "x", "message": "m" * 4_001},
            "INCORRECT_PARAM",
            "message: has 4001 characters, and 4000 is the most",
            id="long-message",
        ),
        pytest.param(
            "addtemplate",
            {"title": "x", "message": "a\0b"},
            "INCORRECT_PARAM",
            "message: holds the character U+0000 at position 2",
            id="nul",
        ),
        pytest.param(
            "addtemplate",
            {"title": "x", "message": "a\ud83d"},
            "INCORRECT_PARAM",
            "message: holds half a surrogate pair (U+D83D) at position 2",
            id="lone-surrogate",
        ),
        pytest.param(
            "addtemplate",
            {"title": "x", "message": "x", "type": "email"},
            "INCORRECT_TYPE",
            "type: 'email' is not served; mobile is the only type",
            id="email",
        ),
        pytest.param(
            "addtemplate",
            {"title": "x", "message": "x", "type": "Mobile"},
            "INCORRECT_TYPE",
            "type: 'Mobile' is not served; mobile is the only type",
            id="type-in-wrong-case",
        ),
        pytest.param(
            "gettemplates",
            {"type": "whatsapp"},
            "INCORRECT_TYPE",
            "type: 'whatsapp' is not served; mobile is the only type",
            id="list-of-whatsapp",
        ),
        pytest.param(
            "deletetemplate", {}, "MISSING_COMPULSORY_PARAM", "idtemplate: must be given", id="delete-nothing"
        ),
        pytest.param(
            "deletetemplate",
            {"idtemplate": "-1"},
            "INCORRECT_PARAM",
            "idtemplate: must be an id in digits, as gettemplates gives it, not '-1'",
            id="negative-id",
        ),
        pytest.param(
            "deletetemplate",
            {"idtemplate": "١٢"},
            "INCORRECT_PARAM",
            "idtemplate: must be an id in digits, as gettemplates gives it, not '١٢'",
            id="arabic-digits",
        ),
    ],
)
def test_bad_input(
    ana: Customer, bob: Customer, name: str, parameters: dict[str, str], code: str, detail: str
) -> None:
    add(bob)
    assert ana.refusal(f"template.{name}", **parameters) == (code, detail)
    assert ana.answer("template.gettemplates") == []


def test_the_longest_that_can_be_stored(ana: Customer) -> None:
    add(ana, "😀" * 100, "😀" * 4_000)
    assert ana.answer("template.gettemplates")[0]["message"] == "😀" * 4_000


def test_an_account_has_a_bounded_number_of_templates(ana: Customer, bob: Customer) -> None:
    add(bob)
    with ana.database.transaction() as connection:
        for number in range(MAX_TEMPLATES):
            templates.add(connection, ana.account.id, f"t{number}", "x", "mobile", NOW)
    assert ana.refusal("template.addtemplate", title="x", message="x") == (
        "INCORRECT_PARAM",
        f"title: the account has {MAX_TEMPLATES} templates, the most; delete one first",
    )
    listed = ana.answer("template.gettemplates")
    assert [entry["title"] for entry in listed] == [f"t{number}" for number in range(MAX_TEMPLATES)]
    ana.answer("template.deletetemplate", idtemplate=listed[0]["id"])
    assert add(ana)
