"""The sentence of the first screen: how much of this picture's loss its easy background anchors carry."""

import math
from typing import Any

from core.config import Config, knobs
from core.io.text import count_noun
from core.steering.kinds import EASY, EASY_BACKGROUND, FOREGROUND, HARD_BACKGROUND
from playground.components import html
from playground.components.figures import colour
from playground.pipeline.pipeline import Pipeline
from playground.steps.loss.shares import GROUP_COLOURS, Payer, format_kind, list_payers

ORDER = (EASY_BACKGROUND, HARD_BACKGROUND, FOREGROUND)  # of the bar
NOTE = f"Easy: pₜ, the probability of the truth, is above {1 - EASY:g}, so the detector is right already."


def build_story(pipeline: Pipeline) -> dict[str, Any]:
    """Returns who pays the classification loss, for the browser: a sentence, a note, and the parts of a bar."""
    payers = {each.name: each for each in list_payers(pipeline)}
    idle = knobs()["loss.gamma"].idle_reason(pipeline.config)
    return {
        "sentence": _describe(pipeline, payers[EASY_BACKGROUND]),
        "note": f"{NOTE} γ {idle}." if idle else NOTE,
        "plays": not idle,
        "parts": [
            {
                "name": each.name,
                "colour": colour(GROUP_COLOURS[each.name]),
                "share": each.share if math.isfinite(each.share) else 0.0,
                "text": html.percent(each.share) if math.isfinite(each.share) else "–",
            }
            for each in (payers[name] for name in ORDER)
        ],
    }


def _describe(pipeline: Pipeline, easy: Payer) -> str:
    under = _name_loss(pipeline.config)
    if not easy.number:
        return f"{under} there is no easy background anchor in this picture."
    if not math.isfinite(easy.share):
        return f"{under} the loss of this picture is not a finite number."
    carry = "carries" if easy.number == 1 else "carry"
    anchors = count_noun(easy.number, f"{EASY_BACKGROUND} anchor")
    return f"{under} the {anchors} {carry} {html.percent(easy.share)} of the loss."


def _name_loss(config: Config) -> str:
    """Returns the beginning of a sentence that names the loss, with γ if that acts."""
    loss = config.loss
    gamma = f"γ = {loss.gamma:g}"
    if loss.kind == "focal":
        return f"At {gamma}"
    return f"Under {format_kind(loss.kind)}" + (f" with {gamma}" if knobs()["loss.gamma"].acts(config) else "")
