"""A test of learning rates: the loss at each of them, and the rate that it suggests."""

import math

from markupsafe import Markup

from core.runs.about import RANGE_TEST
from core.runs.folder import FINISHED
from core.training.rate_finder import EXPLODED, STEPS, RateCurve, conclude, describe_rates
from playground.canvas.view import GREY
from playground.components import html
from playground.components.figures import PALETTE, Figure, Mark, colour, lines, mark, set_logarithmic
from playground.runs.progress import RunProgress
from playground.runs.summary import format_state
from playground.steps.step import StepText

RATE = "training.learning_rate"
ABOUT = (
    f"The finder trains for {STEPS} steps from the chosen initial weights, on what a run would train on, while the "
    "learning rate rises from 10⁻⁶ to 10. Nothing that it learns is kept. A good rate is where the averaged loss falls "
    "fastest; where it rises, the rate is too high."
)


def rates_text(progress: RunProgress, run: str) -> StepText:
    """Returns how far a test is, its figure, and what it suggests once it has finished.

    Args:
        progress: The test.
        run: Its name.
    """
    status = progress.status
    state = format_state(progress.state, status.queue_position)
    text = html.paragraph(" ".join(filter(None, (f"{RANGE_TEST.capitalize()} {run}: {state}.", status.message))))
    text += html.said(f"{RANGE_TEST.capitalize()} {run}: {state}.")
    if progress.active:
        text += html.progress(len(progress.steps), STEPS, "Steps of the finder")
    curve = read_rates(progress)
    if not progress.active and curve.rates:
        text += _build_conclusion(curve, stopped=progress.state != FINISHED)
    return StepText(text + html.paragraph(ABOUT), build_rates_figure(progress) if curve.rates else None)


def read_rates(progress: RunProgress) -> RateCurve:
    """Returns the loss at each rate that has been tested; a test that goes on, or was stopped, suggests none."""
    steps = progress.steps
    rates = [each["learning_rate"] for each in steps]
    curve = describe_rates(rates, [each["classification"] + each["box"] for each in steps])
    return curve if progress.state == FINISHED else curve._replace(suggestion=None)


def _build_conclusion(curve: RateCurve, *, stopped: bool) -> Markup:
    said = html.paragraph(conclude(curve, "the learning rate", stopped=stopped))
    if curve.suggestion is None:
        return said
    rate = f"{curve.suggestion:.2g}"
    return said + html.paragraph(html.link(f"Use {rate} as the learning rate", f"set {RATE} {rate}"))


def build_rates_figure(progress: RunProgress) -> Figure:
    """Returns the loss of each step and its average by the learning rate, with the suggestion."""
    curve = read_rates(progress)
    made = lines(
        [("each step", GREY, curve.rates, curve.losses), ("averaged", PALETTE[0], curve.rates, curve.averages)],
        title="Loss by learning rate",
        x="learning rate",
        y="loss",
    )
    made["data"][0]["line"] |= {"width": 1}
    set_logarithmic(made, curve.rates)
    made["layout"]["xaxis"]["exponentformat"] = "power"
    top = max(EXPLODED * min(curve.averages), 1.2 * curve.averages[0])  # higher ones, of a loss that explodes, are cut
    if math.isfinite(top):
        made["layout"]["yaxis"]["range"] = [0, top]
    if curve.suggestion is None:
        return made
    at = curve.averages[curve.rates.index(curve.suggestion)]
    return mark(made, [Mark(f"suggestion: {curve.suggestion:.2g}", colour("suppressed"), curve.suggestion, at)])
