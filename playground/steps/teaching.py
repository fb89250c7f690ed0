"""Sentences on a detector that is trained on a visitor's own pictures."""

from core.io.text import count_noun
from playground.albums.album import Album
from playground.albums.export import find_lack
from playground.data.albums import shown_album
from playground.data.image_ref import ImageRef

FEW_HELD_OUT = 20  # pictures; below, AP says little


def describe_teaching(album: Album) -> str:
    """Returns what training on an album would use, or what it lacks, as a sentence."""
    if lack := find_lack(album):
        return lack
    counts = album.counts()
    return f"Trains on {count_noun(counts['train'], 'labelled picture')}; {counts['val']} held out to measure it."


def describe_held_out(count: int) -> str:
    """Returns what the AP on so few held-out pictures can tell, as a sentence; "" if there are enough."""
    if count >= FEW_HELD_OUT:
        return ""
    if count == 0:
        return "No picture is held out, so AP is not measured: label one more."
    return (
        f"AP on {count_noun(count, 'held-out picture')} tells whether the detector has learnt anything, but not which "
        "of two similar runs is better: a single object changes it a lot."
    )


def training_source(image_ref: ImageRef | None, visitor: str) -> str:
    """Returns what a run would be trained on if the picture is from an album, as a noun; "" for any other picture."""
    album = shown_album(image_ref, visitor)
    if album is None:
        return ""
    labelled = count_noun(album.labelled, "labelled picture")
    return f"your {labelled}" if album.owner == visitor else f"{labelled} that somebody shared"
