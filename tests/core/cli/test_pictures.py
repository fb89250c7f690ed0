"""The pictures that a command line names."""

from core.cli.detect.pictures import find_pictures
from core.data.files import list_files
from core.data.untrusted import IMAGE_SUFFIXES


def test_a_folder_has_the_same_pictures_as_a_data_set_in_it(tmp_path):
    for suffix in (*IMAGE_SUFFIXES, ".dib", ".txt", ".PNG"):
        (tmp_path / f"a{suffix}").touch()
    found = find_pictures([tmp_path], without=None)
    assert found.names == list_files(tmp_path).images
    assert sorted(path.name for path in found.left_out) == ["a.dib", "a.txt"]
