import pytest

from core.io.paths import hide_folder


@pytest.mark.parametrize(
    ("folder", "said", "expected"),
    [
        ("/srv/sets/mine", "/srv/sets/mine holds no data set.", "mine holds no data set."),
        ("/srv/sets/mine", "The list /srv/sets/mine/a/b.txt of /srv/sets/mine.", "The list a/b.txt of mine."),
        ("data/mine", "data/mine/a.json: no boxes.", "a.json: no boxes."),
        (".", "a.json: no boxes. See ./b.json.", "a.json: no boxes. See ./b.json."),
        ("", "a.json", "a.json"),
    ],
)
def test_a_message_without_the_path_of_a_folder(folder, said, expected):
    assert hide_folder(said, folder, "mine") == expected
