"""The classes that visitors name: which names are allowed, and the colours of new classes. No name is trusted."""

import re
import unicodedata
from collections.abc import Collection, Sequence

from core.errors import UserError

MAX_CLASSES = 50
MAX_NAME = 40  # characters
_MAX_RAW = 1000  # characters of a text that is looked at
_JOINERS = "\u200c\u200d"  # invisible, but several scripts are spelled with them
# Okabe and Ito's, which colour-blind people can tell apart (https://jfly.uni-koeln.de/color), then others.
COLOUR = re.compile("#[0-9a-fA-F]{6}")
CLASS_COLOURS = (
    "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7",
    "#ffffff", "#8c564b", "#7fd13b", "#00d5d5", "#9467bd", "#ff5ca8", "#a6761d",
)  # fmt: skip


class ClassNameError(UserError):
    """A name that a class cannot have."""


def read_class_name(text: object) -> str:
    """Returns the name of a class as it is stored: trimmed, spaces single, in Unicode's normal form C.

    Args:
        text: What the visitor has typed; may be anything.

    Raises:
        ClassNameError: It is not a text of 1 to `MAX_NAME` characters, or contains a control character.
    """
    if not isinstance(text, str):
        raise ClassNameError("The name of a class must be a text.")
    if len(text) > _MAX_RAW:
        raise ClassNameError(f"The name of a class can have at most {MAX_NAME} characters, not {len(text)}.")
    name = unicodedata.normalize("NFC", text).strip()
    for character in name:
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in _JOINERS:
            code = f"U+{ord(character):04X}"
            raise ClassNameError(f"The name of a class contains an invisible character ({code}): type it without it.")
    name = " ".join(name.split())
    if not fold_class_name(name):
        raise ClassNameError("The name of a class is empty: type at least one character.")
    if len(name) > MAX_NAME:
        raise ClassNameError(f"The name of a class can have at most {MAX_NAME} characters, not {len(name)}.")
    return name


def read_class_names(texts: object) -> tuple[str, ...]:
    """Returns the names of all classes, see `read_class_name`.

    Raises:
        ClassNameError: They are not a list of at most `MAX_CLASSES` valid names, or two are the same.
    """
    if not isinstance(texts, list | tuple):
        raise ClassNameError("The names of the classes must be a list.")
    if len(texts) > MAX_CLASSES:
        raise ClassNameError(f"There can be at most {MAX_CLASSES} classes, not {len(texts)}.")
    names: list[str] = []
    for text in texts:
        names.append(check_new_name(text, names))
    return tuple(names)


def check_new_name(text: object, names: Sequence[str]) -> str:
    """Returns the name of a further class beside `names`, see `read_class_name`.

    Raises:
        ClassNameError: The name is not allowed, or one of `names` is the same but for case.
    """
    name = read_class_name(text)
    folded = fold_class_name(name)
    same = next((each for each in names if fold_class_name(each) == folded), None)
    if same is not None:
        raise ClassNameError(f"There is already a class “{same}”: choose another name, or merge the two.")
    return name


def fold_class_name(name: str) -> str:
    """Returns the form in which two names are compared: without case, joiners and differences of normalisation."""
    plain = re.sub(f"[{_JOINERS}]", "", name)
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", plain).casefold()).strip()


def next_colour(used: Collection[str]) -> str:
    """Returns the colour of a new class: the one of `CLASS_COLOURS` that the fewest classes have, the first of equals.

    Args:
        used: The colours of the present classes, "#rrggbb".
    """
    lower = [colour.lower() for colour in used]
    return min(CLASS_COLOURS, key=lower.count)


def read_colour(text: object) -> str:
    """Returns a colour as "#rrggbb" in lower case.

    Raises:
        UserError: It is not such a text.
    """
    if not isinstance(text, str) or not COLOUR.fullmatch(text):
        raise UserError("A colour must be # and six hexadecimal digits, such as #e69f00.")
    return text.lower()
