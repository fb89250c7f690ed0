import math

import pytest

from core.data.formats.values import parse_flag, parse_name, parse_number, parse_whole_number


@pytest.mark.parametrize("value", [1, 1.0, True, "1", "true", "True", " TRUE ", "yes"])
def test_flags_that_are_set(value):
    assert parse_flag(value) is True


@pytest.mark.parametrize("value", [0, 0.0, False, "0", "false", "False", "no", "", None, "Unspecified"])
def test_flags_that_are_not_set(value):
    assert parse_flag(value) is False


@pytest.mark.parametrize("value", [2, -1, 0.5, "maybe", "2", [], {}, [1], float("nan"), 10**400, "1" * 10**6])
def test_flags_that_are_neither(value):
    assert parse_flag(value) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [(640, 640), (640.0, 640), ("640", 640), (" 640.0 ", 640), ("-3", -3), ("6.4e2", 640), (0, 0), ("007", 7)],
)
def test_whole_numbers(value, number):
    result = parse_whole_number(value)
    assert result == number and type(result) is int


@pytest.mark.parametrize(
    "value", [None, True, 0.5, "0.5", "x", "", "1_000", "²", "١", "0x10", math.nan, math.inf, "inf", 2**60, 10**400, []]
)
def test_what_is_no_whole_number(value):
    assert parse_whole_number(value) is None


@pytest.mark.parametrize(("value", "number"), [(1, 1.0), ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("-1e2", -100.0)])
def test_numbers(value, number):
    assert parse_number(value) == number


@pytest.mark.parametrize(
    ("value", "name"),
    [(" cat ", "cat"), ("a\u0308", "\xe4"), (3, "3"), ("0", "0"), ("big cat", "big cat")],
)
def test_names(value, name):
    assert parse_name(value) == name


@pytest.mark.parametrize("value", ["", " ", None, True, 1.5, ["cat"], "\ud800", 10**400])
def test_what_is_no_name(value):
    assert parse_name(value) is None


def test_numbers_that_are_not_finite():
    assert parse_number(10**400) == parse_number("inf") == parse_number("1e999") == math.inf
    assert parse_number(-(10**400)) == -math.inf
    assert math.isnan(parse_number("nan"))


@pytest.mark.parametrize("value", [None, True, "", "x", "1,5", "1_0", "1 2", "٣", [], {}, "9" * 10**6])
def test_what_is_no_number(value):
    assert parse_number(value) is None
