"""YOLO data sets: which label file belongs to which picture, and what is read of them."""

import pytest

from core.data.annotations import BAD_PATH, ORPHAN_LABELS
from core.data.formats.yolo import pairs
from core.data.formats.yolo.pairs import pair_labels
from core.data.formats.yolo.reader import YOLO
from core.data.untrusted import DataError
from tests.core.data.formats.reading import (
    Object,
    Problems,
    assert_only,
    assert_refused,
    assert_survives_damage,
    find,
    objects_of,
    read,
    write,
)
from tests.core.data.formats.yolo.small_set import CAT, LINE, NAMES, SET
from tests.effort import little_effort


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
        found = pair_labels(images, labels).labels
    assert found == dict(zip(images, labels, strict=False))


@pytest.mark.parametrize(("scenes", "cameras"), [(200, 1), (2, 100)])
def test_the_work_grows_with_the_files_where_folders_differ_in_the_middle(monkeypatch, scenes, cameras):
    pictures = [(scene, camera) for scene in range(scenes) for camera in range(cameras)]
    calls, key = [], pairs._key
    monkeypatch.setattr(pairs, "_key", lambda name: calls.append(name) or key(name))
    with pytest.raises(DataError, match=r"'frames/s0_rgb/cam0/1\.jpg': 'labels/s0/cam0/1\.txt' fits it as well as"):
        pair_labels(
            [f"frames/s{scene}_rgb/cam{camera}/1.jpg" for scene, camera in pictures],
            [f"labels/s{scene}/cam{camera}/1.txt" for scene, camera in pictures],
        )
    assert len(calls) < 30 * len(pictures)


def test_labels_that_fit_several_pictures_are_refused(tmp_path):
    write(tmp_path, {"x/a.png": "", "y/a.png": "", "labels/a.txt": LINE, "data.yaml": NAMES})
    assert_refused(tmp_path, YOLO, "It cannot be told which label file belongs to the picture 'y/a.png'")


@pytest.mark.parametrize(
    ("image", "other", "label"),
    [
        ("images/a.png", "labels/a.png", "labels/a.txt"),
        ("images/train/a.jpg", "labels/train/a.png", "labels/train/a.txt"),
        ("Images/a.jpg", "Labels/a.png", "Labels/a.txt"),
        ("images/a.jpg", "ann/masks/a.png", "ann/labels/a.txt"),
        ("rgb/a.png", "depth/a.png", "labels/a.txt"),
        ("images/a.jpg", "vis/a.jpg", "ann/x/a.txt"),
    ],
)
def test_a_label_file_belongs_to_one_picture(tmp_path, image, other, label):
    write(tmp_path, {image: "", other: "", label: LINE, "data.yaml": NAMES})
    assert objects_of(read(tmp_path, YOLO)) == {image: [CAT]}


@pytest.mark.parametrize(
    ("images", "label"),
    [
        (("images/A.jpg", "images/a.jpg"), "labels/a.txt"),
        (("images/a.jpg", "images/B.jpg", "images/A.jpg"), "labels/a.txt"),
        (("Images/A.jpg", "Images/a.jpg"), "Labels/a.txt"),
        (("X/A.jpg", "x/a.jpg"), "x/a.txt"),
        (("images/X/b.png", "images/x/a.png", "images/X/a.jpg"), "labels/x/a.txt"),
        (("imgs/A.jpg", "imgs/a.jpg"), "txt/a.txt"),
        (("imgs/A.jpg", "imgs/a.jpg"), "txt/a.jpg.txt"),
    ],
)
def test_the_exact_name_decides_between_pictures_that_differ_in_case(images, label):
    assert pair_labels(images, [label]).labels == {next(each for each in images if "a." in each): label}


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


def test_labels_without_a_picture_are_reported(tmp_path):
    write(tmp_path, SET | {"labels/b.txt": LINE, "labels/train.txt": "images/a.png"})
    problems = Problems()
    read(tmp_path, YOLO, problems)
    assert [(kind, message.partition(" has")[0]) for kind, message in problems] == [
        (ORPHAN_LABELS, f"{tmp_path}/labels/b.txt")
    ]


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
