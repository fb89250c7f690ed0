"""What a run on the visitor's own pictures has learnt, once it has ended."""

from collections import Counter
from pathlib import Path

from core.io.text import count_noun
from playground.albums.album import Album
from playground.albums.service import ALBUMS
from playground.pipeline.proposals import COUNTS_FROM
from playground.runs.service import RUNS
from playground.runs.summary import format_duration
from playground.state.looking import look_at
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps.teaching import describe_held_out
from playground.steps.training import load_run_config

MAX_SECONDS = 5.0  # of looking for objects in the visitor's pictures
USE_WEIGHTS = "Use its weights in all steps"
TAUGHT_IN_LESSON = (
    "The run on your pictures has finished. The lesson keeps its own weights: after it, press "
    f"“{USE_WEIGHTS}” in the Training step."
)


def taught_album(state: PageState) -> Album | None:
    """Returns the visitor's album if the run on show was trained on it, None otherwise."""
    album = ALBUMS.of(state.visitor)
    if album is None or not RUNS.has(state.run):
        return None
    about = RUNS.about(state.run)
    if about.range_test:  # which teaches nothing
        return None
    return album if about.owner == state.visitor and album.key in Path(about.source).parts else None


def use_taught(state: PageState, album: Album) -> tuple[PageState, str]:
    """Returns the state with the weights of the run on show, and what it has learnt, in words.

    A lesson has chosen its weights, so that during one the state stays as it is and the words say so.
    """
    if state.lesson:
        return state, TAUGHT_IN_LESSON
    state = state._replace(settings=settings_of(load_run_config(state.run, state.config())))
    ended = RUNS.folder(state.run).read_status()
    took = f" in {format_duration(ended.since - RUNS.about(state.run).created)}" if ended else ""
    counts = album.counts()
    said = [
        f"Taught{took}: {count_noun(len(album.class_names), 'class', 'classes')} from "
        f"{count_noun(counts.get('train', 0), 'picture')}. All steps use these weights now.",
        describe_found(state, album),
        describe_held_out(counts.get("val", 0)),
    ]
    return state, " ".join(filter(None, said))


def describe_found(state: PageState, album: Album) -> str:
    """Returns how many objects the weights find in the visitor's pictures, in as many as time allows."""
    indices = range(len(album.pictures))
    looked = list(look_at(album, indices, state.config(), state.visitor, seconds=MAX_SECONDS))
    found = sum((summary.counts for _, summary in looked), Counter[str]())
    total = count_noun(len(album.pictures), "picture")
    where = f"all your {total}" if len(looked) == len(indices) else f"{len(looked)} of your {total}"
    each = ", ".join(f"{name} {count}" for name, count in found.most_common())
    return f"Detections with a score of at least {COUNTS_FROM:g} in {where}: {each or 'none'}."
