"""The differences in a few words each, for tables."""

from collections.abc import Iterable

from core.conventions.comparison import Comparison, Outcome
from core.conventions.convention import FRAMEWORKS
from core.conventions.differences import SAME_LOSS, AssignmentDifference, DetectionDifference, Difference

SAME = "none"
COLUMNS = ("anchors that differ", "assignment", "losses", "detections")


def name_within(outcome: Outcome) -> str:
    """Returns the name of a convention within a sentence."""
    title = outcome.convention.title
    return title[0].lower() + title[1:]


def describe_outcome(outcome: Outcome) -> tuple[str, ...]:
    """Returns the cells of a convention under `COLUMNS`; what is not computed says so in the last one."""
    if outcome.told:
        return "", "", "", f"not computed: {outcome.told}"
    if outcome.difference is None:
        return ("as here",) * len(COLUMNS)
    return describe_difference(outcome.difference)


def describe_difference(difference: Difference) -> tuple[str, str, str, str]:
    """Returns the cells of a difference under `COLUMNS`."""
    moved = int(difference.anchors.moved.sum())
    share = f"{moved:,} of {len(difference.anchors.moved):,}, up to {difference.anchors.largest:.2f} px"
    return (
        share if moved else SAME,
        _describe_assignment(difference.assignment),
        _describe_losses(difference.losses),
        describe_detections(difference.detections),
    )


def _describe_assignment(found: AssignmentDifference) -> str:
    kinds = ("more foreground", "fewer foreground", "of another object", "ignored on one side only")
    return _join((int(each.sum()), kind) for each, kind in zip(found, kinds, strict=True))


def _describe_losses(changes: tuple[float, float]) -> str:
    named = zip(changes, ("classification", "box"), strict=True)
    changed = (f"{name} {change:+.3f}".replace("-", "−") for change, name in named if abs(change) >= SAME_LOSS)
    return ", ".join(changed) or SAME


def describe_detections(found: DetectionDifference) -> str:
    """Returns how many detections are lost, new and changed, with the lowest IoU of these."""
    changed = int(found.changed.sum())
    lowest = f" (IoU from {found.iou[found.changed].min():.2f})" if changed else ""
    return _join(((len(found.lost), "lost"), (len(found.new), "new"), (changed, f"changed{lowest}")))


def _join(counts: Iterable[tuple[int, str]]) -> str:
    return ", ".join(f"{count:,} {what}" for count, what in counts if count) or SAME


def summarise(comparison: Comparison) -> str:
    """Returns a sentence on what becomes of the detections, and which conventions change them most."""
    name, found = FRAMEWORKS[comparison.framework], comparison.difference.detections
    count, kept, changed = len(comparison.here.detections.scores), len(found.here), int(found.changed.sum())
    noun, held = "detection" if count == 1 else "detections", f"{kept:,}" if kept else "none"
    start = f"Of {count:,} {noun} here, {name} with the same weights has {held}"
    if not found.total:
        return f"{start}: its conventions change none of them.{_tell_refusal(comparison)}"
    which = "all of them" if kept == changed else f"{changed:,} of them"
    moved = f", {which} with another box or score" if kept else ""
    others = f"{len(found.new):,}" if len(found.new) else "no"
    return f"{start}{moved}, and {others} others. {_name_causes(comparison)}{_tell_refusal(comparison)}"


def _name_causes(comparison: Comparison) -> str:
    causes = [(each.difference.detections.total, each) for each in comparison.outcomes if each.difference]
    ranked = sorted((cause for cause in causes if cause[0]), key=lambda cause: -cause[0])
    if not ranked:
        return "No convention by itself changes any."
    reasons = ", ".join(f"{name_within(each)} {count:,}" for count, each in ranked)
    return f"Detections that each convention changes, removes or adds by itself: {reasons}."


def _tell_refusal(comparison: Comparison) -> str:
    """Returns a sentence if the framework's network does not take the weights, so that all this is a supposition."""
    refusals = [each.told for each in comparison.outcomes if each.told and not each.convention.told]
    return "".join(f" But {each}: this is what its other conventions would do." for each in refusals)
