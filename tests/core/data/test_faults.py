"""Data sets with faults: what is left out and counted, and what is said."""

import json
import shutil
from pathlib import Path

import pytest

from core.data.folders import examine_data_set, open_folder, read_data_set, split_folder
from core.data.left_out import LeftOut, Tally
from core.data.splits import SPLITS_FILE
from core.data.untrusted import DataError
from tests.core.data.layouts import (
    HEIGHT,
    NAMES,
    WIDTH,
    coco_in_splits,
    coco_single,
    make_coco,
    make_xml,
    voc_own,
    write,
    write_pictures,
    xml_beside,
    yolo_label_studio,
)
from tests.core.made_data import picture, voc_object


@pytest.fixture
def folder(tmp_path):
    coco_single(tmp_path, "", "annotations.json")
    return tmp_path


@pytest.mark.parametrize(("images", "labels", "suffix"), [
    ("imgs", "labels", "txt"), ("Images", "Labels", "txt"), ("images", "labels", "TXT"),
    ("pictures", "annotations", "txt"),
])  # fmt: skip
def test_yolo_in_folders_of_other_names(tmp_path, images, labels, suffix):
    yolo_label_studio(tmp_path)
    (tmp_path / "images").rename(tmp_path / images)
    (tmp_path / "labels").rename(tmp_path / labels)
    for path in list((tmp_path / labels).iterdir()):
        path.rename(path.with_suffix(f".{suffix}"))
    contents = read_data_set(tmp_path)
    assert sum(len(image.labels) for image in contents.images) == 20 and not contents.left_out


def test_pictures_of_the_same_name_in_two_folders(tmp_path):
    for camera in ("cam1", "cam2"):
        write_pictures(tmp_path / "images" / camera)
        for name in NAMES:
            label = f"labels/{camera}/{Path(name).stem}.txt"
            write(tmp_path / label, "0 0.5 0.5 0.5 0.5\n" * (1 if camera == "cam1" else 2))
    write(tmp_path / "classes.txt", "cat\n")
    contents = read_data_set(tmp_path)
    assert {split: len(raw.images) for split, raw in contents.splits.items()} == {"train": 16, "val": 2, "test": 2}
    assert len({image.path for image in contents.images}) == 20
    data = open_folder(tmp_path, "train")
    for index in range(len(data)):
        assert len(data[index].boxes) == (1 if data.image_name(index).startswith("cam1/") else 2)


def test_pictures_added_after_the_split_are_said(tmp_path):
    xml_beside(tmp_path)
    split_folder(tmp_path, "random", (0.8, 0.1, 0.1), 0)
    write_pictures(tmp_path, ["new.jpg"])
    write(tmp_path / "new.xml", make_xml(NAMES[0], "new.jpg"))
    contents = read_data_set(tmp_path)
    assert contents.reading.endswith("; splits from splits.json: 8 / 1 / 1; 1 picture in no split is not used.")
    assert contents.left_out.counts == {"unlisted picture": 1}
    split_folder(tmp_path, "random", (0.8, 0.1, 0.1), 0)
    assert sum(len(raw.images) for raw in read_data_set(tmp_path).splits.values()) == 11


def test_listed_pictures_that_are_gone_are_said(tmp_path):
    xml_beside(tmp_path)
    split_folder(tmp_path, "random", (0.8, 0.1, 0.1), 0)
    (tmp_path / NAMES[3]).unlink()
    (tmp_path / NAMES[3]).with_suffix(".xml").unlink()
    left_out = read_data_set(tmp_path).left_out
    assert left_out.counts == {"picture that is gone": 1}
    assert (
        "splits.json lists 'Bäume 3.jpg', which the data set does not have: create the lists again"
        in left_out.describe()
    )


def test_lists_of_splits_packed_with_their_folder(tmp_path):
    xml_beside(tmp_path / "my" / "set")
    split_folder(tmp_path / "my" / "set", "random", (0.5, 0.3, 0.2), 0)
    assert "splits from splits.json: 5 / 3 / 2" in read_data_set(tmp_path).reading
    split_folder(tmp_path, "random", (0.8, 0.1, 0.1), 0)  # lists in the folder itself win
    assert "splits from splits.json: 8 / 1 / 1" in read_data_set(tmp_path).reading


def test_trainval_and_test(tmp_path):
    voc_own(tmp_path, {"trainval": NAMES[:8], "test": NAMES[8:]})
    assert read_data_set(tmp_path).reading.endswith(
        "splits given by the annotations, trainval divided by name: 7 / 1 / 2."
    )


def test_files_that_cannot_be_read_are_left_out(tmp_path):
    xml_beside(tmp_path)
    (tmp_path / "Bäume 0.xml").write_text("<annotation><broken")
    data = open_folder(tmp_path, "train")
    assert data.left_out.counts == {"bad file": 1} and "Bäume 0.xml" in data.left_out.describe()
    with pytest.raises(DataError, match=r"Bäume 0\.xml"):
        open_folder(tmp_path, "train", strict=True)


def test_no_picture_is_opened_before_it_is_needed(tmp_path, monkeypatch):
    yolo_label_studio(tmp_path)
    monkeypatch.setattr("core.io.decoding._read_content", lambda *_: pytest.fail("a picture was opened"))
    assert len(open_folder(tmp_path, "train")) == 8


def test_what_was_left_out_survives_as_plain_values():
    left_out = LeftOut({"bad file": 2}, {"bad file": ("a", "b")})
    assert LeftOut.from_dict(json.loads(json.dumps(left_out.to_dict()))) == left_out
    assert left_out and not LeftOut() and LeftOut().describe() == ""


@pytest.mark.parametrize(("given", "splits", "said"), [
    ("test", (6, 1, 3), "the other pictures divided by name: 6 / 1 / 3."),
    ("valid", (7, 3, 0), "the other pictures used for training: 7 / 3 / 0."),
])  # fmt: skip
def test_a_single_split_does_not_discard_the_others(tmp_path, given, splits, said):
    for number, name in enumerate(NAMES):
        place = tmp_path / (given if number < 3 else "pics")
        write_pictures(place, [name])
        write(place / f"{Path(name).stem}.xml", make_xml(name))
    contents = read_data_set(tmp_path)
    counts = {split: count for split, count in zip(("train", "val", "test"), splits, strict=True) if count}
    assert {split: len(raw.images) for split, raw in contents.splits.items()} == counts
    assert contents.reading.endswith(f"splits by file and folder names, {said}") and not contents.left_out


def test_messages_do_not_name_the_folder(tmp_path):
    tally = Tally(tmp_path)
    tally.add("bad file", f"{tmp_path}/a/b.xml cannot be read in {tmp_path}: correct it.")
    assert tally.examples["bad file"] == ["a/b.xml cannot be read in the folder: correct it."]


def test_a_data_set_of_pictures_with_no_folder_of_their_own_keeps_its_lists(tmp_path):
    xml_beside(tmp_path)
    split_folder(tmp_path, "stratified", (0.5, 0.3, 0.2), 0)
    assert set(json.loads((tmp_path / SPLITS_FILE).read_text("utf-8"))["train"]) < set(NAMES)
    shutil.copytree(tmp_path, tmp_path.with_name("copy"))
    copied = read_data_set(tmp_path.with_name("copy"))
    assert {split: [image.path.name for image in raw.images] for split, raw in copied.splits.items()} == {
        split: [image.path.name for image in raw.images] for split, raw in read_data_set(tmp_path).splits.items()
    }


def test_a_picture_of_another_size_is_refused_when_it_is_opened(folder):
    data = open_folder(folder, "train")
    picture(folder / data.image_name(0), (WIDTH + 1, HEIGHT))
    with pytest.raises(DataError, match="41×30"):
        data[0]


def test_links_to_folders_are_not_followed_and_said(tmp_path):
    write_pictures(tmp_path / "elsewhere")
    root = tmp_path / "set"
    coco_single(root, "x", "annotations.json")
    shutil.rmtree(root / "x")
    (root / "images").symlink_to(tmp_path / "elsewhere")
    assert examine_data_set(root).reading.endswith("Links to other folders were not followed: images.")
    (root / "annotations.json").write_text("{")
    with pytest.raises(DataError, match=r"annotations\.json is not JSON; links to folders are not followed: images"):
        examine_data_set(root)


@pytest.mark.parametrize("suffix", [".JPE", ".jfif", ".gif", ".ppm", ".bmp", ".tif", ".webp", ".avif", ".jp2", ".qoi"])
def test_kinds_of_pictures(tmp_path, suffix):
    kind = {".jpe": "JPEG", ".jfif": "JPEG", ".jp2": "JPEG2000", ".tif": "TIFF"}.get(suffix.lower(), suffix[1:].upper())
    coco_single(tmp_path, "", "annotations.json")
    for name in NAMES:
        (tmp_path / name).unlink()
        picture(tmp_path / (name.removesuffix(".jpg") + suffix), (WIDTH, HEIGHT), format=kind)
    data = open_folder(tmp_path, "train", strict=True)
    assert data[0].image.shape == (3, HEIGHT, WIDTH)


def test_a_file_of_all_splits_does_not_repeat_their_pictures(tmp_path):
    coco_in_splits(tmp_path)
    write(tmp_path / "all.json", make_coco(NAMES, first_category=0))
    contents = read_data_set(tmp_path)
    assert {split: len(raw.images) for split, raw in contents.splits.items()} == {"train": 6, "val": 2, "test": 2}
    assert not contents.left_out and contents.reading.endswith(
        "6 / 2 / 2. all.json was not used for 10 pictures, since other files assign them to a split."
    )


def test_pictures_without_annotations_are_counted(folder):
    write_pictures(folder / "others", ["x.jpg", "y.jpg"])
    contents = read_data_set(folder)
    assert contents.reading.endswith("made by name. Pictures without annotations, which are not used: 2.")
    assert not contents.left_out


def cvat_video(folder: Path) -> None:
    write_pictures(folder)
    write(folder / "a.xml", '<annotations><track id="0" label="cat"><box/></track></annotations>')


def xml_with_document_type(folder: Path) -> None:
    write_pictures(folder)
    for name in NAMES:
        write(folder / f"{Path(name).stem}.xml", f"<!DOCTYPE annotation>{make_xml(name)}")


def table_in_another_encoding(folder: Path) -> None:
    write_pictures(folder)
    (folder / "a.csv").write_bytes("filename,x1,y1,x2,y2,class\na.jpg,1,2,3,4,Bär\n".encode("cp1252"))


def via_without_attributes(folder: Path) -> None:
    write_pictures(folder)
    region = {"shape_attributes": {"name": "rect", "x": 1, "y": 1, "width": 2, "height": 2}, "region_attributes": {}}
    write(folder / "via.json", {"k": {"filename": NAMES[0], "regions": [region]}})


def brushes(folder: Path) -> None:
    write_pictures(folder)
    result = [{"type": "brushlabels", "value": {"brushlabels": ["cat"], "rle": [1]}}]
    write(folder / "p.json", [{"data": {"image": NAMES[0]}, "annotations": [{"result": result}]}])


@pytest.mark.parametrize(
    ("layout", "reason"),
    [
        (cvat_video, r"1 annotation file that cannot be read \(a\.xml has the tracks of a video: export it as"),
        (xml_with_document_type, r"10 annotation files that cannot be read \(.*declares a document type"),
        (table_in_another_encoding, r"a\.csv cannot be used because it is not text in UTF-8"),
        (via_without_attributes, r"region 1 has no class name"),
        (brushes, r"Results other than rectangles.*: 1 \(the first in p\.json\)"),
    ],
)
def test_a_refusal_without_any_object_gives_the_reason(tmp_path, layout, reason):
    layout(tmp_path)
    with pytest.raises(DataError, match=rf"has no object that can be used: correct its annotations.*{reason}"):
        read_data_set(tmp_path)


def test_pictures_under_another_name_are_said(tmp_path):
    voc_own(tmp_path)
    assert "another name" not in read_data_set(tmp_path).reading
    for name in NAMES:
        picture((tmp_path / "SegmentationClass" / name).with_suffix(".png"), (WIDTH, HEIGHT))
    (tmp_path / "JPEGImages" / NAMES[0]).unlink()
    contents = read_data_set(tmp_path)
    assert contents.left_out.counts == {"missing picture": 1} and "SegmentationClass" in contents.left_out.describe()
    picture((tmp_path / "JPEGImages" / NAMES[0]).with_suffix(".png"), (WIDTH, HEIGHT))
    contents = read_data_set(tmp_path)
    assert not contents.left_out
    assert "1 picture was found under another name, such as Bäume 0.png for 'Bäume 0.jpg'." in contents.reading


def test_every_object_that_is_left_out_counts(tmp_path):
    xml_beside(tmp_path)
    for name in NAMES:
        objects = voc_object(box=(1, 1, 9, 9)) + "<object><name>cat</name></object>" * 9
        path = (tmp_path / name).with_suffix(".xml")
        write(path, f"<annotation><filename>{name}</filename>{objects}</annotation>")
    with pytest.raises(
        DataError, match=r"only 10 of 100 boxes are left, less than half\. Left out: 90 objects that can"
    ):
        read_data_set(tmp_path)
    tally = Tally(tmp_path)
    for kind in ("bad object", "bad object", "bad file", "bad file"):
        tally.add(kind, f"{tmp_path}/a.xml")
    assert tally.left_out().describe() == (
        "Left out: 1 annotation file that cannot be read (a.xml); 2 objects that cannot be read (a.xml)."
    )


def test_a_file_that_no_format_reads_is_named(tmp_path):
    write(tmp_path / "a.csv", "Datei;xmin;ymin;xmax;ymax;Klasse\na.jpg;1;2;3;4;cat\n")
    with pytest.raises(DataError, match=r"a\.csv begins with 'Datei, xmin.*': a table needs a header with the columns"):
        read_data_set(tmp_path)
    write(tmp_path / "a.json", {"items": [{"id": "a", "annotations": []}], "categories": {}})
    with pytest.raises(DataError, match=r"a\.json looks like Datumaro's JSON: export it as COCO, Pascal VOC or YOLO"):
        read_data_set(tmp_path)


@pytest.mark.parametrize(("values", "said"), [(["0", "1"], "(3 pictures): '0', '1'."), (["Default", "train"], None)])
def test_splits_that_are_not_understood_are_said(tmp_path, values, said):
    write_pictures(tmp_path, names := ["a.jpg", "b.jpg", "c.jpg"])
    rows = "".join(f"{name},1,2,11,22,cat,{value}\n" for name, value in zip(names, [*values, values[0]], strict=True))
    write(tmp_path / "a.csv", f"filename,xmin,ymin,xmax,ymax,class,split\n{rows}")
    start = "Names of splits that were ignored, since they are not train, val or test"
    reading = read_data_set(tmp_path).reading
    assert (f"{start} {said}" in reading) if said else (start not in reading)
