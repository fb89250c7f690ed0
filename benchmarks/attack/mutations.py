"""Alters bytes, texts and values at random."""

import json
import math
from random import Random
from typing import Any

MOST_CHANGES = 4
NASTY_NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 1e308, -1e-300, math.nan, math.inf, -math.inf, 0.5)
NASTY_TEXTS = (
    "", "\0", "../../etc/passwd", "/etc/passwd", "C:\\x", "CON", "a:b", "%00", "${7*7}", "<b>", "é̀\u202e",
    "\ud800", "x" * 5000, "1e999", "nan", "-0", "null", "[" * 2000, '{"a":' * 500, "=cmd()", "\r\n", "💥",
)  # fmt: skip
NASTY_VALUES = (None, True, False, [], {}, [[]], [None], {"": {}}, [[[[[[[[]]]]]]]], {"a": [1, "x", None]})
NASTY_BYTES = (b"", b"\0", b"\xff" * 8, b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"PK\x03\x04", b"%PDF")


def alter_bytes(content: bytes, random: Random) -> bytes:
    """Returns bytes with some changes: flipped bits, cuts, repetitions, pieces moved and written over."""
    changed = bytearray(content)
    for _ in range(random.randint(1, MOST_CHANGES)):
        at, size = random.randrange(len(changed) + 1), random.choice((1, 2, 4, 16, 256))
        match random.randrange(6):
            case 0 if changed:
                changed[at % len(changed)] ^= 1 << random.randrange(8)
            case 1:
                del changed[at:]
            case 2:
                del changed[at : at + size]
            case 3:
                changed[at:at] = changed[at : at + size] * random.choice((1, 2, 50))
            case 4:
                other = random.randrange(len(changed) + 1)
                changed[at : at + size] = changed[other : other + size]
            case _:
                nasty = random.choice(NASTY_BYTES)
                changed[at : at + len(nasty)] = nasty
    return bytes(changed)


def alter_text(text: str, random: Random) -> str:
    """Returns a text with some words, which punctuation ends, replaced, doubled or dropped."""
    for _ in range(random.randint(1, MOST_CHANGES)):
        at = random.randrange(len(text) + 1)
        end = next((at + number for number, sign in enumerate(text[at : at + 30]) if sign in " \n,:<>\"'[]{}"), at + 3)
        nasty = str(random.choice((*NASTY_TEXTS, *map(str, NASTY_NUMBERS))))
        text = text[:at] + random.choice((nasty, text[at:end] * 2, "", "\n", f"\n{nasty}\n")) + text[end:]
    return text


def alter_value(value: Any, random: Random) -> Any:
    """Returns a JSON value with some parts replaced by others of a wrong type or size, dropped or doubled."""
    for _ in range(random.randint(1, MOST_CHANGES)):
        value = _alter_once(value, random)
    return value


def nasty_value(random: Random) -> Any:
    """Returns a value that few expect."""
    return random.choice(random.choice((NASTY_NUMBERS, NASTY_TEXTS, NASTY_VALUES)))


def write_json(value: Any) -> str:
    """Returns a value as JSON, also where JSON has no such number or letter."""
    return json.dumps(value)


def _alter_once(value: Any, random: Random) -> Any:
    if not isinstance(value, dict | list) or not value or random.random() >= 0.9:
        return nasty_value(random)
    changed: Any = value.copy()
    at = random.choice(list(value) if isinstance(value, dict) else range(len(value)))
    match random.randrange(8):
        case 0:
            del changed[at]
        case 1 if isinstance(value, dict):
            changed[random.choice(NASTY_TEXTS)] = value[at]
        case 1:
            changed[at:at] = [value[at]] * random.choice((1, 100))
        case _:
            changed[at] = _alter_once(value[at], random)
    return changed
