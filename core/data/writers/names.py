"""The names of pictures and classes in a data set that is written, which every system allows and tells apart."""

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from unicodedata import normalize

from core.data.raw import RawImage, name_images
from core.data.untrusted import quote
from core.data.writers.content import Writer
from core.io.paths import fold_name, make_portable
from core.io.text import count_noun, is_text, join_names

# What XML, YAML or a list with a name on each line cannot hold.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")


def is_plain(name: str) -> bool:
    """True for a name that every format can hold."""
    return is_text(name) and not _CONTROL.search(name)


def choose_names(splits: Mapping[str, list[RawImage]], writer: Writer) -> dict[str, list[str]]:
    """Returns the names of the pictures in their new folders, distinct in each folder.

    They are the paths without the folders that all pictures of a split have in common; if all splits share a folder
    and that would not tell them apart, without those that all pictures have in common.
    """
    names = {split: name_images(images) for split, images in splits.items()}
    if writer.pictures.format(split="") == writer.pictures:  # one folder for all
        flat = [name for each in names.values() for name in each]
        if len(set(flat)) < len(flat):
            flat = name_images([image for images in splits.values() for image in images])
        rest = iter(make_distinct(flat, writer))
        return {split: [next(rest) for _ in images] for split, images in splits.items()}
    return {split: make_distinct(each, writer) for split, each in names.items()}


def make_distinct(names: Sequence[str], writer: Writer) -> list[str]:
    """Returns names that every system allows and tells apart, also without their suffixes if the format needs that."""
    taken, result = set[str](), []
    for name in names:
        path = PurePosixPath(make_portable(name))
        stem, suffix = str(path.with_suffix("")).strip(), path.suffix  # space at an end is lost in lists
        numbered = (f"{stem}_{number}" for number in itertools.count(2))
        candidates = itertools.chain((stem, f"{stem}_{suffix[1:]}"), numbered)
        ends = "" if writer.needs_distinct_stems else suffix
        chosen = next(each for each in candidates if fold_name(each + ends) not in taken)
        taken.add(fold_name(chosen + ends))
        result.append(chosen + suffix)
    return result


def describe_renamed(pairs: Sequence[tuple[Path, str]]) -> tuple[str, ...]:
    """Returns a sentence on the pictures whose files have other names now than before; none for none.

    Args:
        pairs: The former path and the new name of each.
    """
    former = ("/".join(path.parts[-len(PurePosixPath(name).parts) :]) for path, name in pairs)
    renamed = [
        f"{quote(old)} is {quote(new)}"
        for old, (_, new) in zip(former, pairs, strict=True)
        if normalize("NFC", old) != new
    ]
    if not renamed:
        return ()
    counted = count_noun(len(renamed), "picture has another name", "pictures have other names")
    return (f"{counted}, since not every system or format allows theirs or tells them apart: {join_names(renamed)}.",)
