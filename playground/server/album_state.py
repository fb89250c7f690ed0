"""The content of the panel "My pictures"."""

import json
from collections import Counter
from typing import Any

from core.errors import UserError
from core.io.text import count_noun
from playground.albums.album import Album
from playground.albums.export import find_lack
from playground.albums.limits import describe_keeping
from playground.albums.objects import last_removed
from playground.albums.service import ALBUMS
from playground.data.albums import index_in, shown_album
from playground.data.picture import key_in_album
from playground.pipeline.knowledge import knowledge_of
from playground.pipeline.pipeline import Pipeline
from playground.pipeline.proposals import known_classes
from playground.state.page_state import PageState
from playground.steps.suggestions import Suggesting, build_suggestions, is_suggesting
from playground.steps.teaching import describe_teaching
from playground.support.wording import name_knobs

USES = {"train": "used for training", "val": "held out: validation", "test": "held out: test"}

PREVIOUS = " What was changed last cannot be read any more and is left out: do it again."


def build_album_panel(state: PageState, pipeline: Pipeline) -> str:
    """Returns the value of the panel, as JSON: the visitor's album, or the one whose picture is on show."""
    image_ref, own = state.image_ref(), ALBUMS.of(state.visitor)
    shown = shown_album(image_ref, state.visitor)
    album = shown or own
    mine = album is not None and own is not None and album.key == own.key
    deleted = "" if own else ALBUMS.last_deleted(state.visitor)
    values: dict[str, Any] = {
        "count": 0, "labelled": 0, "mine": mine, "index": -1, "undo": _undo(own, deleted), "classes": [],
        "suggest": {"on": False, "above": state.suggesting.above, "note": ""}, "labelled_here": False, "objects": 0,
        "shared": False, "ready": False, "pixels_key": "", "deleted": deleted,
        **dict.fromkeys(("place", "split", "teach", "kept", "whose"), ""),
    }  # fmt: skip
    if album is None:
        return json.dumps(values)
    values |= _about_album(album, mine=mine)
    index = index_in(shown, image_ref) if shown else None
    if shown and index is not None:
        values |= _about_picture(shown, index)
        values["suggest"] = _suggest(state.suggesting, pipeline, shown, index, mine=mine)
    return json.dumps(values)


def _about_album(album: Album, *, mine: bool) -> dict[str, Any]:
    objects = Counter(label for picture in album.pictures for label in picture.labels)
    named = zip(album.class_names, album.class_colours, strict=True)
    return {
        "count": len(album.pictures),
        "labelled": album.labelled,
        "classes": [[name, objects[index], colour] for index, (name, colour) in enumerate(named)],
        "teach": describe_teaching(album),
        "ready": not find_lack(album),
        "kept": describe_keeping(ALBUMS.folder),
        "whose": describe_audience(album, mine=mine),
        "shared": album.shared,
    }


def _about_picture(album: Album, index: int) -> dict[str, Any]:
    picture = album.pictures[index]
    return {
        "index": index,
        "pixels_key": key_in_album(album, index),
        "labelled_here": picture.labelled,
        "objects": len(picture.boxes),
        "split": picture.split,
        "place": USES.get(picture.used_in, ""),
    }


def _suggest(choice: Suggesting, pipeline: Pipeline, album: Album, index: int, *, mine: bool) -> dict[str, Any]:
    """Returns what the panel says of suggestions for a picture of an album."""
    try:
        known = known_classes(knowledge_of(pipeline.config).class_names, album.class_names)
        on, note = is_suggesting(choice, pipeline, album), ""
        if album.class_names and not known:
            note = "These weights know none of your classes yet."
        elif on and mine and _finds_nothing(choice, pipeline, album, index):
            note = f"Nothing is suggested above {choice.above:.2f}: move the threshold down, or draw the boxes."
    except UserError as error:
        on, note = False, name_knobs(error)
    return {"on": on, "above": choice.above, "note": note}


def _finds_nothing(choice: Suggesting, pipeline: Pipeline, album: Album, index: int) -> bool:
    """True if the weights suggest no box for a picture without any."""
    picture = album.pictures[index]
    layer = build_suggestions(choice, pipeline, album, picture).layer
    return not picture.labelled and layer is not None and not len(layer.boxes)


def describe_audience(album: Album, *, mine: bool) -> str:
    """Returns who can see the pictures, as a sentence."""
    if not mine:
        return "Somebody shared these pictures: you can look at and use them, but only their owner can change them."
    if album.shared:
        return f"Anyone with the link can see these pictures, but only this browser can change them.{_lost(album)}"
    return f"Only this browser can see these pictures.{_lost(album)}"


def _lost(album: Album) -> str:
    """Returns what of an album cannot be read any more, as further sentences; "" for nothing."""
    left_out = f"{count_noun(album.lost, 'picture')} cannot be read any more and {'is' if album.lost == 1 else 'are'}"
    lost = f" {left_out} left out: upload what you miss again." if album.lost else ""
    return lost + (PREVIOUS if album.is_previous else "")


def _undo(own: Album | None, deleted: str) -> str:
    """Returns the text of the button that undoes the visitor's last deletion, "" if there is none."""
    if own is None:
        return "Put my pictures back" if deleted else ""
    return "Put the removed picture back" if last_removed(own) else ""
