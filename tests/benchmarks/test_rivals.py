"""Results of other lengths stay in the file; new ones of the same length replace them."""

from benchmarks.rivals import merge_groups


def test_lengths_that_were_measured_before_stay():
    short, long = {"title": "500 steps", "rows": [1]}, {"title": "1,500 steps", "rows": [2]}
    again, end = {"title": "1,500 steps", "rows": [3]}, {"title": "8,500 steps", "rows": [4]}
    assert merge_groups([short, long], [again, end]) == [short, again, end]
    assert merge_groups([], [end]) == [end]
