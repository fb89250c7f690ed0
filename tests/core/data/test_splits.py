import numpy as np
import pytest

from core.data.splits import SPLITS_FILE, random_split, read_splits, split_by_name, stratified_split, write_splits
from core.data.untrusted import DataError

SHARES = (0.8, 0.1, 0.1)


def random_counts(seed: int, pictures: int = 100) -> np.ndarray:
    dice = np.random.default_rng(seed)
    return dice.poisson([0.05, 0.6, 8], (pictures, 3))


def test_split_by_name_is_reproducible():
    names = [f"p{number}" for number in range(20)]
    splits = split_by_name(names)
    assert {name: len(part) for name, part in splits.items()} == {"train": 16, "val": 2, "test": 2}
    assert split_by_name(reversed(names)) == splits
    assert split_by_name([]) == {"train": [], "val": [], "test": []}


@pytest.mark.parametrize(
    ("count", "shares", "sizes"),
    [
        (10, SHARES, [8, 1, 1]),
        (3, SHARES, [1, 1, 1]),
        (15, SHARES, [12, 2, 1]),
        (7, (0.5, 0.5, 0), [4, 3, 0]),
        (1, (1, 0, 0), [1, 0, 0]),
    ],
)
@pytest.mark.parametrize("how", ["random", "stratified"])
def test_part_sizes_add_up(how, count, shares, sizes):
    counts = random_counts(1, count)
    parts = random_split(count, shares, 0) if how == "random" else stratified_split(counts, shares, 0)
    assert [len(part) for part in parts] == sizes
    assert sorted(number for part in parts for number in part) == list(range(count))


def test_seeds():
    counts = random_counts(2)
    for split in (lambda seed: random_split(100, SHARES, seed), lambda seed: stratified_split(counts, SHARES, seed)):
        assert split(0) == split(0) != split(1)


@pytest.mark.parametrize("seed", range(5))
def test_stratified_split_divides_every_class(seed):
    counts = random_counts(seed, 200)
    for part, share in zip(stratified_split(counts, SHARES, seed), SHARES, strict=True):
        wanted = counts.sum(axis=0) * share
        assert (abs(counts[part].sum(axis=0) - wanted) <= np.maximum(1.5, 0.06 * counts.sum(axis=0))).all()


def test_the_rare_class_reaches_every_part():
    counts = np.zeros((30, 2), int)
    counts[:, 0] = 5
    counts[:3, 1] = 1
    parts = stratified_split(counts, (1 / 3, 1 / 3, 1 / 3), 0)
    assert [counts[part, 1].sum() for part in parts] == [1, 1, 1]


def test_empty_pictures_are_divided_too():
    counts = np.zeros((20, 1), int)
    counts[:10] = 1
    for part in stratified_split(counts, (0.5, 0.5, 0), 0)[:2]:
        assert (counts[part] == 0).sum() == 5


@pytest.mark.parametrize("shares", [(0.5, 0.4, 0), (1.2, -0.1, -0.1)])
def test_invalid_shares(shares):
    with pytest.raises(DataError, match="must add up to 1"):
        random_split(10, shares, 0)


def test_too_few_pictures():
    with pytest.raises(DataError, match="2 pictures cannot be split into 3 parts"):
        stratified_split(np.ones((2, 1), int), SHARES, 0)


def test_splits_file_round_trip(tmp_path):
    assert read_splits(tmp_path) is None
    splits = {"train": ["a.png", "ä/b.png"], "val": ["c.png"], "test": []}
    write_splits(tmp_path, splits)
    assert read_splits(tmp_path) == splits


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "it is not JSON"),
        ("[]", "not a list of names"),
        ('{"train": []}', "not a list of names"),
        ('{"train": [1], "val": [], "test": []}', "not a list of names"),
        ('{"train": ["a"], "val": ["a"], "test": []}', "lists 'a' twice"),
        ("[" * 100_000, "it is not JSON"),
    ],
)
def test_a_broken_file_is_named(tmp_path, text, message):
    (tmp_path / SPLITS_FILE).write_text(text)
    with pytest.raises(DataError, match=message) as error:
        read_splits(tmp_path)
    assert SPLITS_FILE in str(error.value) and "remove the file" in str(error.value)
