"""The network in what training scripts save: its keys without prefixes, and averaged weights.

DataParallel, `torch.compile` and Lightning put words in front of the keys, and training scripts save the state dict in
a dictionary, beside others. The network is therefore looked for by a key that every RetinaNet of torchvision has.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from torch import Tensor

from core.io.text import is_text, join_names
from core.weights.architecture import WeightsError
from core.weights.foreign import refuse_foreign

MARK = ["head", "classification_head", "cls_logits", "weight"]  # the words of that key
PARTS = ("backbone.", "head.")  # with which all keys of a RetinaNet begin
INSERTED = ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")  # by PyTorch, anywhere in keys
AVERAGES = ("shadow", "swa", "average", "averaged", "avg")  # words for a moving average of the weights, and ema
NOT_AVERAGED = "current_model_state"  # Lightning's key of the weights whose average is the state dict
COUNTED_BESIDE, AVERAGED = "averaging_state.", "state_dict."  # Lightning's counter of that average, and where it is
COUNTER = "n_averaged"  # beside the weights that PyTorch's AveragedModel averages
COPY = "average_model_state"  # Lightning's key of the weights that its callback averages
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
LOOK_ALIKE = "bbox_ctrness"
MAX_NETWORKS = 10  # in one dictionary; of more than two none is chosen
WRAPPERS = ("model", "state_dict", "model_state_dict")  # usual keys of a state dict
MAX_DEPTH = 5  # of nested dictionaries
MAX_KEY = 300  # characters


class Found(NamedTuple):
    """A state dict within a file.

    Attributes:
        place: Where it stands: the keys of the dictionaries that hold it, and the prefix of its keys.
        state: Values by torchvision's keys; not validated.
        left_out: Keys of the tensors in the same dictionary that belong to no network.
        is_average: Whether it is a moving average of weights.
        is_initial: Whether it is one that was never updated: a copy of the weights before the training.
    """

    place: str
    state: dict[str, Any]
    left_out: tuple[str, ...]
    is_average: bool
    is_initial: bool = False


def find_state(content: Any, *, name: str) -> tuple[Any, tuple[str, ...]]:
    """Finds the state dict of the network in a file.

    Args:
        content: The content of the file; not trusted.
        name: Name of the file in messages.

    Returns:
        The state dict, not validated, and sentences that say what was chosen and what was left out. The keys are
        torchvision's if the file has a RetinaNet.

    Raises:
        WeightsError: There are several networks, and it is not clear which to use, or the weights are of another kind.
    """
    found = list(_find_networks(content))
    if not found:
        refuse_foreign(
            (key for _, entries in _find_dictionaries(content) for key in entries if _is_key(key)), name=name
        )
        return _unwrap(content), ()
    _refuse_look_alike(found, name)
    network, notes = _leave_out_initial(found, name)
    if network.left_out:
        notes.append(
            f"Entries of {name} that do not belong to the network are left out: {join_names(network.left_out)}."
        )
    return network.state, tuple(notes)


def _find_networks(content: Any) -> Iterator[Found]:
    """Yields the networks in nested dictionaries, the outermost first."""
    dictionaries = list(_find_dictionaries(content))
    counted = (path for path, entries in dictionaries if _is_zero(entries.get(COUNTER)))
    initial = tuple(AVERAGED if path == COUNTED_BESIDE else path for path in counted if path)
    for path, entries in dictionaries:
        for found in _networks_in(entries, path):
            yield found._replace(is_initial=found.is_initial or f"{found.place}.".startswith(initial))


def _find_dictionaries(content: Any) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Yields nested dictionaries, the outermost first, each with the keys that lead to it; they may be cyclic."""
    seen, level = set(), [("", content)]
    for _ in range(MAX_DEPTH):
        inner = []
        for path, entries in level:
            if isinstance(entries, Mapping) and id(entries) not in seen:
                seen.add(id(entries))
                yield path, entries
                inner += [(f"{path}{key}.", value) for key, value in entries.items() if _is_key(key)]
        level = inner


def _networks_in(entries: Mapping[Any, Any], path: str) -> Iterator[Found]:
    """Yields the networks in one dictionary: one for each prefix of their keys."""
    every = (prefix for key in entries if _is_key(key) and (prefix := _prefix_of(key)) is not None)
    prefixes = list(islice(dict.fromkeys(every), MAX_NETWORKS))
    states = {prefix: _select(entries, prefix) for prefix in prefixes}
    used = {key for state in states.values() for key in state.values()} | {_counter_key(each) for each in prefixes}
    left_out = tuple(str(key) for key, value in entries.items() if isinstance(value, Tensor) and key not in used)
    for prefix, keys in states.items():
        place = f"{path}{prefix}"
        counter, state = _counter_key(prefix), {inner: entries[key] for inner, key in keys.items()}
        is_average = counter in entries or _names_average(place)
        yield Found(place.rstrip("."), state, left_out, is_average, _is_zero(entries.get(counter)))


def _is_zero(count: Any) -> bool:
    """True for the counter of an average, a number or a tensor with one, that is 0."""
    return bool((type(count) is int or (type(count) is Tensor and count.numel() == 1)) and count == 0)


def _counter_key(prefix: str) -> str:
    """Returns the key of AveragedModel's counter if that holds the network behind a prefix, "" if it does not."""
    return prefix.removesuffix("module.") + COUNTER if prefix.endswith("module.") else ""


def _is_key(key: Any) -> bool:
    return is_text(key) and len(key) <= MAX_KEY


def _prefix_of(key: str) -> str | None:
    """Returns what precedes `MARK` in a key, None for another key."""
    words = key.split(".")
    if [word for word in words if word not in INSERTED][-len(MARK) :] != MARK:
        return None
    start = len(words) - 1 - words[::-1].index(MARK[0])
    return "".join(f"{word}." for word in words[:start])


def _select(entries: Mapping[Any, Any], prefix: str) -> dict[str, str]:
    """Returns the keys of the network behind a prefix, by torchvision's keys."""
    parts = tuple(prefix + part for part in PARTS)
    keys = [key for key in entries if _is_key(key) and key.startswith(parts)]
    return {".".join(word for word in key[len(prefix) :].split(".") if word not in INSERTED): key for key in keys}


def _names_average(place: str) -> bool:
    words = place.lower().replace("_", ".").split(".")
    return any(word in AVERAGES or word.startswith("ema") or word.endswith("ema") for word in words)


def _refuse_look_alike(found: list[Found], name: str) -> None:
    """Raises `WeightsError` for FCOS of torchvision, whose heads have the names of a RetinaNet's and more."""
    refuse_foreign((key for each in found for key in each.state if LOOK_ALIKE in key), name=name)


def _leave_out_initial(found: list[Found], name: str) -> tuple[Found, list[str]]:
    """Returns the network to use; an average that was never updated is used only if there is no other network."""
    if any(each.place.startswith(NOT_AVERAGED) for each in found):
        found = [each._replace(is_average=not each.place.startswith(NOT_AVERAGED)) for each in found]
    trained = [each for each in found if not (each.is_average and each.is_initial)] or found
    network, notes = (trained[0], []) if len(trained) == 1 else _choose(trained, name)
    if left := [each.place for each in found if each not in trained]:
        notes.append(f"{name} holds a moving average that was never updated, which is not used: {join_names(left)}.")
    return network, notes


def _choose(found: list[Found], name: str) -> tuple[Found, list[str]]:
    """Returns the average of weights that are also there themselves, which provide what the average lacks."""
    average, raw = sorted(found, key=lambda each: not each.is_average)[:2]
    if len(found) > 2 or not average.is_average or raw.is_average:
        places = join_names([each.place or "unnamed" for each in found])
        raise WeightsError(
            f"{name} holds {len(found)} networks ({places}): save the state dict of one of them in a file of its own."
        )
    note = f"{name} holds weights and their moving average: the average ({average.place}) is used"
    used = average.state
    if COPY in average.place:  # Lightning averages parameters alone: its copy keeps the first batch statistics
        used = {key: value for key, value in used.items() if not (key.endswith(BUFFERS) and key in raw.state)}
    return average._replace(state={**raw.state, **used}), [f"{note}."]


def _unwrap(content: Any) -> Any:
    for wrapper in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    return content
