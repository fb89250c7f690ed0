"""Bounds on the work of unpickling, checked before it is done: a small pickle can ask for endless work.

A tuple that holds another one three times, and so on forty times, is a few hundred bytes long and takes 3⁴⁰ steps to
hash; numbers of equal hashes make a dictionary quadratic; a tensor of four bytes can claim any shape. The instructions
are followed here with stand-ins, of which nothing is hashed, built or called.
"""

import math
import pickletools
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, NamedTuple

MAX_STEPS = 10**6  # instructions, and values that these hash or hand on; ResNet-152 with its optimizer has a fifth
MAX_KEY_PARTS = 100  # values in a key that is no text or number
MAX_ODD_KEYS = 1000  # of which the hashes may be equal, so that the work grows with their square
MAX_PLAIN = 2**60  # below, the hashes of whole numbers differ
MAX_ALLOCATED = 10**7  # bytes that a number alone makes
ENCODING = "latin1"  # in which pickles write bytes; other codecs take a time that grows with the square of the text
HASHING = ("collections.OrderedDict", "collections.Counter", "builtins.set")
TENSORS = tuple(f"torch._utils._rebuild_{name}" for name in ("tensor", "tensor_v2", "tensor_v3", "qtensor"))
PYTHON_2 = "__builtin__."  # its name of the module builtins, which PyTorch still writes
SIZE_AT = 2  # among the arguments of `TENSORS`
WRAPPED = "torch._tensor._rebuild_from_type_v2"  # whose arguments are another call
CALLS = frozenset(
    (
        *HASHING,
        *TENSORS,
        *("_codecs.encode", "builtins.bytearray", "builtins.complex", "collections.defaultdict"),
        *(f"torch.{name}" for name in ("Size", "device", "nn.parameter.Parameter", "serialization._get_layout")),
        *(f"torch._utils._rebuild_{name}" for name in ("parameter", "parameter_with_state", "sparse_tensor")),
        "torch._utils._rebuild_meta_tensor_no_storage",
        WRAPPED,
    )
)


class TooMuch(Exception):
    """More work than is done for what a file holds beside its tensors."""


class Storages(NamedTuple):
    """What a pickle asks of the tensors' values.

    Attributes:
        values: Number of values by the key of where they are stored.
        elements: Number of elements of all tensors, which may repeat the same values.
        listed: The pickle's own content, where that is a list of texts and numbers.
    """

    values: Mapping[str | bytes, int]
    elements: int
    listed: bool


class _Name(str):
    """Stands for a class or function."""

    __slots__ = ()


def check_pickle(file: BytesIO, harmless: frozenset[str]) -> Storages:
    """Follows one pickle to its end.

    Args:
        file: The pickle, not trusted; is read up to its end.
        harmless: Names of classes and functions whose stand-ins do nothing when they are called.

    Raises:
        TooMuch: Unpickling would be too much work.
        ValueError: It is no pickle that PyTorch reads.
        IndexError: An instruction lacks its values.
        KeyError: A value is asked for that was not kept.
        TypeError: An instruction has values of another type.
    """
    return _Rehearsal(harmless).run(file)


class _Rehearsal:
    """The stack machine of a pickle. A list stands for whatever holds values, and a value that is none for itself."""

    def __init__(self, harmless: frozenset[str]) -> None:
        self._harmless = harmless
        self._left, self._odd_keys, self._elements = MAX_STEPS, 0, 0
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._values: dict[str | bytes, int] = {}

    def run(self, file: BytesIO) -> Storages:
        """Follows the instructions; see `check_pickle`."""
        for opcode, argument, _ in pickletools.genops(file):
            self._left -= 1
            if self._left < 0:
                raise TooMuch
            name = opcode.name
            if name in _VALUES:
                self._stack.append(argument)
            elif name in _EMPTY:
                self._stack.append([])
            elif name in _CONSTANTS:
                self._stack.append(_CONSTANTS[name])
            elif name in _ACTIONS:
                _ACTIONS[name](self, argument)
            elif name not in ("PROTO", "STOP"):
                raise ValueError(name)
        content = self._stack.pop()
        listed = isinstance(content, list) and all(map(_is_plain, content))
        return Storages(self._values, self._elements, listed)

    def _put(self, number: int) -> None:
        self._memo[number] = self._stack[-1]

    def _get(self, number: int) -> None:
        self._stack.append(self._memo[number])

    def _mark(self, _: None) -> None:
        self._marked.append(self._stack)
        self._stack = []

    def _pop_marked(self) -> list[Any]:
        values, self._stack = self._stack, self._marked.pop()
        return values

    def _join(self, count: int) -> None:
        """Puts the last values into one tuple."""
        values = [self._stack.pop() for _ in range(count)][::-1]
        self._stack.append(values)

    def _join_marked(self, _: None) -> None:
        values = self._pop_marked()
        self._stack.append(values)

    def _append(self, _: None) -> None:
        value = self._stack.pop()
        self._top().append(value)

    def _extend(self, _: None) -> None:
        values = self._pop_marked()
        self._top().extend(values)

    def _set_item(self, _: None) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set([key, value])

    def _set_items(self, _: None) -> None:
        self._set(self._pop_marked())

    def _set(self, values: list[Any]) -> None:
        for key in values[::2]:
            self._check_key(key)
        self._top().extend(values)

    def _top(self) -> list[Any]:
        value = self._stack[-1]
        if not isinstance(value, list):
            raise TypeError
        return value

    def _name(self, names: str) -> None:
        name = names.replace(" ", ".")
        self._stack.append(_Name(f"builtins.{name.removeprefix(PYTHON_2)}" if name.startswith(PYTHON_2) else name))

    def _call(self, _: None) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        self._spend(arguments)
        self._check_call(function, arguments)
        self._stack.append([arguments])

    def _build(self, _: None) -> None:
        self._spend(self._stack.pop())

    def _store(self, _: None) -> None:
        """Keeps how many values a storage has: ("storage", class, key, location, count), in old files with a part."""
        self._spend(found := self._stack.pop())
        _, _, key, _, count, *part = found
        if not (isinstance(key, str | bytes) and type(count) is int and count >= 0 and _is_part(*part)):
            raise TypeError
        self._values[key] = max(count, self._values.get(key, 0))
        self._stack.append([])

    def _check_key(self, key: Any) -> None:
        """Counts the work of hashing a key."""
        if not _is_plain(key):
            self._odd_keys += 1
            if self._odd_keys > MAX_ODD_KEYS:
                raise TooMuch
            self._spend(key, MAX_KEY_PARTS)

    def _spend(self, value: Any, most: int = MAX_STEPS) -> None:
        """Counts a value with all values in it, as often as they are there; refuses more than so many."""
        least, rest = max(0, self._left - most), [value]
        self._left -= 1
        while rest:
            inner = rest.pop()
            if isinstance(inner, list):
                self._left -= len(inner)
                if self._left < least:
                    raise TooMuch
                rest += inner

    def _check_call(self, function: Any, arguments: list[Any]) -> None:
        """Refuses a call that may take long, whatever it gets."""
        if not isinstance(function, _Name) or not isinstance(arguments, list):
            raise TypeError
        if function in self._harmless:
            return
        if function.endswith("Tensor") and not arguments:  # of PyTorch before 0.2
            return
        if function not in CALLS:
            raise ValueError(f"Unsupported class {function}")
        if function == WRAPPED:
            self._check_call(arguments[0], arguments[2])
        elif function in TENSORS:
            self._elements += math.prod(_size(arguments[SIZE_AT]))
        elif function in HASHING:
            self._check_hashing(arguments)
        elif function == "_codecs.encode" and arguments[1:] != [ENCODING]:
            raise ValueError(function)
        elif function == "builtins.bytearray" and any(type(each) is int and each > MAX_ALLOCATED for each in arguments):
            raise TooMuch

    def _check_hashing(self, arguments: list[Any]) -> None:
        """Counts the values of a set or the keys of pairs."""
        for values in arguments:
            for value in values if isinstance(values, list) else ():
                self._check_key(value[0] if isinstance(value, list) and value else value)


def _is_plain(key: Any) -> bool:
    """Returns whether a key is text or a number whose hash takes no time and is its own."""
    return key is None or isinstance(key, str | bytes | bool) or (type(key) is int and abs(key) < MAX_PLAIN)


def _is_part(*part: Any) -> bool:
    """Returns whether this is the part of a storage that another one is: none, or its key and its place."""
    return all(each is None or (isinstance(each, list) and all(map(_is_plain, each))) for each in part)


def _size(size: Any) -> list[int]:
    if not isinstance(size, list) or not all(type(side) is int and 0 <= side < MAX_PLAIN for side in size):
        raise TypeError
    return size


# The instructions that PyTorch's reader knows, by their names in Python's `pickletools`.
_VALUES = frozenset(("BININT", "BININT1", "BININT2", "BINFLOAT", "BINUNICODE", "SHORT_BINSTRING", "LONG1"))
_EMPTY = frozenset(("EMPTY_TUPLE", "EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET"))
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_ACTIONS: dict[str, Callable[[_Rehearsal, Any], None]] = {
    "BINPUT": _Rehearsal._put, "LONG_BINPUT": _Rehearsal._put,
    "BINGET": _Rehearsal._get, "LONG_BINGET": _Rehearsal._get,
    "MARK": _Rehearsal._mark, "TUPLE": _Rehearsal._join_marked,
    "TUPLE1": lambda machine, _: machine._join(1), "TUPLE2": lambda machine, _: machine._join(2),
    "TUPLE3": lambda machine, _: machine._join(3),
    "APPEND": _Rehearsal._append, "APPENDS": _Rehearsal._extend,
    "SETITEM": _Rehearsal._set_item, "SETITEMS": _Rehearsal._set_items,
    "GLOBAL": _Rehearsal._name, "REDUCE": _Rehearsal._call, "NEWOBJ": _Rehearsal._call,
    "BUILD": _Rehearsal._build, "BINPERSID": _Rehearsal._store,
}  # fmt: skip
