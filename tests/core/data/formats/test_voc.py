import pytest

from core.data.annotations import BAD_FILE, BAD_OBJECT
from core.data.formats.voc.reader import VOC
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
from tests.core.made_data import voc_object
from tests.effort import little_effort


def page(objects: str = "", name: str = "", size: tuple = (40, 30)) -> str:
    filename = f"<filename>{name}</filename>" if name else ""
    sides = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
    return f"<annotation>{filename}{sides}{objects}</annotation>"


def test_content_is_read(tmp_path):
    objects = voc_object("dog", (1, 1, 40, 30)) + voc_object("cat", (2.5, 3, 10, 20), 1)
    write(
        tmp_path, {"xml/a.xml": page(objects, "photos\\A.JPG"), "xml/b.xml": page(), "c.xml": page(voc_object("ant"))}
    )
    data = read(tmp_path, VOC)
    assert (data.class_names, data.category_ids, data.notes) == (("ant", "cat", "dog"), (1, 2, 3), ())
    assert objects_of(data) == {
        "c": [Object("ant", [0, 0, 10, 20])],
        "photos/A.JPG": [Object("dog", [0, 0, 40, 30]), Object("cat", [1.5, 2, 10, 20], True)],
        "b": [],
    }
    image = data.images[1]
    assert (image.source, image.size, image.split) == (tmp_path / "xml/a.xml", (40, 30), None)
    assert_only(tmp_path, VOC)


@pytest.mark.parametrize(
    ("flag", "difficult"),
    [("1", True), ("true", True), ("True", True), (" 1 ", True), ("0", False), ("false", False), ("", False),
     ("Unspecified", False)],
)  # fmt: skip
def test_flags_as_tools_spell_them(tmp_path, flag, difficult):
    write(tmp_path, {"a.xml": page(voc_object(difficult=flag))})
    assert objects_of(read(tmp_path, VOC))["a"][0].crowd is difficult


def test_both_unicode_forms_are_the_same_class(tmp_path):
    write(tmp_path, {"a.xml": page(voc_object("\xe4") + voc_object("a\u0308"))})
    assert read(tmp_path, VOC).class_names == ("\xe4",)


def test_a_missing_flag_is_no(tmp_path):
    write(tmp_path, {"a.xml": page(voc_object().replace("<difficult>0</difficult>", ""))})
    assert objects_of(read(tmp_path, VOC))["a"][0].crowd is False


@pytest.mark.parametrize(
    ("size", "expected"),
    [((640, 480), (640, 480)), (("640.0", " 480 "), (640, 480)), ((0, 0), None), (("", ""), None), (("0", 30), None)],
)
def test_sizes(tmp_path, size, expected):
    write(tmp_path, {"a.xml": page(voc_object(), size=size)})
    data = read(tmp_path, VOC)
    assert data.images[0].size == expected and data.notes == ()


@pytest.mark.parametrize("width", ["x", "-4", "9" * 5000, "²", "640px", "640.5"])
def test_sizes_that_cannot_be_read_are_said(tmp_path, width):
    write(tmp_path, {"a.xml": page(voc_object(), size=(width, 30))})
    data = read(tmp_path, VOC)
    assert data.images[0].size is None
    assert data.notes == (
        "Annotated sizes that cannot be read and were not compared with the pictures: 1 (the first in a.xml).",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252", "iso-8859-1"])
def test_encodings(tmp_path, encoding):
    declared = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{declared}"?>\r\n<!-- made by a tool -->\r\n{page(voc_object("Käfer"))}'
    write(tmp_path, {"a.xml": text.encode(encoding)})
    assert read(tmp_path, VOC).class_names == ("Käfer",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<object/>", "it has no name"),
        ("<object><name> </name></object>", "it has no name"),
        ("<object><name>cat</name></object>", "class 'cat' has no bndbox of four numbers"),
        (
            "<object><name>cat</name><robndbox><cx>1</cx></robndbox></object>",
            "class 'cat' has no bndbox of four numbers",
        ),
        (voc_object(box=("x", 1, 2, 3)), "class 'cat' has no bndbox of four numbers"),
        (voc_object(difficult="maybe"), "class 'cat' has the difficult flag 'maybe', neither 0 nor 1"),
    ],
)
def test_objects_that_cannot_be_used(tmp_path, content, message):
    write(tmp_path, {"a.xml": page(content + voc_object())})
    assert_refused(tmp_path, VOC, rf"a\.xml, object 1: {message}; correct or remove it\.")
    problems = Problems()
    assert objects_of(read(tmp_path, VOC, problems)) == {"a": [Object("cat", [0, 0, 10, 20])]}
    assert [kind for kind, _ in problems] == [BAD_OBJECT]


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        ("<annotation>", r"p\.xml cannot be used because"),
        ("", r"p\.xml cannot be used because"),
        ('<?xml version="1.0" encoding="nonsense"?><a/>', r"p\.xml cannot be used because"),
        ("<!DOCTYPE annotation><annotation/>", "declares a document type"),
        ('<!DOCTYPE annotation [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', "declares a document type"),
    ],
)
def test_damaged_files_beside_others_are_named(tmp_path, xml, message):
    write(tmp_path, {"p.xml": xml, "q.xml": page(voc_object())})
    assert_refused(tmp_path, VOC, message)
    problems = Problems()
    assert list(objects_of(read(tmp_path, VOC, problems))) == ["q"]
    assert [kind for kind, _ in problems] == [BAD_FILE]


@pytest.mark.parametrize("box", [(10, 3, 2, 20), (2, 20, 10, 3), (10, 20, 2, 3)])
def test_swapped_corners_are_put_in_order_and_said(tmp_path, box):
    write(tmp_path, {"a.xml": page(voc_object(box=box) + voc_object(box=(2, 3, 10, 20)))})
    data = read(tmp_path, VOC)
    assert objects_of(data)["a"] == [Object("cat", [1, 2, 10, 20])] * 2
    assert data.notes == ("Boxes whose corners were swapped, and were put in order: 1 (the first in a.xml).",)


def test_many_swapped_corners_are_not_put_in_order(tmp_path):
    """They may be x, y, width and height, which the sizes of the pictures tell."""
    swapped = voc_object(box=(30, 3, 2, 20))
    write(tmp_path, {"a.xml": page(voc_object() * 6 + swapped * 4)})
    data = read(tmp_path, VOC)
    assert data.notes == () and objects_of(data)["a"][9].box == [29, 2, 2, 20]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("<annotation>", '<annotation verified="yes" xmlns="http://x.org/y">'),
        lambda text: text.replace("<", "<v:").replace("<v:/", "</v:").replace("<v:annotation>",
            '<v:annotation xmlns:v="http://x.org/y">'),
        lambda text: text.replace("annotation>", "ANNOTATION>"),
        lambda text: text.replace("bndbox>", "BndBox>").replace("object>", "Object>"),
        lambda text: '<?xml version="1.0" encoding="utf-16"?>' + text,
        lambda text: "<?xml version='1.0' encoding = 'UTF-16LE' standalone='yes'?>" + text,
    ],
)  # fmt: skip
def test_spellings_of_xml(tmp_path, change):
    write(tmp_path, {"a.xml": change(page(voc_object("Käfer"), "b.jpg"))})
    assert objects_of(read(tmp_path, VOC)) == {"b.jpg": [Object("Käfer", [0, 0, 10, 20])]}
    assert read(tmp_path, VOC).images[0].size == (40, 30)
    assert_only(tmp_path, VOC)


@pytest.mark.parametrize(
    ("encoding", "name"), [("gb2312", "猫"), ("GBK", "貓"), ("gb18030", "猫"), ("Big5", "貓"), ("Shift_JIS", "猫"),
                           ("EUC-JP", "猫"), ("EUC-KR", "개")],
)  # fmt: skip
def test_encodings_with_several_bytes(tmp_path, encoding, name):
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n{page(voc_object(name))}'
    write(tmp_path, {"a.xml": text.encode(encoding), "long.xml": (text + f"<!--{name * 40_000}-->").encode(encoding)})
    assert find(tmp_path, VOC) == ["a.xml", "long.xml"]
    assert read(tmp_path, VOC).class_names == (name,)
    write(tmp_path, {"a.xml": text.replace("<", f"<!--{name}--><", 1).encode(encoding)[:-30] + b"\xff\xff"})
    assert_refused(tmp_path, VOC, r"a\.xml cannot be used because")


def test_other_xml_files_are_left_alone(tmp_path):
    write(tmp_path, {"cvat.xml": "<annotations><image/></annotations>", "pom.xml": "<project/>", "bad.xml": "<"})
    assert find(tmp_path, VOC) == []
    write(tmp_path, {"a.xml": page(voc_object())})
    assert find(tmp_path, VOC) == ["a.xml", "bad.xml"]


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb2312"])
def test_entity_bomb_is_refused_at_once(tmp_path, encoding):
    entities = '<!ENTITY e0 "lol">' + "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))
    head = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE annotation [{entities}]>'
    write(tmp_path, {"p.xml": f"{head}<annotation><object><name>&e12;</name></object></annotation>".encode(encoding)})
    with little_effort(2):
        assert_refused(tmp_path, VOC, r"p\.xml cannot be used because it declares a document type")


def test_a_set_without_objects_is_refused(tmp_path):
    write(tmp_path, {"p.xml": page()})
    assert_refused(tmp_path, VOC, "has no object that can be used")


def listed(tmp_path, lists: dict[str, object], names=("p", "q", "my photo", "my"), report=None):
    write(tmp_path, {f"Annotations/{name}.xml": page(voc_object()) for name in names})
    write(tmp_path, {f"ImageSets/Main/{name}.txt": text for name, text in lists.items()})
    return splits_of(read(tmp_path, VOC, *([report] if report is not None else [])))


def test_lists_assign_splits(tmp_path):
    assert listed(tmp_path, {"train": b"\xef\xbb\xbfp\r\nmy photo\r\n\r\n", "val": "q -1\nmy  1\n"}) == {
        "p": "train", "q": "val", "my photo": "train", "my": "val"
    }  # fmt: skip


def test_a_name_is_relative_to_the_folder_of_annotations_first(tmp_path):
    write(tmp_path, {f"Annotations/{name}.xml": page(voc_object()) for name in ("p", "a/p")})
    write(tmp_path, {"ImageSets/Main/train.txt": "p\n", "ImageSets/Main/val.txt": "a/p\n"})
    images = read(tmp_path, VOC).images
    assert {image.source.parent.name: image.split for image in images} == {"Annotations": "train", "a": "val"}


def test_a_name_with_spaces_is_tried_first(tmp_path):
    assert listed(tmp_path, {"train": "p 1\n"}, names=("p", "p 1")) == {"p": None, "p 1": "train"}


@pytest.mark.parametrize("name", ["p.jpg", "./p", "data/p.PNG", "Annotations/p", "p.v2"])
def test_names_with_suffixes_and_folders(tmp_path, name):
    assert listed(tmp_path, {"train": name}, names=("p", "p.v2")) == {
        "p": None if name == "p.v2" else "train",
        "p.v2": "train" if name == "p.v2" else None,
    }


def test_lists_of_a_class_and_unions_give_way(tmp_path):
    lists = {"trainval": "p\nq\nmy", "train": "p", "val": "q", "cat_train": "p 1\nq -1", "cat_val": "p", "mine": "p"}
    assert listed(tmp_path, lists) == {"p": "train", "q": "val", "my": "trainval", "my photo": None}
    assert read(tmp_path, VOC).notes == (
        "The list ImageSets/Main/mine.txt was not used, as its name is not that of a split.",
    )


@pytest.mark.parametrize("folder", ["ImageSets/Segmentation", "x/y/imagesets/main", "ImageSets"])
def test_places_of_lists(tmp_path, folder):
    top = folder.lower().partition("imagesets")[0]
    write(tmp_path, {f"{top}Annotations/p.xml": page(voc_object()), f"{folder}/default.txt": "p"})
    assert splits_of(read(tmp_path, VOC)) == {"p": "default"}


@pytest.mark.parametrize("line", ["p", "p 1 2 1", "JPEGImages/p.jpg Annotations/p.xml", "images/p.jpg", "p.xml"])
def test_lists_elsewhere(tmp_path, line):
    write(tmp_path, {"Annotations/p.xml": page(voc_object()), "lists/trainval.txt": line, "train.txt": "x\ny\np\nz\n"})
    data = read(tmp_path, VOC)
    assert splits_of(data) == {"p": "trainval"}
    assert data.notes == ("The list train.txt was not used, as it is not of these pictures.",)


def test_long_lines_of_hostile_lists_take_no_time(tmp_path):
    write(tmp_path, {"Annotations/p.xml": page(voc_object()), "ImageSets/Main/val.txt": ("1 " * 10_000 + "x\n") * 50})
    with little_effort(2):
        read(tmp_path, VOC, Problems())


def test_lists_belong_to_their_own_folder(tmp_path):
    for year, split in (("VOC2007", "train"), ("VOC2012", "val")):
        write(tmp_path, {f"{year}/Annotations/p.xml": page(voc_object()), f"{year}/ImageSets/Main/{split}.txt": "p"})
    assert [image.split for image in read(tmp_path, VOC).images] == ["train", "val"]


def test_both_unicode_forms(tmp_path):
    assert listed(tmp_path, {"train": "u\u0308"}, names=("\xfc",)) == {"\xfc": "train"}


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"train": "p\np"}, r"train\.txt lists 'p' twice: remove"),
        ({"train": "p", "val": "p"}, r"train\.txt and .*val\.txt both list 'p': remove it from one"),
        ({"train": "p\n../../x"}, r"train\.txt lists '\.\./\.\./x', which has no usable XML file"),
        ({"train": b"p\n\xff"}, r"train\.txt cannot be used because it is not text in UTF-8"),
    ],
)
def test_lists_that_cannot_be_used(tmp_path, lists, message):
    listed(tmp_path, {})
    write(tmp_path, {f"ImageSets/Main/{name}.txt": text for name, text in lists.items()})
    assert_refused(tmp_path, VOC, message)


def test_a_name_that_fits_several_files_is_reported(tmp_path):
    write(
        tmp_path, {f"{folder}/p.xml": page(voc_object()) for folder in ("a", "b")} | {"ImageSets/train.txt": "p\na/p"}
    )
    problems = Problems()
    assert [image.split for image in read(tmp_path, VOC, problems).images] == ["train", None]
    assert [(kind, "fits 2 XML files" in message) for kind, message in problems] == [(BAD_FILE, True)]


@pytest.mark.slow  # hundreds of damaged files
def test_damage(tmp_path):
    write(tmp_path, {"a.xml": page(voc_object()), "b.xml": page(voc_object()), "ImageSets/Main/train.txt": "a\nb\n"})
    assert_survives_damage(tmp_path, VOC, "a.xml", 200)
    assert_survives_damage(tmp_path, VOC, "ImageSets/Main/train.txt", 100)


def test_boxes_that_begin_at_0_are_counted_from_0_and_this_is_said(tmp_path):
    write(tmp_path, {"a.xml": page(voc_object(box=(0, 3, 10, 20))), "b.xml": page(voc_object(box=(5, 6, 9, 9)))})
    data = read(tmp_path, VOC)
    assert [each.box for objects in objects_of(data).values() for each in objects] == [[0, 3, 10, 20], [5, 6, 9, 9]]
    assert data.notes == (
        "Some boxes begin at 0, so that all were read as counted from 0, and not from 1 as in Pascal VOC.",
    )


def test_an_empty_box_at_0_says_nothing_about_the_others(tmp_path):
    write(tmp_path, {"a.xml": page(voc_object(box=(0, 0, 0, 0)) + voc_object(box=(5, 6, 9, 9)))})
    data = read(tmp_path, VOC)
    assert objects_of(data)["a"][1].box == [4, 5, 9, 9] and not data.notes
