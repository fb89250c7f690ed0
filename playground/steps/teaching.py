"""Sentences on a detector that is trained on a visitor's own pictures."""

from core.io.text import count_noun
from playground.albums.album import Album
from playground.data.albums import shown_album
from playground.data.image_ref import ImageRef

MIN_LABELLED = 2  # pictures: one to learn from, one to tell what was learned
TOO_FEW = "Label at least 2 pictures to train on them: draw a box around each object, or press No objects here."
FEW_HELD_OUT = 20  # pictures; below, AP says little


def describe_teaching(album: Album) -> str:
    """Returns what training on an album would use, or what it lacks, as a sentence."""
    counts = album.counts()
    labelled = sum(picture.labelled for picture in album.pictures)
    if labelled < MIN_LABELLED:
        return TOO_FEW
    train, held = counts.get("train", 0), counts.get("val", 0)
    held_text = f"{held} held out to measure it" if held else "none is held out"
    return f"Trains on {count_noun(train, 'labelled picture')}; {held_text}."


def describe_held_out(count: int) -> str:
    """Returns what the AP on so few held-out pictures can tell, as a sentence; "" if there are enough."""
    if count >= FEW_HELD_OUT:
        return ""
    if count == 0:
        return "No picture is held out, so AP is not measured: label one more."
    return (
        f"AP on {count_noun(count, 'held-out picture')} tells whether the detector has learned anything, but not which "
        "of two similar runs is better: a single object changes it much."
    )


def training_source(image_ref: ImageRef | None, visitor: str) -> str:
    """Returns what a run would be trained on if the picture is from an album, as a noun; "" for any other picture."""
    album = shown_album(image_ref, visitor)
    if album is None:
        return ""
    labelled = count_noun(sum(picture.labelled for picture in album.pictures), "labelled picture")
    return f"your {labelled}" if album.owner == visitor else f"{labelled} that somebody shared"
