import unicodedata
import zipfile
from pathlib import Path

import pytest

from core.data.folders import examine_data_set, open_folder, read_data_set
from core.data.formats import FORMATS
from core.data.zips.importing import import_zip
from tests.core.data.layouts import LAYOUTS, NAMES, PARTS, Layout, objects_of, write_junk

KNOWN = {format.key for format in FORMATS}
layouts = pytest.mark.parametrize("layout", [each for each in LAYOUTS.values() if each.format in KNOWN],
                                  ids=[name for name, each in LAYOUTS.items() if each.format in KNOWN])  # fmt: skip


def assert_content(folder: Path, layout: Layout, reading: str | None = None) -> None:
    """Asserts that a folder opens with the right boxes, classes, splits and report, and nothing left out."""
    contents = read_data_set(folder)
    assert contents.format.key == layout.format and not contents.left_out and not contents.unlisted.images
    assert contents.reading.startswith(layout.reading if reading is None else reading)
    assert contents.class_names == ("cat", "dog")
    assert (
        tuple(len(contents.splits[split].images) if split in contents.splits else 0 for split in PARTS) == layout.splits
    )
    found = {}
    for split in contents.splits:
        data = open_folder(folder, split, strict=True)
        for index, sample in enumerate(data):
            name = data.image_name(index).split("/")[-1]
            boxes = [tuple(box) for box in sample.boxes.round().int().tolist()]
            assert (sample.boxes - sample.boxes.round()).abs().max() < 1e-4
            found[name] = sorted(zip([data.class_names[label] for label in sample.labels], boxes, strict=True))
            if layout.splits == (6, 2, 2):
                assert name in PARTS[split]
    assert found == {name: sorted(objects_of(name)) for name in NAMES}


@layouts
def test_a_folder_opens_and_says_how_it_was_read(tmp_path, layout):
    layout.write(tmp_path)
    assert_content(tmp_path, layout)


@layouts
def test_wrapping_folders_and_junk_are_no_obstacle(tmp_path, layout):
    layout.write(tmp_path / "my set" / "export 2")
    write_junk(tmp_path)
    write_junk(tmp_path / "my set" / "export 2")
    assert_content(tmp_path, layout, reading="")


@layouts
def test_a_zip_with_a_wrapping_folder_and_junk_opens_like_its_folder(tmp_path, layout):
    made = tmp_path / "made"
    layout.write(made / "export")
    write_junk(made)
    write_junk(made / "export")
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as content:
        for path in sorted(made.rglob("*")):
            content.write(path, path.relative_to(made).as_posix())
    import_zip(archive, tmp_path / "new", examine_data_set)
    assert not [path for path in (tmp_path / "new").rglob("*") if path.name in (".DS_Store", "Thumbs.db", "._x")]
    assert_content(tmp_path / "new", layout)


class UnflaggedName(zipfile.ZipInfo):
    """A file of which the name is written in code page 437, without the flag for UTF-8."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("cp437"), 0


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_in_a_zip_that_does_not_say_that_they_are_in_utf_8(tmp_path, form):
    """As `zip` and macOS write them; the latter also with accents as characters of their own."""
    made, archive = tmp_path / "made", tmp_path / "set.zip"
    LAYOUTS["CVAT COCO"].write(made)
    with zipfile.ZipFile(archive, "w") as content:
        for path in sorted(path for path in made.rglob("*") if path.is_file()):
            name = unicodedata.normalize(form, path.relative_to(made).as_posix())
            content.writestr(UnflaggedName(name.encode().decode("cp437")), path.read_bytes())
    with zipfile.ZipFile(archive) as content:
        assert not any(entry.flag_bits & 0x800 for entry in content.infolist())
    import_zip(archive, tmp_path / "new", examine_data_set)
    contents = read_data_set(tmp_path / "new")
    assert not contents.left_out and len(contents.images) == 10
    assert {image.path.name for image in contents.images} == {unicodedata.normalize(form, name) for name in NAMES}
