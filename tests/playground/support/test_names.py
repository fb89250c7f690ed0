import pytest

from core.errors import UserError
from playground.support.names import (
    CLASS_COLOURS,
    MAX_CLASSES,
    MAX_NAME,
    check_new_name,
    next_colour,
    read_class_name,
    read_class_names,
    read_colour,
)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("leaf", "leaf"),
        ("  red \u00a0 cell\u3000", "red cell"),
        ("leaf\n", "leaf"),
        ("细胞", "细胞"),
        ("خلية", "خلية"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian is spelled with an invisible character
        ("e\u0301toile", "étoile"),  # normal form C
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("x" * MAX_NAME, "x" * MAX_NAME),
        ("e\u0301" * MAX_NAME, "é" * MAX_NAME),  # counted once composed
    ],
)
def test_a_name_is_trimmed_and_normalised_and_may_be_of_any_script(typed, name):
    assert read_class_name(typed) == name
    assert read_class_name(name) == name


@pytest.mark.parametrize("typed", ["", "   ", "\u200d", " \u200c\n"])
def test_a_name_without_a_visible_character_is_empty(typed):
    with pytest.raises(UserError, match="is empty"):
        read_class_name(typed)


@pytest.mark.parametrize("code", [0, 7, 9, 10, 0x7F, 0x85, 0xAD, 0x200B, 0x202E, 0x2028, 0x2069, 0xFEFF, 0xD800])
def test_control_characters_are_refused_by_their_number(code):
    with pytest.raises(UserError, match=rf"invisible character \(U\+{code:04X}\)"):
        read_class_name(f"a{chr(code)}b")


@pytest.mark.parametrize("typed", [None, 3, True, ["leaf"], {"name": "leaf"}, b"leaf"])
def test_a_name_must_be_a_text(typed):
    with pytest.raises(UserError, match="must be a text"):
        read_class_name(typed)


@pytest.mark.parametrize("length", [MAX_NAME + 1, 10**7])
def test_a_long_name_is_refused(length):
    with pytest.raises(UserError, match=f"at most 40 characters, not {length}"):
        read_class_name("x" * length)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Leaf", "lEAF "), ("Straße", "STRASSE"), ("étoile", "E\u0301TOILE"), ("a\u200db", "ab"), ("ΣΑΣ", "σας")],
)
def test_names_that_differ_only_in_case_or_normal_form_are_the_same(one, other):
    with pytest.raises(UserError, match=f"There is already a class “{one}”"):
        read_class_names(["other", one, other])
    with pytest.raises(UserError, match=f"already a class “{one}”"):
        check_new_name(other, [one])


def test_names_of_all_classes_are_read_in_order():
    assert read_class_names([" b", "a"]) == ("b", "a")
    assert read_class_names([]) == ()
    assert len(read_class_names([str(number) for number in range(MAX_CLASSES)])) == MAX_CLASSES


def test_more_classes_than_the_limit_and_other_things_are_refused():
    with pytest.raises(UserError, match="at most 50 classes, not 51"):
        read_class_names([str(number) for number in range(MAX_CLASSES + 1)])
    for texts in (None, "leaf", {"leaf": 0}, 3):
        with pytest.raises(UserError, match="must be a list"):
            read_class_names(texts)


def test_new_classes_get_different_colours_while_there_are_some():
    used: list[str] = []
    for _ in CLASS_COLOURS:
        used.append(next_colour(used))
    assert used == list(CLASS_COLOURS)
    assert next_colour(used) == CLASS_COLOURS[0]
    assert next_colour([CLASS_COLOURS[0].upper()]) == CLASS_COLOURS[1]


def test_a_colour_is_six_digits():
    assert read_colour("#AbC012") == "#abc012"
    for text in ("#fff", "red", "#12345g", "#123456\n", "", None, 3, ["#000000"]):
        with pytest.raises(UserError, match="must be # and six"):
            read_colour(text)
