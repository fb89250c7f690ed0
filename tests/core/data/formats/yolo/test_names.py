"""The names of classes in the settings and lists of a YOLO data set."""

import pytest

from core.data.formats.yolo.reader import YOLO
from tests.core.data.formats.reading import assert_refused, read, write
from tests.core.data.formats.yolo.small_set import LINE, NAMES, SET
from tests.effort import little_effort


@pytest.mark.parametrize(
    "settings", ["names: ['cat', \"dog\"]\n", "names:\n  - cat\n  - dog\n", "names:\n  0: cat\n  1: dog\n",
                 "\ufeffnc: 2\r\nnames: [cat, dog]\r\n", "nc: 2.0\nnames: [cat, dog]",
                 "nc: 2\nnames:\n\t0: cat\n\t1: dog\n", "names:\n\t- cat\n\t- dog\n"],
)  # fmt: skip
def test_names_in_yaml(tmp_path, settings):
    write(tmp_path, SET | {"data.yaml": settings})
    assert read(tmp_path, YOLO).class_names == ("cat", "dog")


def test_names_as_one_text_are_divided_and_said(tmp_path):
    write(tmp_path, SET | {"data.yaml": "nc: 2\nnames: cat , dog\n"})
    data = read(tmp_path, YOLO)
    assert data.class_names == ("cat", "dog")
    assert data.notes == ("The names in data.yaml are one text, which was divided at its commas.",)
    write(tmp_path, SET | {"data.yaml": "names: cat\n"})
    data = read(tmp_path, YOLO)
    assert (data.class_names, data.notes) == (("cat",), ())


@pytest.mark.parametrize("null", ["", "null", "~", "Null"])
def test_other_settings_without_names_do_not_count(tmp_path, null):
    write(tmp_path, SET | {"args.yaml": f"task: detect\nnames: {null}\n"})
    assert read(tmp_path, YOLO).class_names == ("cat", "dog")


@pytest.mark.parametrize("separator", [": ", ":", " ", "\t", ". ", ", ", " = ", ") "])
@pytest.mark.parametrize("name", ["classes.txt", "obj.names"])
def test_numbers_before_names_are_removed_and_said(tmp_path, name, separator):
    lines = f"0{separator}cat\n1{separator}Rhodesian ridgeback\n"
    write(tmp_path, {"images/a.png": "", "labels/a.txt": LINE, name: lines})
    data = read(tmp_path, YOLO)
    assert data.class_names == ("cat", "Rhodesian ridgeback")
    assert data.notes == (f"The numbers before the class names in {name} were removed: class 0 is 'cat'.",)


def test_numbers_in_yaml_lists_are_removed(tmp_path):
    write(tmp_path, SET | {"data.yaml": "names: ['0: cat', '1: dog']\n", "classes.txt": "cat\ndog\n"})
    assert read(tmp_path, YOLO).class_names == ("cat", "dog")


@pytest.mark.parametrize("names", [("1 euro", "2 euro"), ("0", "1"), ("7 up", "cat"), ("10", "20"), ("1 cat", "0 dog")])
def test_names_that_begin_with_numbers_are_kept(tmp_path, names):
    write(tmp_path, {"images/a.png": "", "labels/a.txt": LINE, "classes.txt": "\n".join(names)})
    data = read(tmp_path, YOLO)
    assert (data.class_names, data.notes) == (names, ())


def test_names_that_yaml_would_change(tmp_path):
    write(tmp_path, SET | {"data.yaml": "names: [no, 10]\n"})
    assert read(tmp_path, YOLO).class_names == ("no", "10")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("classes.txt", "cat\ndog\n\n"),
        ("labels/classes.txt", "\ufeffcat\r\ndog\r\n"),
        ("Labels/Classes.TXT", " cat \ndog"),
        ("obj.names", "cat\ndog"),
        ("data/coco.names", "cat\ndog"),
        ("train/_darknet.labels", "cat\ndog"),
        ("predefined_classes.txt", "cat\ndog"),
        ("labels.txt", "cat\ndog"),
        ("notes.json", {"categories": [{"id": 1, "name": "dog"}, {"id": 0, "name": "cat"}], "info": {}}),
    ],
)
def test_lists_of_names(tmp_path, name, content):
    write(tmp_path, {"images/a.png": "", "labels/a.txt": LINE, name: content})
    assert read(tmp_path, YOLO).class_names == ("cat", "dog")


def test_both_unicode_forms_are_the_same_name(tmp_path):
    write(
        tmp_path, SET | {"data.yaml": "names: [\xe4]\ntrain: \xe4\n", "classes.txt": "a\u0308\n", "a\u0308/b.png": ""}
    )
    data = read(tmp_path, YOLO)
    assert data.class_names == ("\xe4",) and "not there" not in " ".join(data.notes)


def test_lists_that_agree_and_examples(tmp_path):
    write(tmp_path, SET | {"classes.txt": "cat\ndog\n", "predefined_classes.txt": "person\n", "other.yaml": NAMES})
    assert read(tmp_path, YOLO).class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"data.yaml": "x: 1\n"}, "needs the class names of its YOLO labels"),
        ({"data.yaml": "nc: 2\ntrain: images\n"}, r"data\.yaml needs the class names"),
        ({"data.yaml": "names: []\n"}, r"data\.yaml needs the class names"),
        ({"data.yaml": "names: [cat, [dog]]\n"}, "needs the class names"),
        ({"data.yaml": "names: [cat, '']\n"}, "needs the class names"),
        ({"data.yaml": 'names: ["\\ud800", dog]\n'}, "needs the class names|not YAML"),
        ({"data.yaml": "names: {0: cat, 2: dog}\n"}, "without a gap"),
        ({"data.yaml": "names:\n  0: cat\n  2: dog\n"}, "without a gap"),
        ({"data.yaml": "names: [cat, cat]\n"}, "two classes the same name"),
        ({"data.yaml": "names: [cat\n"}, "is not YAML"),
        ({"data.yaml": "names: " + "[" * 5000}, "is not YAML"),
        ({"data.yaml": b"names: [\xff]\n"}, r"data\.yaml cannot be used because it is not text in UTF-8: save it"),
        ({"data.yaml": "names: null\n"}, "needs the class names of its YOLO labels"),
        ({"data.yaml": "names: cat,, dog\n"}, "needs the class names, numbered"),
        ({"data.yaml": "names: [0 cat, 1 cat]\n"}, "two classes the same name"),
        ({"data.yaml": "nc: 2\n", "classes.txt": "1: cat\n2: dog\n"}, "numbers the class names from 1, but"),
        ({"data.yaml": "nc: 2\n", "classes.txt": "3, cat\n4, dog\n"}, "numbers the class names from 3, but"),
        ({"data.yaml": "names: [cat]\n" + "#" * 2**16}, "larger than 64 KB"),
        ({"data.yaml": "nc: 3\nnames: [cat, dog]\n"}, r"gives '3' classes \(nc\), but .*data\.yaml names 2"),
        ({"classes.txt": "cat\n\ndog\n"}, r"classes\.txt has an empty line 2 between class names"),
        ({"classes.txt": "\ncat\ndog\n"}, r"classes\.txt has an empty line 1"),
        ({"classes.txt": "dog\ncat\n"}, r"classes\.txt disagree on class 0 \('cat' and 'dog'\)"),
        ({"classes.txt": "cat\ndog\nant"}, r"classes\.txt disagree on class 2 \(None and 'ant'\)"),
        ({"classes.txt": "cat\n"}, r"disagree on class 1 \('dog' and None\)"),
        ({"classes.txt": b"cat\n\xff"}, "not text in UTF-8"),
        ({"a.yaml": "names: [cat, dog]", "data.yaml": "names: [cat, ant]"}, "disagree on class 1"),
        ({"notes.json": {"categories": [{"id": 1, "name": "cat"}]}}, "without a gap"),
    ],
)
def test_names_that_cannot_be_used(tmp_path, files, message):
    write(tmp_path, SET | files)
    assert_refused(tmp_path, YOLO, message)


def test_aliases_do_not_blow_up(tmp_path):
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}, *a{n}]\n" for n in range(60))
    merge = "b0: &b0 {x: y}\n" + "".join(f"b{n + 1}: &b{n + 1}\n  <<: [*b{n}, *b{n}]\n" for n in range(40))
    write(tmp_path, SET | {"data.yaml": f"{bomb}{merge}{NAMES}"})
    with little_effort(5):
        assert read(tmp_path, YOLO).class_names == ("cat", "dog")
    write(tmp_path, {"data.yaml": f"{bomb}{NAMES}train: [*a60]\n"})
    assert_refused(tmp_path, YOLO, "not a folder or list of pictures")
