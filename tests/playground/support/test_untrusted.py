"""Values of links: numbers, indices and choices, or one sentence."""

import pytest

from core.config import ConfigError
from playground.support.untrusted import is_index, parse_number, require_one_of


@pytest.mark.parametrize("text, value", [("0", 0), ("-0.5", -0.5), ("1e6", 1e6)])
def test_numbers(text, value):
    assert parse_number("p_t", text) == value


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "-inf", "1000001", "9" * 5000])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ConfigError, match=r"^p_t = .{,100} is not allowed: it must be a number\.$"):
        parse_number("p_t", text)


def test_limits_are_named():
    assert parse_number("iou", "0.95", (0.05, 0.95)) == 0.95
    for text in ("0.96", "0.04", "nan"):
        with pytest.raises(ConfigError, match=r"it must be a number from 0\.05 to 0\.95\.$"):
            parse_number("iou", text, (0.05, 0.95))


def test_choices():
    assert require_one_of("level", "P3", ("P3", "P4")) == "P3"
    with pytest.raises(ConfigError, match=r"^level = 'P9+… is not allowed: it must be one of P3, P4\.$"):
        require_one_of("level", "P" + "9" * 100, ("P3", "P4"))


def test_indices():
    assert is_index("0") and is_index("123456789")
    assert not any(map(is_index, ("", "-1", "1.0", "²", "٣", "1234567890")))
