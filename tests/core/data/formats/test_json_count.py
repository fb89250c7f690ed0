"""Values of JSON files, counted without building any."""

import codecs
import json
import random

import pytest

from core.data.formats import json_count, json_files, texts, xml_files
from core.data.formats.coco.content import read_content
from core.data.formats.json_count import OUTER, JsonCount, count_json
from core.data.formats.json_files import MAX_OUTER, read_json, sniff_json
from core.data.untrusted import DataError
from tests.effort import little_effort


def make_value(rng, depth=0):
    kind = rng.randrange(6 if depth < 5 else 3)
    if kind < 3:
        return (None, rng.random(), make_text(rng))[kind]
    entries = [make_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return entries if kind < 5 else {f"{make_text(rng)}{number}": entry for number, entry in enumerate(entries)}


def make_text(rng):
    return "".join(rng.choices('a"\\[]{},\n', k=rng.randrange(6)))


def count(value, depth=0):
    """Counts as `count_json` does, from the value: one for each list, object and comma."""
    if not isinstance(value, list | dict):
        return 0, 0, 0, depth
    entries = list(value.values()) if isinstance(value, dict) else value
    own = max(1, len(entries))
    values, containers, outer, deepest = own, 1, own * (depth < OUTER), depth + 1
    for inner in (count(entry, depth + 1) for entry in entries):
        values, containers, outer = values + inner[0], containers + inner[1], outer + inner[2]
        deepest = max(deepest, inner[3])
    return values, containers, outer, deepest


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 2**22])
def test_all_values_are_counted_wherever_the_file_is_cut(chunk, monkeypatch):
    monkeypatch.setattr(json_count, "CHUNK", chunk)
    rng = random.Random(chunk)
    for _ in range(50):
        value = [make_value(rng), make_value(rng)]
        values, containers, outer, deepest = count(value)
        assert count_json(json.dumps(value).encode()) == JsonCount(values + 1, containers, outer + 1, deepest)


@pytest.mark.parametrize(
    ("start", "entry", "end"),
    [
        (b'{"images": [], "categories": [], "annotations": [', b"{},", b"{}]}"),
        (b"[", b"[],", b"[]]"),
        (b"[", b'"",', b"0]"),
        (b"{", b'"":0,', b'"":0}'),
        (b'{"images": [{"id": [', b"[],", b"0]}]}"),
    ],
)
def test_json_that_unfolds_is_refused_before_it_does(start, entry, end, tmp_path, monkeypatch):
    for name in ("MAX_OUTER", "MAX_CONTAINERS", "MIN_COUNTED"):
        monkeypatch.setattr(json_files, name, getattr(json_files, name) // 100)
    path = tmp_path / "a.json"
    path.write_bytes(start + entry * (13 * 10**4) + end)
    with pytest.raises(
        DataError, match=r"a\.json holds up to \d{3},\d{3} values, more than are read: split the data set"
    ):
        read_json(path, dict)
    assert sniff_json(path).damaged


@pytest.mark.slow
def test_a_file_of_nothing_but_objects_takes_no_time(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'{"images": [], "categories": [], "annotations": [' + b"{}," * MAX_OUTER + b"{}]}")
    message = r"a\.json holds up to 12,000,0\d\d values, more than are read"
    with little_effort(3), pytest.raises(DataError, match=message):
        read_json(path, dict)


def test_what_everything_is_built_of_may_have_fewer_values(tmp_path, monkeypatch):
    monkeypatch.setattr(json_files, "MIN_COUNTED", 10)
    (tmp_path / "a.json").write_text(json.dumps({"a": [[number] for number in range(100)]}))
    assert len(read_json(tmp_path / "a.json", dict, 202)["a"]) == 100
    with pytest.raises(DataError, match="holds up to 202 values"):
        read_json(tmp_path / "a.json", dict, 201)


@pytest.mark.slow
def test_a_hundred_thousand_pictures_are_read(tmp_path):
    pictures = [{"id": n, "file_name": f"{n:012}.jpg", "width": 640, "height": 480} for n in range(118_000)]
    objects = [{"id": n, "image_id": n, "category_id": n % 1000, "bbox": [1, 2, 30.5, 40]} for n in range(118_000)]
    categories = [{"id": n, "name": f"class {n}"} for n in range(1000)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"images": pictures, "annotations": objects, "categories": categories}))
    content = read_content(path)
    assert (len(content.images), len(content.annotations), len(content.categories)) == (118_000, 118_000, 1000)


ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
MARKS = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE, "utf-32-le": codecs.BOM_UTF32_LE,
         "utf-32-be": codecs.BOM_UTF32_BE}  # fmt: skip


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_other_encodings_are_read_and_counted_as_what_they_hold(encoding, tmp_path, monkeypatch):
    monkeypatch.setattr(json_files, "MIN_COUNTED", 10)
    monkeypatch.setattr(texts, "_PIECE", 7)  # which cuts characters
    path, value = (
        tmp_path / "a.json",
        {"\u225b∛𝄞": [[number] for number in range(100)]},
    )  # bytes of a quote, of brackets
    path.write_bytes(MARKS.get(encoding, b"") + json.dumps(value, ensure_ascii=False).encode(encoding))
    assert read_json(path, dict, 202) == value
    with pytest.raises(DataError, match="holds up to 202 values"):
        read_json(path, dict, 201)


def test_an_encoding_that_takes_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(json_files, "MAX_JSON_BYTES", 1000)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(["\u225b" * 400], ensure_ascii=False), "utf-16")
    with pytest.raises(DataError, match=r"a\.json is too large for its encoding: save it in UTF-8\."):
        read_json(path, list)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32-le", "latin-1"])
def test_text_in_no_encoding_that_can_be_told_is_refused(encoding, tmp_path):
    (tmp_path / "a.txt").write_bytes("cät\ndog\n".encode(encoding))
    with pytest.raises(DataError, match=r"a\.txt cannot be used because it is not text in UTF-8: save it in UTF-8\."):
        texts.read_text(tmp_path / "a.txt")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_in_other_encodings_is_read(encoding, tmp_path):
    (tmp_path / "a.txt").write_text("cät\ndog\n", encoding)
    assert texts.read_text(tmp_path / "a.txt") == "cät\ndog\n" == texts.read_head(tmp_path / "a.txt")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_elements_of_xml_are_counted_in_its_encoding(encoding, tmp_path, monkeypatch):
    monkeypatch.setattr(xml_files, "MAX_TAGS", 10)
    path = tmp_path / "a.xml"
    path.write_text(f'<?xml version="1.0" encoding="{encoding}"?><a>{"<b/>" * 7}</a>', encoding)
    assert len(xml_files.read_xml(path, 1000, "export it again")) == 7
    path.write_text(f'<?xml version="1.0" encoding="{encoding}"?><a>{"<b/>" * 8}</a>', encoding)
    with pytest.raises(DataError, match="has more elements than are read"):
        xml_files.read_xml(path, 1000, "export it again")


@pytest.mark.parametrize("name", ["cp037", "utf-7", "utf-32", "rot13", "unknown", "gbk"])
def test_no_encoding_of_xml_hides_elements(name, tmp_path):
    path = tmp_path / "a.xml"
    path.write_bytes(f'<?xml version="1.0" encoding="{name}"?>'.encode() + b"\x4c\x81\x6e+ADw-b/+AD4-\xff")
    with pytest.raises(DataError, match=r"a\.xml cannot be used because "):
        xml_files.read_xml(path, 1000, "export it again")


def test_counts_that_another_thread_forgets_meanwhile_are_made_again(tmp_path, monkeypatch):
    class Forgetful(dict):
        def __setitem__(self, key, value):
            pass  # another thread has cleared it

    monkeypatch.setattr(json_files, "_counts", Forgetful())
    monkeypatch.setattr(json_files, "MIN_COUNTED", 0)
    (tmp_path / "a.json").write_text("[1, 2]", encoding="utf-8")
    assert read_json(tmp_path / "a.json", list[int]) == [1, 2]
