"""The weights whose results share a figure: the present ones, and others that the visitor has chosen."""

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from core.config import Config
from core.errors import UserError
from playground.components import html
from playground.components.figures import PALETTE
from playground.evaluations.jobs import EVALUATIONS
from playground.evaluations.status import FINISHED, WAITING, JobStatus
from playground.pipeline.networks import follow_weights, name_weights
from playground.pipeline.pipeline import Pipeline
from playground.runs.service import RUNS
from playground.steps.step import Focus
from playground.support.wording import name_knobs

NOT_HERE = "not available here"
OFFERED = 8  # runs, the newest
BUILT_IN = "builtin"
KEEP = "Keep in the figure"
FAIR = "Other weights keep their own anchors; pictures are as large for all."


class Compared(NamedTuple):
    """Weights in a figure: with their own network and anchors, and otherwise the settings of the page.

    Attributes:
        name: Their name for people.
        key: Their key, "" for the present ones.
        tint: Their colour.
        config: The settings with these weights, None if they cannot be used.
        status: Of the evaluation, None if there is none.
        problem: Why they cannot be used, "" if they can.
    """

    name: str
    key: str
    tint: str
    config: Config | None = None
    status: JobStatus | None = None
    problem: str = ""


def list_compared(pipeline: Pipeline, focus: Focus, find_key: Callable[[Config], Hashable]) -> tuple[Compared, ...]:
    """Returns the present weights, then the others.

    Args:
        pipeline: The picture under the settings.
        focus: The visitor's choices.
        find_key: Returns the key of an evaluation with the weights of some settings.

    Raises:
        UserError: The present weights cannot be used.
    """
    pipeline.network  # noqa: B018 (raises PostponedError while a knob is dragged, if it is not cached)
    config = pipeline.config
    found = [Compared(_name(config.model.weights), "", PALETTE[0], config, _read(find_key(config)))]
    others = [(key, path) for key, path in focus.weights if path != config.model.weights]
    for tint, (key, path) in zip(PALETTE[1:], others, strict=False):
        found.append(_find(key, path, tint, config, find_key))
    return tuple(found)


def _find(key: str, path: str, tint: str, config: Config, find_key: Callable[[Config], Hashable]) -> Compared:
    if not path:  # what others call their run is theirs
        return Compared(name_weights(key), key, tint, problem=NOT_HERE)
    name = _name(path)
    seen = {knob: value for knob, value in config.to_flat().items() if knob.startswith("inference.")}
    try:
        own = follow_weights(config.replace({"model.weights": path, "model.heads": "loaded"})).replace(seen)
        return Compared(name, key, tint, own, _read(find_key(own)))
    except UserError as error:
        return Compared(name, key, tint, problem=name_knobs(error))


def _name(weights: str) -> str:
    """Returns the name of weights for people: of those of a run, what visitors call it."""
    name = name_weights(weights)
    return (RUNS.label(name).name or name) if RUNS.has(name) else name


def _read(key: Hashable) -> JobStatus | None:
    return EVALUATIONS.read_status(key)


def choose_weights(pipeline: Pipeline, focus: Focus) -> Markup:
    """Returns links that add weights to the figure or take them out: the present ones, and those of runs."""
    present = pipeline.config.model.weights
    kept = any(path == present for _, path in focus.weights)
    chosen = {key: _name(path) if path else name_weights(key) for key, path in focus.weights if path != present}
    offered = {key: name for key, (name, path) in _list_offered(pipeline.visitor).items() if path != present}
    links = [html.link(f"{_name(present)} (present)", "against", on=kept)]
    links += [html.link(name, f"against {key}", on=key in chosen) for key, name in (chosen | offered).items()]
    return html.paragraph(f"{KEEP}:") + html.tabs(KEEP, links)


def _list_offered(visitor: str) -> dict[str, tuple[str, str]]:
    """Returns the name and the path of the built-in weights and of those of the newest runs, by key."""
    found = {BUILT_IN: (BUILT_IN, BUILT_IN)}
    for run in RUNS.names():
        if len(found) > OFFERED:
            break
        if RUNS.may_see(run, visitor) and (folder := RUNS.find_weights(run)):
            found[f"run/{run}"] = (_name(run), str(folder.weights))
    return found


def describe_compared(compared: Sequence[Compared], measure: str, described: Callable[[JobStatus], str]) -> Markup:
    """Returns a row for each of the weights: how far its evaluation is, with a link that starts or stops it.

    Args:
        compared: The weights.
        measure: What the link does, such as "Measure".
        described: Returns in words what an evaluation that has ended has measured.
    """
    rows = tuple((each.name, *_describe(each, measure, described)) for each in compared)
    return html.table(html.Table("", ("weights", "state", "action"), rows))


def _describe(each: Compared, measure: str, described: Callable[[JobStatus], str]) -> tuple[str, str]:
    start = html.link(measure, f"measure {each.key}".strip(), name=f"{measure} {each.name}")
    stop = html.link("Stop", f"unmeasure {each.key}".strip(), name=f"Stop {each.name}")
    status = each.status
    if each.problem:
        return each.problem, ""
    if status is None:
        return "not measured under these settings", start
    if status.state == WAITING:
        return "waits for another evaluation or search to end", stop
    if status.active:
        bar = html.progress(status.done, status.total, f"Evaluated pictures of {each.name}")
        return bar + f" {status.done:,} of {status.total:,} pictures", stop
    text = " ".join(filter(None, (described(status), name_knobs(status.message))))
    return text, "" if status.state == FINISHED else start
