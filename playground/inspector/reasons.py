"""Why an anchor is foreground, ignored or background, and what an object takes, in words, under each assigner."""

from torch import Tensor

from core.retinanet.assigners.match import FOREGROUND, Closest
from core.retinanet.assigners.simota import Costs, compute_costs, take_cheapest
from playground.pipeline.pipeline import Pipeline

NO_OBJECT = "there is no object"


def explain_anchors(pipeline: Pipeline, anchors: Tensor) -> list[str]:
    """Returns the reason for the assignment of each of some anchors, int64 [A], in a few words."""
    if not len(pipeline.objects[0]):
        return [NO_OBJECT] * len(anchors)
    match = pipeline.match
    if match.closest:
        return [_explain_by_threshold(pipeline, match.closest, anchor) for anchor in anchors.tolist()]
    if match.cheapest:
        costs = compute_costs(pipeline.grid, anchors, pipeline.objects[0], pipeline.view)
        return [_explain_by_cost(pipeline, costs, column, anchor) for column, anchor in enumerate(anchors.tolist())]
    return [_explain_by_iou(pipeline, anchor) for anchor in anchors.tolist()]


def name_object(pipeline: Pipeline, number: int) -> str:
    """Returns the name of an object, such as "leaf 4"."""
    return f"{pipeline.picture.class_names[pipeline.objects[1][number]]} {number + 1}"


def describe_claim(pipeline: Pipeline, number: int) -> list[tuple[str, str]]:
    """Returns what decides which anchors an object takes, as names and values; nothing by max IoU."""
    match = pipeline.match
    if match.closest:
        iou, inside = match.closest.iou[number], match.closest.inside[number]
        threshold = match.closest.threshold[number].item()
        mean = iou.mean().item()
        return [
            ("candidates", str(len(iou))),
            ("of which centred in it", str(int(inside.sum()))),
            ("its own threshold", f"{threshold:.3f}"),
            ("mean IoU + deviation", f"{mean:.3f} + {threshold - mean:.3f}"),
        ]
    if match.cheapest:
        wanted = int(match.cheapest.number[number])
        pairs = [("k, the anchors that it takes", str(wanted))]
        return [*pairs, ("cost of the last of them", _format_cost(match.cheapest.limit[number].item()))][: 1 + wanted]
    return []


def explain_lack(pipeline: Pipeline, number: int) -> str:
    """Returns why ATSS or SimOTA assigns no anchor to an object, in sentences."""
    match = pipeline.match
    if match.closest:
        if match.closest.is_foreground[number].any():
            return f"All anchors that it claims overlap {_name_rivals(pipeline, number)} at least as much."
        if not match.closest.inside[number].any():
            return (
                "ATSS takes only anchors that are centred inside the object, and it lies between the locations of the "
                "finest level, or outside the picture: enlarge the picture, or choose another assigner."
            )
        return (
            "Those of its candidates that are centred inside it do not reach its own threshold: add ratios or scales, "
            "so that anchors in its middle fit it best."
        )
    if match.cheapest and not match.cheapest.number[number]:
        return "No anchor is centred in it or within 2.5 strides of its centre: it lies outside the picture."
    return f"The anchors that it takes cost {_name_rivals(pipeline, number)} no more."


def _name_rivals(pipeline: Pipeline, number: int) -> str:
    """Returns the names of the objects that have got the anchors which an object claims."""
    owners = pipeline.match.object[_list_claimed(pipeline, number)].unique().tolist()
    return " and ".join(name_object(pipeline, owner) for owner in owners)


def _list_claimed(pipeline: Pipeline, number: int) -> Tensor:
    """Returns the anchors that an object claims under ATSS or SimOTA, int64 [A]."""
    closest = pipeline.match.closest
    if closest:
        return closest.anchor[number][closest.is_foreground[number]]
    return take_cheapest(pipeline.grid, pipeline.objects[0], pipeline.view, number).anchor


def _explain_by_iou(pipeline: Pipeline, anchor: int) -> str:
    match, matching = pipeline.match, pipeline.config.matching
    iou = match.iou[anchor].item()
    if bool(match.forced[anchor]):
        return "forced: the best anchor of its object"
    if iou >= matching.fg_iou_threshold:
        return f"from {matching.fg_iou_threshold:g}"
    if iou < matching.bg_iou_threshold:
        return f"below {matching.bg_iou_threshold:g}"
    return f"between {matching.bg_iou_threshold:g} and {matching.fg_iou_threshold:g}"


def _explain_by_threshold(pipeline: Pipeline, closest: Closest, anchor: int) -> str:
    """Returns the reason under ATSS; of several objects whose candidate it is, for the one that it overlaps most."""
    match = pipeline.match
    if int(match.label[anchor]) == FOREGROUND:
        return f"from {closest.threshold[match.object[anchor]].item():.3f}, the object's own threshold"
    rows, columns = (closest.anchor == anchor).nonzero().unbind(dim=1)
    if not len(rows):
        return f"not among the {pipeline.config.matching.atss_topk} of its level closest to an object"
    best = int(closest.iou[rows, columns].argmax())
    number, iou = int(rows[best]), closest.iou[rows[best], columns[best]].item()
    threshold = closest.threshold[number].item()
    if iou < threshold:
        return f"{iou:.3f}, below {threshold:.3f}, the own threshold of {name_object(pipeline, number)}"
    return f"centred outside {name_object(pipeline, number)}"


def _explain_by_cost(pipeline: Pipeline, costs: Costs, column: int, anchor: int) -> str:
    """Returns the reason under SimOTA; for background that of the object to which the anchor costs least."""
    match, cost = pipeline.match, costs.cost[:, column]
    if int(match.label[anchor]) == FOREGROUND:
        number = int(match.object[anchor])
        wanted = _count_wanted(pipeline, number)
        return f"cost {_format_cost(cost[number].item())}, among the {wanted} that cost its object least"
    if not bool(cost.isfinite().any()):
        return "centred in no object, nor near the centre of one"
    number = int(cost.argmin())
    limit = pipeline.match.cheapest.limit[number].item() if pipeline.match.cheapest else 0.0
    name, wanted = name_object(pipeline, number), _count_wanted(pipeline, number)
    if bool(costs.distant[number, column]):
        return f"not both in {name} and near its centre, where the {wanted} that it takes are"
    return f"cost {_format_cost(cost[number].item())} to {name}, the {wanted} that it takes up to {_format_cost(limit)}"


def _count_wanted(pipeline: Pipeline, number: int) -> int:
    return int(pipeline.match.cheapest.number[number]) if pipeline.match.cheapest else 0


def _format_cost(cost: float) -> str:
    return f"{cost:,.3f}" if cost < 1000 else f"{cost:,.0f}"
