"""Contacts' numbers and the names of their fields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messaging.contact import MAX_FIELDS, ContactError, contact_number, field_name, field_names
from gateway.messaging.numbers import normalise
from gateway.messaging.template import placeholders


@given(st.text(st.characters(exclude_categories=()), max_size=45))
def test_a_field_can_be_named_whatever_a_placeholder_can(text: str) -> None:
    possible = placeholders(f"<{text.strip()}>") == (text.strip(),) and text.strip() != "mobile"
    if possible:
        assert field_name(text) == text.strip()
    else:
        with pytest.raises(ContactError):
            field_name(text)


@given(st.lists(st.from_regex(r"[\w.-]{1,40}", fullmatch=True), min_size=1, max_size=MAX_FIELDS + 2))
def test_lists_of_fields_are_read_in_order_or_refused(names: list[str]) -> None:
    possible = len(names) <= MAX_FIELDS and len(set(names)) == len(names) and "mobile" not in names
    if possible:
        assert field_names(", ".join(names)) == names
    else:
        with pytest.raises(ContactError):
            field_names(", ".join(names))


@pytest.mark.parametrize("mark", ["+", "00", " ", " +"])
@pytest.mark.parametrize("country", ["34", "1", "61", ""])
def test_a_marked_number_is_the_same_in_every_send(mark: str, country: str) -> None:
    kept = contact_number(f"{mark}612345678")
    assert kept == "+612345678"
    assert normalise(kept, country) == "612345678"
    assert contact_number(kept) == kept


@given(st.text("+0123456789 x٣\0", max_size=20))
def test_what_is_kept_is_digits_with_or_without_a_plus(text: str) -> None:
    try:
        kept = contact_number(text)
    except ValueError as error:
        assert str(error).isprintable()
    else:
        assert kept.removeprefix("+").isdigit()
        assert kept.isascii()
        assert len(kept) <= 16
