"""Results of other lengths stay in the file; new ones of the same length replace them, with the command for them."""

from benchmarks.rivals import _parser, describe_options, merge_groups


def test_lengths_that_were_measured_before_stay():
    short, long = {"title": "500 steps", "rows": [1]}, {"title": "1,500 steps", "rows": [2]}
    again, end = {"title": "1,500 steps", "rows": [3]}, {"title": "8,500 steps", "rows": [4]}
    assert merge_groups([short, long], [again, end]) == [short, again, end]
    assert merge_groups([], [end]) == [end]


def test_a_command_has_all_options_that_are_not_the_default():
    assert describe_options(_parser().parse_args(["--work", "x", "--short", "3"])) == ""
    arguments = ["--data", "mine", "--detectors", "ours", "--set", "training.batch_size=4", "loss.gamma=1"]
    assert describe_options(_parser().parse_args(["--work", "x", *arguments])) == " " + " ".join(arguments)
