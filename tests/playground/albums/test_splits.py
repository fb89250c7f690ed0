import pytest

from playground.albums.album import AlbumPicture
from playground.albums.splits import make_splits


def label(count: int) -> tuple[AlbumPicture, ...]:
    """Pictures that were labelled one after the other."""
    pictures: tuple[AlbumPicture, ...] = ()
    for number in range(count):
        pictures = make_splits((*pictures, AlbumPicture(f"{number}.png", "", 9, 9, labelled=True)))
    return pictures


def used(pictures) -> list[str]:
    return [each.used_in for each in pictures]


@pytest.mark.parametrize(("count", "held_out"), [(1, 0), (2, 1), (4, 1), (9, 1), (10, 2), (14, 2), (15, 3), (20, 4)])
def test_a_fifth_is_held_out(count, held_out):
    assert used(label(count)).count("val") == held_out and used(label(count)).count("test") == 0


def test_splits_stay_when_pictures_are_added_in_any_place():
    before = label(12)
    new = AlbumPicture("new.png", "", 9, 9, labelled=True)
    after = make_splits((new, *before[:5], new._replace(labelled=False), *before[5:]))
    assert used(after)[1:6] + used(after)[7:] == used(before) and used(after)[6] == ""


def test_what_is_chosen_wins_and_both_splits_have_a_picture():
    first, second = label(2)
    assert used(make_splits((first._replace(split="val"), second))) == ["val", "train"]
    assert used(make_splits((first, second._replace(split="train")))) == ["val", "train"]
    assert used(make_splits((first._replace(split="test"), second))) == ["test", "train"]
    assert used(make_splits(label(3)[:1])) == ["train"]
