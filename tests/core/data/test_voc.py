import time

import pytest

from core.data.untrusted import DataError
from core.data.voc import VocData
from tests.core.made_data import assert_sample, picture, voc, voc_object


def test_voc_reads_what_is_written(tmp_path):
    pages = {
        "p1": voc_object("dog", (1, 1, 40, 30)) + voc_object("cat", (2.5, 3, 10, 20), 1),
        "p2": "",
        "p3": voc_object("ant"),
    }
    data = VocData(voc(tmp_path, pages, {"train": "p1\np2 -1\n\n", "val": "p3"}), "train")
    assert (len(data), data.class_names, data.dropped) == (2, ("ant", "cat", "dog"), 0)
    sample, empty = list(data)
    assert_sample(sample)
    assert_sample(empty)
    assert sample.boxes.tolist() == [[0, 0, 40, 30], [1.5, 2, 10, 20]]
    assert sample.labels.tolist() == [2, 1]
    assert sample.crowd.tolist() == [False, True]
    other = VocData(tmp_path, "val")
    assert other.class_names == data.class_names
    assert len({sample.image_id, empty.image_id, other[0].image_id}) == 3


def test_voc_boxes_are_clipped_and_impossible_ones_dropped(tmp_path):
    boxes = [(-9, -9, 99, 99), (50, 1, 60, 9), (5, 5, 4, 9), ("nan", 1, 9, 9), (1, 1, "inf", 9), (1, 1, "1e999", 9)]
    data = VocData(voc(tmp_path, {"p": "".join(voc_object(box=box) for box in boxes)}, {"val": "p"}), "val")
    assert data[0].boxes.tolist() == [[0, 0, 40, 30]]
    assert data.dropped == 5


@pytest.mark.parametrize("size", [(0, 0), ("", 30), ("x", "y"), (-4, 30), ("9" * 5000, 30), ("²", 30)])
def test_voc_without_size_reads_it_from_the_image(tmp_path, size):
    data = VocData(voc(tmp_path, {"p": voc_object(box=(1, 1, 999, 999))}, {"val": "p"}, size), "val")
    assert data[0].boxes.tolist() == [[0, 0, 40, 30]]


def test_voc_finds_other_picture_kinds_and_ignores_neighbours(tmp_path):
    folder = voc(tmp_path, {"p": voc_object()}, {"val": "p"})
    (folder / "JPEGImages" / "p.jpg").unlink()
    (folder / "JPEGImages" / "p.txt").write_text("note")
    with pytest.raises(DataError, match=r"p\.jpg, which does not exist \(1 of 1"):
        VocData(folder, "val")
    picture(folder / "JPEGImages" / "p.PNG")
    assert len(VocData(folder, "val")) == 1


def test_voc_without_lists_splits_by_hash(tmp_path):
    folder = voc(tmp_path, {f"p{number}": voc_object() for number in range(20)})
    splits = {split: [sample.image_id for sample in VocData(folder, split)] for split in ("train", "val", "test")}
    assert {split: len(ids) for split, ids in splits.items()} == {"train": 16, "val": 2, "test": 2}
    assert sorted(number for numbers in splits.values() for number in numbers) == list(range(20))
    assert splits["val"] == [sample.image_id for sample in VocData(folder, "val")]


def test_voc_with_one_picture_has_no_val(tmp_path):
    folder = voc(tmp_path, {"p": voc_object()})
    assert len(VocData(folder, "train")) == 1
    with pytest.raises(DataError, match=r"no picture in its split val: list some in .*val\.txt"):
        VocData(folder, "val")


@pytest.mark.parametrize(
    "listed, message",
    [
        ("p\np", "twice"),
        ("p\n../../p", r"lists '\.\./\.\./p', which has no usable"),
        ("", "no picture in its split"),
    ],
)
def test_voc_lists_are_checked(tmp_path, listed, message):
    with pytest.raises(DataError, match=message) as error:
        VocData(voc(tmp_path, {"p": voc_object()}, {"val": listed}), "val")
    assert "val.txt" in str(error.value)


@pytest.mark.parametrize(
    "xml, message",
    [
        ("<annotation>", "p.xml cannot be used because"),
        ("", "p.xml cannot be used because"),
        ('<?xml version="1.0" encoding="nonsense"?><a/>', "p.xml cannot be used because"),
        ("<annotation><object/></annotation>", "an object has no name"),
        ("<annotation><object><name>cat</name></object></annotation>", "'cat' has no bndbox"),
        (f"<annotation>{voc_object(box=('x', 1, 2, 3))}</annotation>", "'cat' has no bndbox of four numbers"),
        ("<!DOCTYPE annotation><annotation/>", "declares a document type"),
        ('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', "declares a document type"),
    ],
)
def test_broken_xml_is_named(tmp_path, xml, message):
    folder = voc(tmp_path, {"p": voc_object(), "q": voc_object()}, {"val": "q"})
    (folder / "Annotations" / "p.xml").write_text(xml)
    with pytest.raises(DataError, match=message) as error:
        VocData(folder, "val")
    assert "p.xml" in str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entity_bomb_is_refused_at_once(tmp_path, encoding):
    entities = '<!ENTITY e0 "lol">' + "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))
    head = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [{entities}]>'
    bomb = f"{head}<a><object><name>&e12;</name></object></a>"
    folder = voc(tmp_path, {"p": voc_object()}, {"val": "p"})
    (folder / "Annotations" / "p.xml").write_bytes(bomb.encode(encoding))
    start = time.perf_counter()
    with pytest.raises(DataError, match=r"p\.xml cannot be used because it declares a document type"):
        VocData(folder, "val")
    assert time.perf_counter() - start < 2


def test_voc_folder_without_objects(tmp_path):
    with pytest.raises(DataError, match="has no XML file with an object"):
        VocData(voc(tmp_path, {"p": ""}), "val")
