"""Data sets that another process reads: the same contents and refusals, and hostile ones hold up nobody."""

import json
import shutil
import zipfile

import numpy as np
import pytest

from core.analysis.dataset_check import check_folder
from core.config import Config
from core.data.folders import open_folder, read_data_set, require_format, split_folder
from core.data.raw import RawImage
from core.data.reading.format_detection import AmbiguousFormatError
from core.data.untrusted import DataError
from core.data.zips.importing import import_zip
from tests.core.data.layouts import NAMES, make_coco
from tests.core.made_data import picture

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets") / "set"
    folder.mkdir()
    for name in NAMES:
        picture(folder / name)
    (folder / "labels.json").write_text(json.dumps(make_coco(NAMES)))
    return folder


def describe(image: RawImage) -> list[object]:
    return [each.tolist() if isinstance(each, np.ndarray) else each for each in image]


def read_here(function, *arguments, **options):
    """Returns what a function returns in this process, or the text of its refusal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.reader.limits._choice", None)
        return outcome(function, *arguments, **options)


def outcome(function, *arguments, **options):
    try:
        return function(*arguments, **options)
    except DataError as error:
        return type(error), str(error), vars(error)


def test_another_process_reads_and_checks_the_same(apart, folder, monkeypatch):
    here, there = read_here(read_data_set, folder), read_data_set(folder)
    assert [describe(each) for each in there.images] == [describe(each) for each in here.images]
    assert there._replace(splits={}, unlisted=None) == here._replace(splits={}, unlisted=None)
    assert {split: len(raw.images) for split, raw in there.splits.items()} == {"train": 8, "val": 1, "test": 1}
    told = []
    found = check_folder(folder, Config(), lambda *each: told.append(each))
    assert found == read_here(check_folder, folder, Config()) and found.is_usable
    assert told[-1] == (10, 10)
    monkeypatch.chdir(folder.parent)
    assert len(open_folder(folder.relative_to(folder.parent), "train")) == 8


def test_another_process_refuses_the_same(apart, folder, tmp_path):
    both, nothing, damaged = (tmp_path / name for name in ("both", "nothing", "damaged"))
    shutil.copytree(folder, both)
    rows = "".join(f"{name},1,1,9,9,cat\n" for name in NAMES)
    (both / "boxes.csv").write_text("filename,xmin,ymin,xmax,ymax,class\n" + rows)
    nothing.mkdir()
    shutil.copytree(folder, damaged)
    (damaged / "labels.json").write_text((folder / "labels.json").read_text()[:-40])
    for each in (both, nothing, damaged, tmp_path / "absent"):
        refusal = outcome(read_data_set, each)
        assert refusal == read_here(read_data_set, each) and issubclass(refusal[0], DataError)
    assert (
        outcome(read_data_set, both)[0] is AmbiguousFormatError and len(outcome(read_data_set, both)[2]["formats"]) == 2
    )
    assert outcome(require_format, nothing) == read_here(require_format, nothing)


def test_a_zip_is_unpacked_checked_and_split_by_another_process(apart, folder, tmp_path):
    archive, broken = tmp_path / "a.zip", tmp_path / "b.zip"
    with zipfile.ZipFile(archive, "w") as content:
        for path in folder.iterdir():
            content.write(path, f"set/{path.name}")
    broken.write_bytes(archive.read_bytes()[:-30])
    found = import_zip(archive, tmp_path / "new", lambda root: check_folder(root, Config()))
    assert found.is_usable and len(list((tmp_path / "new").iterdir())) == 11
    with pytest.raises(DataError, match=r"b\.zip is not a zip or is damaged: pack or copy it again\.$"):
        import_zip(broken, tmp_path / "other", lambda root: None)
    split_folder(tmp_path / "new", "random", (0.5, 0.5, 0), 0)
    assert len(open_folder(tmp_path / "new", "val")) == 5
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.zip", "b.zip", "new"]


def test_nested_aliases_end_soon_with_a_refusal(apart, tmp_path):
    folder = tmp_path / "yolo"
    for name in ("images/train/a.jpg", "labels/train/a.txt"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).touch()
    picture(folder / "images/train/a.jpg")
    (folder / "labels/train/a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    lines = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 4)}]" for n in range(1, 20)]
    (folder / "data.yaml").write_text("\n".join(["a0: &a0 [x]", *lines, "train: *a19", "names: *a19"]) + "\n")
    assert (folder / "data.yaml").stat().st_size < 1000
    with pytest.raises(DataError):
        read_data_set(folder)
