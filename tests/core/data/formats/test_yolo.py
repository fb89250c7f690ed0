import pytest

from core.data.annotations import BAD_OBJECT, BAD_PATH, ORPHAN_LABELS, UNKNOWN_CLASS
from core.data.formats.yolo.pairs import pair_labels
from core.data.formats.yolo.reader import YOLO
from tests.core.data.formats.reading import (
    Object,
    Problems,
    assert_only,
    assert_refused,
    assert_survives_damage,
    find,
    objects_of,
    read,
    splits_of,
    write,
)  # fmt: skip
from tests.effort import little_effort

LINE = "0 0.5 0.5 0.5 0.25\n"
CAT = Object("cat", [0.25, 0.375, 0.75, 0.625])
NAMES = "names: [cat, dog]\n"
SET = {"images/a.png": "", "labels/a.txt": LINE, "data.yaml": NAMES}


def test_content_is_read(tmp_path):
    write(tmp_path, SET | {"images/b.jpg": "", "labels/b.txt": "\r\n1 0.125 0.1 0.25 0.2\r\n\r\n", "images/c.png": ""})
    data = read(tmp_path, YOLO)
    assert (data.class_names, data.category_ids) == (("cat", "dog"), (1, 2))
    assert objects_of(data) == {"images/a.png": [CAT], "images/b.jpg": [Object("dog", [0, 0, 0.25, 0.2])],
                                "images/c.png": []}  # fmt: skip
    assert all(image.relative for image in data.images)
    assert data.images[0].source == tmp_path / "labels/a.txt" and data.images[2].source == tmp_path / "data.yaml"
    assert data.notes == ("images: 1 picture has no label file and counts as having no objects.",)
    assert_only(tmp_path, YOLO)


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("images/train/a.png", "labels/train/a.txt"),
        ("train/images/a.png", "train/labels/a.txt"),
        ("obj_train_data/a.png", "obj_train_data/a.txt"),
        ("a.png", "a.txt"),
        ("imgs/a.png", "labels/a.txt"),
        ("Images/a.PNG", "Labels/a.TXT"),
        ("images/A.png", "labels/a.txt"),
        ("images/a.png", "annotations/a.txt"),
        ("imgs/cam1/a.png", "txt/cam1/a.txt"),
        ("images/images/a.png", "images/labels/a.txt"),
        ("images/a.b.png", "labels/a.b.txt"),
        ("images/a.png", "labels/a.png.txt"),
        ("a.PNG", "a.png.txt"),
        ("imgs/a.png", "txt/a.png.txt"),
        ("images/\xe4/\xe4.png", "labels/a\u0308/a\u0308.txt"),
        ("imgs/\xe4.png", "labels/a\u0308.txt"),
    ],
)
def test_labels_are_found(tmp_path, image, label):
    write(tmp_path, {image: "", label: LINE, "data.yaml": NAMES})
    assert find(tmp_path, YOLO) == [label]
    assert objects_of(read(tmp_path, YOLO)) == {image: [CAT]}


def test_names_with_the_suffix_of_the_picture_tell_two_pictures_apart(tmp_path):
    write(tmp_path, {"images/a.png": "", "images/a.jpg": "", "data.yaml": NAMES})
    write(tmp_path, {"labels/a.png.txt": LINE, "labels/a.jpg.txt": LINE * 2})
    assert objects_of(read(tmp_path, YOLO)) == {"images/a.png": [CAT], "images/a.jpg": [CAT, CAT]}


def test_pictures_of_the_same_name_keep_their_own_labels(tmp_path):
    write(tmp_path, {f"cam{each}/imgs/a.png": "" for each in (1, 2)} | {"data.yaml": NAMES})
    write(tmp_path, {f"cam{each}/txt/a.txt": LINE * each for each in (1, 2)})
    assert [len(image.boxes) for image in read(tmp_path, YOLO).images] == [1, 2]


def test_a_picture_without_labels_does_not_take_those_of_another(tmp_path):
    write(tmp_path, {"cam1/imgs/a.png": "", "cam1/txt/a.txt": LINE, "cam2/imgs/a.png": "", "data.yaml": NAMES})
    assert list(objects_of(read(tmp_path, YOLO))) == ["cam1/imgs/a.png"]


def test_many_pictures_of_the_same_name(tmp_path):
    labels = {f"data/{number}/txt/frame.txt": number for number in range(3000)}
    images = [f"data/{number}/imgs/frame.jpg" for number in range(4000)]
    with little_effort(2):
        pairs = pair_labels(images, labels).labels
    assert pairs == dict(zip(images, labels, strict=False))


def test_labels_that_fit_several_pictures_are_refused(tmp_path):
    write(tmp_path, {"x/a.png": "", "y/a.png": "", "labels/a.txt": LINE, "data.yaml": NAMES})
    assert_refused(tmp_path, YOLO, "It cannot be told which label file belongs to the picture 'y/a.png'")


@pytest.mark.parametrize(
    ("image", "other", "label"),
    [
        ("images/a.png", "labels/a.png", "labels/a.txt"),
        ("images/train/a.jpg", "labels/train/a.png", "labels/train/a.txt"),
        ("images/a.jpg", "ann/masks/a.png", "ann/labels/a.txt"),
        ("rgb/a.png", "depth/a.png", "labels/a.txt"),
        ("images/a.jpg", "vis/a.jpg", "ann/x/a.txt"),
    ],
)
def test_a_label_file_belongs_to_one_picture(tmp_path, image, other, label):
    write(tmp_path, {image: "", other: "", label: LINE, "data.yaml": NAMES})
    assert objects_of(read(tmp_path, YOLO)) == {image: [CAT]}


def test_a_label_file_beside_two_pictures_is_refused(tmp_path):
    write(tmp_path, {"a.png": "", "a.jpg": "", "a.txt": LINE, "data.yaml": NAMES})
    assert_refused(tmp_path, YOLO, "It cannot be told which label file belongs to the picture 'a.png'")


@pytest.mark.parametrize("folder", ["labels_old", "runs/detect/exp/labels"])
def test_copies_of_label_files_are_not_used_and_said(tmp_path, folder):
    files = {f"{folder}/{name}.txt": "0 .5 .5 .1 .1" for name in "ab"}
    write(tmp_path, SET | files | {"images/b.png": "", "README.txt": "x"})
    assert find(tmp_path, YOLO) == ["labels/a.txt"]
    data = read(tmp_path, YOLO)
    assert objects_of(data) == {"images/a.png": [CAT], "images/b.png": []}
    assert f"Label files in {folder}/ that were not used, as their pictures have others: 2." in data.notes


def test_label_studios_prefix(tmp_path):
    write(tmp_path, {"images/a.png": "", "images/12345678-b.png": "", "data.yaml": NAMES})
    write(tmp_path, {"labels/ab12cd34-a.txt": LINE, "labels/12345678-b.txt": LINE * 2})
    data = read(tmp_path, YOLO)
    assert objects_of(data) == {"images/a.png": [CAT], "images/12345678-b.png": [CAT, CAT]}
    assert data.notes == ("Label files matched without the prefix of Label Studio: 1.",)
    assert sorted(find(tmp_path, YOLO)) == ["labels/12345678-b.txt", "labels/ab12cd34-a.txt"]


def test_a_folder_without_any_labels_is_left_out_and_said(tmp_path):
    write(tmp_path, SET | {"images/test/b.png": "", "images/test/c.png": ""})
    data = read(tmp_path, YOLO)
    assert list(objects_of(data)) == ["images/a.png"]
    assert data.notes == ("images/test: 2 pictures were left out, because no picture there has a label file.",)


def test_a_set_without_labels_is_refused(tmp_path):
    write(tmp_path, {"images/a.png": "", "data.yaml": NAMES})
    assert_refused(tmp_path, YOLO, "has no YOLO label file for any of its 1 pictures: put the label files into labels/")


@pytest.mark.parametrize(
    "files",
    [
        {"a.png": "", "a.txt": "a photo of a cat", "classes.txt": "cat"},
        {"a.png": "", "README.txt": "0 1 2 3 4"},
        {"a.png": "", "a.txt": "Car 0.00 0 -1.58 587.01 173.33 614.12 200.12"},
        {"a.png": "", "settings.yaml": "name: x"},
    ],
)
def test_other_text_files_are_left_alone(tmp_path, files):
    write(tmp_path, files)
    assert find(tmp_path, YOLO) == []


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("0,0.5,0.5,0.5,0.25", BAD_OBJECT, "is not a class with four numbers"),
        ("0; 0.5; 0.5; 0.5; 0.25", BAD_OBJECT, "is not a class with four numbers"),
        ("0 0,5 0,5 0,5 0,25", BAD_OBJECT, "is not a class with four numbers"),
        ("cat 0.5 0.5 0.5 0.25", UNKNOWN_CLASS, "has the unknown class 'cat', not 0 to 1"),
    ],
)
def test_lines_in_another_spelling_are_named(tmp_path, line, kind, message):
    write(tmp_path, SET | {"labels/a.txt": line})
    assert_only(tmp_path, YOLO)
    assert_refused(tmp_path, YOLO, rf"a\.txt line 1 {message}")
    problems = Problems()
    read(tmp_path, YOLO, problems)
    assert [each for each, _ in problems] == [kind]


@pytest.mark.parametrize(
    "files",
    [
        {"labels/a.txt": "a photo of 0.5 cats"},
        {"labels/a.txt": "Car 0.00 0 -1.58 587.01 173.33 614.12 200.12"},
        {"labels/a.txt": "cat 10 20 30 40"},
        {"labels/a.txt": "", "a.txt": "0,0.5,0.5,0.5,0.25", "labels/b.txt": "x"},
    ],
)
def test_lines_that_are_no_labels_are_left_alone(tmp_path, files):
    write(tmp_path, {"a.png": "", "data.yaml": NAMES} | files)
    assert find(tmp_path, YOLO) == []


def test_a_comment_is_no_label_and_a_header_is_reported(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": "# class x y w h\n" + LINE})
    assert objects_of(read(tmp_path, YOLO)) == {"images/a.png": [CAT]}
    write(tmp_path, SET | {"labels/a.txt": "class x y w h\n" + LINE})
    problems = Problems()
    assert objects_of(read(tmp_path, YOLO, problems)) == {"images/a.png": [CAT]}
    assert [kind for kind, _ in problems] == [BAD_OBJECT]


def test_labels_without_a_picture_are_reported(tmp_path):
    write(tmp_path, SET | {"labels/b.txt": LINE, "labels/train.txt": "images/a.png"})
    problems = Problems()
    read(tmp_path, YOLO, problems)
    assert [(kind, message.partition(" has")[0]) for kind, message in problems] == [
        (ORPHAN_LABELS, f"{tmp_path}/labels/b.txt")
    ]


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


def made(tmp_path, settings: str, lists: dict[str, object] | None = None, report=None) -> dict[str, str | None]:
    """Returns the splits of four pictures."""
    names = ("images/train/a", "images/train/b", "images/val/a", "images/val/c")
    write(tmp_path, {f"{name}.png": "" for name in names})
    write(tmp_path, {f"{name.replace('images', 'labels')}.txt": LINE for name in names})
    write(tmp_path, {"data.yaml": NAMES + settings} | (lists or {}))
    return splits_of(read(tmp_path, YOLO, *([report] if report is not None else [])))


GIVEN = {"images/train/a.png": "train", "images/train/b.png": "train", "images/val/a.png": "val",
         "images/val/c.png": "val"}  # fmt: skip
NONE = dict.fromkeys(GIVEN)


@pytest.mark.parametrize(
    "settings",
    [
        "train: images/train\nval: images/val\ntest:\n",
        "train: ./images/train/\nval: [images/val]\n",
        "train: ../images/train\nval: ../images/val\n",
        "path: /home/me/data\ntrain: images/train\nval: images/val\n",
        "path: ../datasets/mine\ntrain: images/train\nval: images/val\n",
        "path: images\ntrain: train\nval: val\n",
        "train: /content/drive/images/train\nval: C:\\data\\images\\val\n",
        "train: Images/Train\nval: images/val\n",
        "train: images/train/*.png\nval: images/val/*\n",
        "train: images/train\nval: images/val\ntest: images/val\n",
    ],
)
def test_splits_of_the_settings(tmp_path, settings):
    assert made(tmp_path, settings) == GIVEN


def test_splits_named_twice_or_not_there_are_said(tmp_path):
    assert made(tmp_path, "train: images\nval: images\ntest: none/x\n") == NONE
    assert read(tmp_path, YOLO).notes == (
        "data.yaml says that test is at 'none/x', which is not there: it was not used.",
        "The splits train and val name the same pictures: val was not used.",
    )


def test_settings_cannot_lead_out_of_the_folder(tmp_path):
    write(tmp_path / "secret", {"images/x.png": ""})
    assert made(tmp_path / "data", "train: /etc\nval: ../../secret/images/x\n") == NONE


def test_many_folders_in_the_settings(tmp_path):
    made(tmp_path, "")
    write(tmp_path, {"data.yaml": f"{NAMES}train: [{','.join('x' * 1001)}]\n"})
    assert_refused(tmp_path, YOLO, "not a folder or list of pictures")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("train: {a: b}\n", "says that train is at .*, not a folder or list of pictures"),
        ("train: images\nval: images/val\n", "The splits train and val of .* both have 'images/val/a.png'"),
    ],
)
def test_splits_that_cannot_be_used(tmp_path, settings, message):
    made(tmp_path, "")
    write(tmp_path, {"data.yaml": NAMES + settings})
    assert_refused(tmp_path, YOLO, message)


LISTS = {"train.txt": "images/train/a.png\r\n./images/train/b.png\n", "val.txt": "images/val/a.png\nimages/val/c.png"}


@pytest.mark.parametrize(
    ("settings", "lists"),
    [
        ("", LISTS),
        ("train: train.txt\nval: val.txt\n", LISTS),
        ("train: lists/a.txt\nval: b.txt\n", {"lists/a.txt": LISTS["train.txt"], "b.txt": LISTS["val.txt"]}),
        ("", {name: text.replace("images/", "data/images/") for name, text in LISTS.items()}
            | {"obj.data": "classes = 2\ntrain = data/train.txt\nvalid = data/val.txt\nnames = data/obj.names\n"}),
        ("", {name: text.replace("./", "").replace("images/", "/home/me/images/") for name, text in LISTS.items()}),
        ("", {"train.txt": "train/a.png\ntrain/b.png", "val.txt": b"\xef\xbb\xbfval/a.png\n\nc.png"}),
        ("", {f"images/{name}": text.replace("images/", "") for name, text in LISTS.items()}),
    ],
)  # fmt: skip
def test_lists_of_pictures(tmp_path, settings, lists):
    assert made(tmp_path, settings, lists) == GIVEN


def test_lines_that_name_no_picture_are_reported(tmp_path):
    problems = Problems()
    text = "images/train/a.png\na.png\nnone.png\nimages/train/a.png\n"
    assert made(tmp_path, "train: train.txt\n", {"train.txt": text}, problems) == NONE | {"images/train/a.png": "train"}
    assert [kind for kind, _ in problems] == [BAD_PATH] * 3
    for (_, message), part in zip(problems, ("fits 2 pictures", "is not there", "twice"), strict=True):
        assert part in message


def test_a_polygon_becomes_its_box(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": LINE + "1 0.5 0.1 0.75 0.6 0.25 0.4\n0 .1 .1 .9 .1 .9 .9 .1 .9"})
    data = read(tmp_path, YOLO)
    assert objects_of(data)["images/a.png"] == [
        CAT, Object("dog", [0.25, 0.1, 0.75, 0.6]), Object("cat", [0.1, 0.1, 0.9, 0.9])
    ]  # fmt: skip
    assert data.notes == ("Polygons read as their boxes: 2.",)


def test_negative_sizes_are_read_and_said(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": "0 0.5 0.5 -0.5 0.25\n0 0.5 0.5 -0.5 -0.25\n" + LINE})
    data = read(tmp_path, YOLO)
    assert objects_of(data) == {"images/a.png": [CAT] * 3}
    assert data.notes == ("Boxes with a negative width or height, read without the sign: 2.",)


def test_turned_boxes_become_upright_ones(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": "0 0.1 0.1 0.15 0.05 0.2 0.1 0.15 0.15\n" * 3})
    assert objects_of(read(tmp_path, YOLO))["images/a.png"] == [Object("cat", [0.1, 0.05, 0.2, 0.15])] * 3


@pytest.mark.parametrize(
    "line",
    [
        "0 0.5 0.5 0.5 0.25 0.9 1",  # score and track
        "0 0.5 0.5 0.5 0.25 0.4 0.45 0.6 0.55",  # two key points
        "0 0.5 0.5 0.5 0.25 0.4 0.45 0 0 0.6 0.55",  # three, one of them not labelled
        "0 0.5 0.5 0.5 0.25 0.4 0.45 2 0.6 0.55 1",  # two with visibility
    ],
)
def test_lines_that_may_be_poses_are_refused(tmp_path, line):
    write(tmp_path, SET | {"labels/a.txt": f"{line}\n" * 5})
    assert_refused(tmp_path, YOLO, r"a\.txt line 1 and the others like it have \d+ numbers .*add kpt_shape to data")


def test_one_key_point_outside_does_not_make_polygons(tmp_path):
    lines = ["0 0.5 0.5 0.5 0.25 0.4 0.45 0.6 0.55"] * 9 + ["0 0.5 0.5 0.5 0.25 0.4 0.45 0.9 0.55"]
    write(tmp_path, SET | {"labels/a.txt": "\n".join(lines)})
    assert_refused(tmp_path, YOLO, "add kpt_shape")


@pytest.mark.parametrize(("shape", "points"), [("[2, 2]", "0.4 0.45 0.6 0.55"), ("[2, 3]", "0.4 0.45 2 0.6 0.55 0")])
def test_poses_give_their_boxes(tmp_path, shape, points):
    text = f"0 0.5 0.5 0.5 0.25 {points}\n{LINE}"
    write(tmp_path, SET | {"labels/a.txt": text, "data.yaml": f"{NAMES}kpt_shape: {shape}\n"})
    assert objects_of(read(tmp_path, YOLO))["images/a.png"] == [CAT, CAT]


def test_poses_of_another_shape_are_reported(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": LINE.strip() + " 0.4 0.4\n", "data.yaml": f"{NAMES}kpt_shape: [17, 3]\n"})
    assert_refused(tmp_path, YOLO, "line 1 has 6 numbers after the class; kpt_shape asks for 4 or 55")


@pytest.mark.parametrize("shape", ["[17]", "17", "[a, 3]", "[-1, 3]", "{x: y}"])
def test_a_shape_of_poses_that_cannot_be_used(tmp_path, shape):
    write(tmp_path, SET | {"data.yaml": f"{NAMES}kpt_shape: {shape}\n"})
    assert_refused(tmp_path, YOLO, "gives the kpt_shape .*: give two numbers")


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("2 0.5 0.5 0.5 0.5", UNKNOWN_CLASS, r"a\.txt line 2 has the unknown class '2', not 0 to 1"),
        ("-1 0.5 0.5 0.5 0.5", UNKNOWN_CLASS, "unknown class '-1'"),
        ("cat 0.5 0.5 0.5 0.5", UNKNOWN_CLASS, "unknown class 'cat'"),
        ("0 0.5 0.5 0.5", BAD_OBJECT, "not a class with four numbers"),
        ("0 0.5 0.5 0.5 0.5 0.9", BAD_OBJECT, "as 5 numbers follow the class: remove scores"),
        ("0 0.5 0.5 0.5 0.5" + " 0.5" * 51, BAD_OBJECT, "55 numbers follow the class.*kpt_shape"),
        ("0 0.5 0.5 0.5 wide", BAD_OBJECT, "not a class with four numbers"),
        ("0,0.5,0.5,0.5,0.5", BAD_OBJECT, "not a class with four numbers"),
        ("0", BAD_OBJECT, "not a class with four numbers"),
        ("0 20 15 10 10", BAD_OBJECT, "has 20 where a fraction from 0 to 1 is expected"),
    ],
)
def test_broken_lines_are_reported(tmp_path, line, kind, message):
    write(tmp_path, SET | {"labels/a.txt": LINE + line})
    assert_refused(tmp_path, YOLO, message)
    problems = Problems()
    assert objects_of(read(tmp_path, YOLO, problems)) == {"images/a.png": [CAT]}
    assert [each for each, _ in problems] == [kind]


def test_numbers_as_tools_write_them(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": "\ufeff0.0 5e-1 .5 5.0e-01 0.25\n1.000000e+00 0.5 0.5 0.5 0.25"})
    assert [each.name for each in objects_of(read(tmp_path, YOLO))["images/a.png"]] == ["cat", "dog"]


def test_labels_in_utf_16(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": LINE.encode("utf-16")})
    assert objects_of(read(tmp_path, YOLO)) == {"images/a.png": [CAT]}


def test_numbers_that_are_not_finite_are_left_to_the_check_of_boxes(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": "0 nan 0.5 0.5 0.5\n0 inf 0.5 0.5 0.5"})
    assert len(read(tmp_path, YOLO).images[0].boxes) == 2


def test_links_out_of_the_folder_are_not_read(tmp_path):
    write(tmp_path, {"secret.txt": LINE})
    write(tmp_path / "data", SET | {"images/b.png": ""})
    (tmp_path / "data/labels/b.txt").symlink_to(tmp_path / "secret.txt")
    problems = Problems()
    assert list(objects_of(read(tmp_path / "data", YOLO, problems))) == ["images/a.png"]
    assert [kind for kind, _ in problems] == [BAD_PATH]


@pytest.mark.slow  # hundreds of damaged files
def test_damage(tmp_path):
    settings = NAMES + "train: train.txt\nval: images/b.png\nkpt_shape: [1, 2]\n"
    others = {"images/b.png": "", "labels/b.txt": LINE, "train.txt": "images/a.png\n", "data.yaml": settings}
    write(tmp_path, SET | others)
    for name in ("labels/a.txt", "data.yaml", "train.txt"):
        assert_survives_damage(tmp_path, YOLO, name, 100)
