from collections.abc import Sequence

import numpy as np
import pytest

from core.data.splits import SPLITS_FILE, random_split, read_splits, split_by_name, stratified_split, write_splits
from core.data.untrusted import DataError
from tests.core.data.memory import measure_peak

SHARES = (0.8, 0.1, 0.1)


def random_counts(seed: int, pictures: int = 100) -> np.ndarray:
    dice = np.random.default_rng(seed)
    return dice.poisson([0.05, 0.6, 8], (pictures, 3))


def stratify(counts: np.ndarray, shares: Sequence[float], seed: int) -> list[list[int]]:
    """Splits pictures with these counts of objects [N, K]."""
    return stratified_split([np.repeat(np.arange(len(each)), each) for each in counts], shares, seed)


def stratify_densely(counts: np.ndarray, sizes: Sequence[int], shares: Sequence[float], seed: int) -> list[list[int]]:
    """Does what `stratified_split` does by a table of all pictures and classes: plainly, but slowly."""
    weights = np.column_stack([counts, counts.sum(axis=1) == 0]).astype(np.float64)
    order = np.random.default_rng(seed).permutation(len(weights))
    room, lacks = np.array(sizes), np.outer(shares, weights.sum(axis=0))
    part = np.full(len(weights), -1)
    while (part < 0).any():
        remaining = order[part[order] < 0]
        left = weights[remaining].sum(axis=0)
        rarest = int(np.where(left > 0, left, np.inf).argmin())
        candidates = remaining[weights[remaining, rarest] > 0]
        for number in candidates[np.argsort(-weights[candidates, rarest], kind="stable")]:
            best = max(np.flatnonzero(room), key=lambda each: (lacks[each, rarest], room[each]))
            part[number] = best
            room[best] -= 1
            lacks[best] -= weights[number]
    return [np.flatnonzero(part == number).tolist() for number in range(len(shares))]


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
    parts = random_split(count, shares, 0) if how == "random" else stratify(counts, shares, 0)
    assert [len(part) for part in parts] == sizes
    assert sorted(number for part in parts for number in part) == list(range(count))


def test_seeds():
    counts = random_counts(2)
    for split in (lambda seed: random_split(100, SHARES, seed), lambda seed: stratify(counts, SHARES, seed)):
        assert split(0) == split(0) != split(1)


@pytest.mark.parametrize("seed", range(5))
def test_stratified_split_divides_every_class(seed):
    counts = random_counts(seed, 200)
    for part, share in zip(stratify(counts, SHARES, seed), SHARES, strict=True):
        wanted = counts.sum(axis=0) * share
        assert (abs(counts[part].sum(axis=0) - wanted) <= np.maximum(1.5, 0.06 * counts.sum(axis=0))).all()


def test_the_rare_class_reaches_every_part():
    counts = np.zeros((30, 2), int)
    counts[:, 0] = 5
    counts[:3, 1] = 1
    parts = stratify(counts, (1 / 3, 1 / 3, 1 / 3), 0)
    assert [counts[part, 1].sum() for part in parts] == [1, 1, 1]


def test_empty_pictures_are_divided_too():
    counts = np.zeros((20, 1), int)
    counts[:10] = 1
    for part in stratify(counts, (0.5, 0.5, 0), 0)[:2]:
        assert (counts[part] == 0).sum() == 5


@pytest.mark.parametrize("seed", range(60))
def test_stratified_split_is_that_of_a_table(seed):
    dice = np.random.default_rng(seed)
    pictures, classes = dice.integers(3, 40), dice.integers(1, 12)
    counts = dice.poisson(dice.choice([0, 0.1, 0.5, 3], classes), (pictures, classes))
    shares = dice.dirichlet((1, 1, 1)).tolist() if seed % 2 else (0.5, 0.25, 0.25)
    parts = stratify(counts, shares, seed)
    assert parts == stratify_densely(counts, [len(part) for part in parts], shares, seed)


def test_many_classes_take_little_memory():
    labels = [np.array([number, number + 1]) for number in range(1000)]  # a table of them would take 8 MB
    assert measure_peak(lambda: stratified_split(labels, SHARES, 0)) < 2**20


@pytest.mark.parametrize("shares", [(0.5, 0.4, 0), (1.2, -0.1, -0.1)])
def test_invalid_shares(shares):
    with pytest.raises(DataError, match="must add up to 1"):
        random_split(10, shares, 0)


def test_too_few_pictures():
    with pytest.raises(DataError, match="2 pictures cannot be split into 3 parts"):
        stratify(np.ones((2, 1), int), SHARES, 0)


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
