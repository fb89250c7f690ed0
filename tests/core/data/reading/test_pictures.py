import unicodedata
from pathlib import Path

import pytest

from core.data.annotations import BAD_PATH, ORPHAN_LABELS, make_image
from core.data.files import is_image_name, list_files
from core.data.left_out import MISSING, UNREADABLE
from core.data.reading.pictures import match_pictures
from tests.effort import little_effort

Problems = list[tuple[str, str]]


def match(root: Path, files: list[str], *names: tuple[str, str] | str) -> tuple[list[str | None], Problems]:
    """Matches names, or pairs of a name and its annotation file, with files; returns the files and the problems."""
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    pairs = [(name, "all.json") if isinstance(name, str) else name for name in names]
    images = [make_image(name, root / source, []) for name, source in pairs]
    problems: Problems = []
    found = match_pictures(list_files(root), images, lambda *problem: problems.append(problem))
    assert sum(each is None for each in found.paths) == len(problems) + len(found.unions)
    return found.paths, problems


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a.jpg", "a.jpg"),
        ("images/a.jpg", "a.jpg"),
        ("images/a.jpg", "images/a.jpg"),
        ("images/a.jpg", "./images/a.jpg"),
        ("images/a.jpg", "../images/a.jpg"),
        ("images/a.jpg", "/home/me/set/images/a.jpg"),
        ("images/a.jpg", "C:\\set\\images\\a.jpg"),
        ("x/y/z/a.jpg", "a.jpg"),
        ("x/y/z/a.jpg", "pictures/a.jpg"),
        ("images/a.jpg", "a"),
        ("images/a.JPG", "a.jpg"),
        ("images/A.jpg", "a.jpg"),
        ("images/a.png", "a.jpg"),
        ("images/a.b.jpg", "a.b"),
        ("Images/Bäume 1.jpg", "images/BÄUME 1.JPG"),
        ("images/Bäume 1.jpg", "https://example.org/B%C3%A4ume%201.jpg"),
        ("images/Bäume 1.jpg", "https://[example.org/B%C3%A4ume%201.jpg?token=1&d=2"),
        ("images/50%20off.jpg", "50%20off.jpg"),
        ("Screenshot at 10.11.12\u202fAM.png", "Screenshot at 10.11.12 AM.png"),
        ("a b.png", "a\xa0b.png"),
    ],
)
def test_names(tmp_path, file, name):
    assert match(tmp_path, [file], name, "zzz.jpg")[0] == [file, None]


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_both_unicode_forms_are_the_same_name(tmp_path, forms):
    file, name = (unicodedata.normalize(form, "Bäume é.jpg") for form in forms)
    assert match(tmp_path, [f"images/{file}"], name)[0] == [f"images/{file}"]


def test_a_picture_is_its_path_and_not_its_file_name(tmp_path):
    files = ["images/cam1/1.jpg", "images/cam2/1.jpg"]
    assert match(tmp_path, files, "cam1/1.jpg", "cam2/1.jpg")[0] == files
    (found, problems) = match(tmp_path, files, "1.jpg")
    assert found == [None] and problems[0][0] == BAD_PATH
    assert problems[0][1].endswith(
        "names '1.jpg', which could be images/cam1/1.jpg or images/cam2/1.jpg: add its folder to the name."
    )


def test_a_missing_picture_is_not_replaced_by_its_namesake(tmp_path):
    found, problems = match(tmp_path, ["images/cam2/1.jpg"], "cam1/1.jpg", "cam2/1.jpg")
    assert found == [None, "images/cam2/1.jpg"] and [kind for kind, _ in problems] == [MISSING]


def test_an_exact_name_goes_before_others(tmp_path):
    assert match(tmp_path, ["a.jpg", "images/a.jpg"], "a.jpg")[0] == ["a.jpg"]
    assert match(tmp_path, [], ("a.jpg", "images/all.json"))[0] == ["images/a.jpg"]


def test_a_file_of_one_picture_means_the_picture_of_its_name(tmp_path):
    files = ["images/1.jpg", "images/2.jpg", "images/old.jpg"]
    names = [("old.jpg", "annotations/1.xml"), ("old.jpg", "annotations/2.xml")]
    assert match(tmp_path, files, *names)[0] == ["images/1.jpg", "images/2.jpg"]
    names = [("old.jpg", "train/labels/1.xml"), ("2.jpg", "val/labels/1.xml")]
    assert match(tmp_path / "x", ["train/images/1.jpg", "val/images/1.jpg"], *names)[0] == [
        "train/images/1.jpg", "val/images/1.jpg",
    ]  # fmt: skip
    found, problems = match(tmp_path / "y", ["a.jpg"], ("b", "b.xml"), ("c.jpg", "c.xml"))
    assert found == [None, None] and [kind for kind, _ in problems] == [ORPHAN_LABELS, MISSING]


def test_the_split_decides_between_folders(tmp_path):
    files = ["train2017/1.jpg", "val2017/1.jpg"]
    names = [("1.jpg", "annotations/instances_val2017.json"), ("1.jpg", "annotations/instances_train2017.json")]
    assert match(tmp_path, files, *names)[0] == files[::-1]
    assert match(tmp_path, [], names[0], ("2.jpg", names[1][1]))[0] == ["val2017/1.jpg", None]


def test_all_pictures_may_be_in_the_folder_of_one_split(tmp_path):
    names = [("1.jpg", "train.csv"), ("2.jpg", "val.csv")]
    assert match(tmp_path, ["train/1.jpg", "train/2.jpg"], *names)[0] == ["train/1.jpg", "train/2.jpg"]


def test_one_picture_annotated_twice_is_reported(tmp_path):
    found, problems = match(tmp_path, ["a.jpg", "b.jpg"], "a.jpg", "b.jpg", "./a.jpg")
    assert found == [None, "b.jpg", None]
    assert [kind for kind, _ in problems] == [BAD_PATH] * 2 and "more than once" in problems[0][1]
    names = [("a.jpg", "train.json"), ("a.jpg", "val.json")]  # refused by `read_contents`
    assert match(tmp_path, [], *names)[0] == ["a.jpg", "a.jpg"]


@pytest.mark.parametrize(
    "name", ["../secret.png", "x/../../secret.png", "/etc/passwd", "", "\0", "\ud800", "a" * 10**5]
)
def test_names_cannot_leave_the_folder(tmp_path, name):
    (tmp_path / "secret.png").touch()
    found, problems = match(tmp_path / "set", ["a.png"], name)
    assert found == [None] and problems[0][0] == BAD_PATH and len(problems[0][1]) < 600


def test_links_cannot_leave_the_folder(tmp_path):
    (tmp_path / "secret.png").touch()
    root = tmp_path / "set"
    root.mkdir()
    (root / "a.png").symlink_to(tmp_path / "secret.png")
    (root / "b.png").symlink_to(root / "b.png")
    (root / "c.png").touch()
    (root / "d.png").symlink_to(root / "c.png")
    found, problems = match(root, [], "a.png", "b.png", "c.png", "d.png")
    assert found == [None, None, "c.png", "d.png"]
    assert [kind for kind, _ in problems] == [BAD_PATH, MISSING]


def test_a_file_that_is_no_picture_is_named_as_such(tmp_path):
    found, problems = match(tmp_path, ["images/a.HEIC"], "images\\a.HEIC")
    assert found == [None] and problems[0][0] == UNREADABLE
    assert problems[0][1].endswith("which is a HEIC picture, which cannot be read: convert it to JPEG.")
    found, problems = match(tmp_path, ["a.psd"], "a.psd")
    assert found == [None] and problems[0][0] == UNREADABLE and "no picture in a known format" in problems[0][1]


@pytest.mark.parametrize("union", ["all.json", "trainval.json"])
def test_a_union_of_splits_gives_way_to_them(tmp_path, union):
    files = ["images/train/1.jpg", "images/val/1.jpg", "2.jpg"]
    names = [(name, union) for name in ("train/1.jpg", "val/1.jpg", "2.jpg")]
    names += [("1.jpg", "train.json"), ("1.jpg", "val.json")]
    assert match(tmp_path, files, *names)[0] == [None, None, "2.jpg", *files[:2]]


def test_the_usual_folder_goes_before_masks_of_the_same_name(tmp_path):
    files = ["JPEGImages/1.jpg", "SegmentationClass/1.png", "SegmentationObject/1.png"]
    assert match(tmp_path, files, ("1", "Annotations/1.xml"))[0] == files[:1]


MASKS = ["JPEGImages/1.jpg", "JPEGImages/2.jpg", *(f"SegmentationClass/{number}.png" for number in (1, 2, 3))]


@pytest.mark.parametrize("names", [
    [(f"{number}.jpg", f"Annotations/{number}.xml") for number in (1, 2, 3)],
    [(f"{number}", f"Annotations/{number}.xml") for number in (1, 2, 3)],
    [("old.jpg", f"Annotations/{number}.xml") for number in (1, 2, 3)],
    [(f"{number}.jpg", "all.json") for number in (1, 2, 3)],
    [(f"JPEGImages/{number}.jpg", "all.json") for number in (1, 2, 3)],
    [(f"/home/me/{number}.jpg", "train.csv") for number in (1, 2, 3)],
])  # fmt: skip
@pytest.mark.parametrize("replace", [("x", "x"), (".png", ".jpg"), ("SegmentationClass", "JPEGImages")])
def test_a_missing_picture_is_not_replaced_by_its_mask(tmp_path, names, replace):
    files = [file.replace(*replace) for file in MASKS]
    if replace[1] == "JPEGImages" and not is_image_name(names[0][0]):
        return  # which of two files beside each other is meant cannot be told
    found, problems = match(tmp_path, files, *names)
    if found[:2] != [None, None]:
        assert found == [*files[:2], None] and [kind for kind, _ in problems] == [MISSING]


def test_pictures_that_were_converted_are_found(tmp_path):
    files = ["img/1.jpg", "img/2.png", "img/3.png", "other/7.png", "other/3.jpg"]
    assert match(tmp_path, files[:4], "1.jpg", "2.jpg", "3.jpg")[0] == files[:3]
    assert match(tmp_path, [], *((f"{number}.jpg", f"xml/{number}.xml") for number in (1, 2, 3)))[0] == files[:3]
    for number in (8, 9):
        (tmp_path / f"other/{number}.png").touch()
    assert match(tmp_path, [], "img/1.jpg", "img/2.jpg", "img/3.jpg", "8.png")[0] == [*files[:3], "other/8.png"]


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["images/1.jpg", "annotations/trimaps/1.png"], [("1.jpg", "annotations/xmls/1.xml")]),
        (["images/1.jpg", "annotations/trimaps/1.png"], [("1", "annotations/xmls/1.xml")]),
        (["images/1.jpg", "annotations/1.png"], [("1.jpg", "annotations/1.xml")]),
        (["images/1.jpeg", "annotations/1.png"], [("1.jpg", "annotations/1.xml")]),
        (["images/1.jpg", "annotations/1.png"], [("1", "annotations/1.xml")]),
        (["images/1.jpg", "annotations/1.png"], [("old.jpg", "annotations/1.xml")]),
        (["images/1.JPG", "ann/masks/1.png"], [("1.jpg", "ann/json/1.json")]),
        (["pics/1.jpg", "ann/other/1.png"], [("1.jpg", "ann/json/1.json")]),
        (["JPEGImages/1.jpeg", "SegmentationClass/1.png"], [("1.png", "Annotations/1.xml")]),
        (["imgs/1.jpg", "masks/1.jpg"], [("1.jpg", "all.json")]),
        (["a_mask/1.png", "a_mask/x/2.png"], [("old.png", "a_mask/1.xml"), ("2.png", "all.json")]),
        (["old/1.jpg", "images/1.jpg"], [("1", "old/1.xml")]),
    ],
)
def test_masks_are_no_pictures(tmp_path, files, names):
    assert match(tmp_path, files, *names)[0] == files[: 1 if len(names) == 1 else 2]


@pytest.mark.parametrize("inner", ["images/", "", "x/y/"])
@pytest.mark.parametrize("annotations", ["annotations/xmls/", "xml/"])
def test_the_nearest_of_several_namesakes(tmp_path, inner, annotations):
    files = [f"set/{camera}/{inner}1.jpg" for camera in "ab"]
    names = [("1.jpg", f"set/{camera}/{annotations}1.xml") for camera in "ab"]
    assert match(tmp_path, files, *names)[0] == files
    assert match(tmp_path, files, ("1.jpg", "set/all.json"))[0] == [None]
    assert match(tmp_path, files, ("1.jpg", "set/b/all.json"))[0] == [files[1]]


def test_what_is_near_but_otherwise_placed_is_not_chosen(tmp_path):
    found, problems = match(tmp_path, ["pics/1.png", "ann/x/1.png"], ("1.png", "all.json"), ("1.png", "ann/y/z/1.xml"))
    assert found == [None, None] and [kind for kind, _ in problems] == [BAD_PATH] * 2


@pytest.mark.slow
def test_many_namesakes_take_no_time(tmp_path):
    files = list_files(tmp_path)._replace(images=tuple(f"{number}/x/1.jpg" for number in range(20_000)))
    images = [make_image(name, tmp_path / f"{number}/y/1.xml", []) for number, name in enumerate(["1.jpg"] * 10_000)]
    with little_effort(10):
        assert match_pictures(files, images, lambda *_: None).paths == list(files.images[:10_000])
        images = [make_image("a/1.jpg", tmp_path / "all.json", []) for _ in range(10_000)]
        images += [
            make_image(name, tmp_path / "all.json", []) for name in ["x/1.jpg", "1.jpg", "1", "7/x/1.jpg"] * 2000
        ]
        problems: Problems = []
        match_pictures(files, images, lambda *problem: problems.append(problem))
        assert len(problems) == len(images)
