"""The cheapest rescues over the pictures of an evaluation: how far their search is, and its table."""

from markupsafe import Markup

from core.config import knobs
from core.io.text import count_noun
from core.rescue.search import COSTLY_STEPS, MAX_SCAN
from core.rescue.totals import KindOfFault, SetRescues
from playground.components import html
from playground.evaluations.keys import MAX_SEARCHED
from playground.evaluations.status import STOPPED, WAITING, JobStatus
from playground.inspector.rescue_report import FAULTS, count_faults, describe, link_move, name_left_out
from playground.support.wording import name_knobs

TITLE = "Cheapest ways out, over these pictures"
START, STOP = "search start", "search stop"  # links
WHAT = (
    "Every other value of each hyperparameter that needs no training is tried in every picture, one at a time, at the "
    "score threshold on the page. So it is counted, not guessed, how many faults a value undoes and what else it gains "
    "or breaks."
)
FEWEST = "What undoes them in the fewest steps"
COLUMNS = ("undoes most", "value", "objects", "false positives")


def search_part(status: JobStatus | None) -> Markup:
    """Returns the search over the pictures of an evaluation: its start, its progress or its table."""
    text = html.heading(TITLE)
    if status is None:
        most = f"It takes a second or more for each of at most {MAX_SEARCHED} pictures."
        return text + html.paragraph(f"{WHAT} {most}") + _links(("Search", START))
    text += html.said(f"The search: {status.state}.")
    if status.state == WAITING:
        waits = html.paragraph("The search waits for another evaluation or search to end.")
        return text + waits + _links(("Stop", STOP))
    if status.active:
        bar = html.progress(status.done, status.total, "Searched pictures")
        done = f"{status.done:,} of {count_noun(status.total, 'picture')} searched …"
        return text + html.paragraph(done) + bar + _links(("Stop", STOP))
    if status.rescues is None or not status.done:
        ended = f"The search {status.state}. {name_knobs(status.message)}".strip()
        return text + html.paragraph(ended) + _links(("Search again", START))
    again = _links(("Search all of them", START)) if status.state == STOPPED else Markup()
    return text + html.paragraph(_summary(status, status.rescues)) + _build_result(status.rescues) + again


def _links(*links: tuple[str, str]) -> Markup:
    return html.tabs(TITLE, [html.link(text, choose) for text, choose in links])


def _summary(status: JobStatus, found: SetRescues) -> str:
    of = f" of {status.total:,}" if status.state == STOPPED else ""
    text = f"{count_noun(found.pictures, 'picture')}{of}, {count_noun(len(found.tried), 'other value')}. "
    if left_out := status.done - found.pictures:
        text += f"{count_noun(left_out, 'picture')} could not be used. "
    if not found.pictures:
        return text.strip()
    if not found.kinds:
        return f"{text}There is no fault: every object is found, and nothing else."
    return (
        f"{text}A row “or” has the value that undoes most without harm: in all no fewer objects are found, and there "
        "are no more false positives. A click on a value applies it."
    )


def _build_result(found: SetRescues) -> Markup:
    """Returns the table of a search that has found faults, and what undoes each kind in the fewest steps."""
    if not found.kinds:
        return Markup()
    table = html.table(html.Table("", COLUMNS, tuple(row for kind in found.kinds for row in _rows(kind))))
    items = html.join(Markup("<li>{}</li>").format(_describe(kind)) for kind in found.kinds)
    about = Markup("<ul>{}</ul>").format(items) + html.paragraph(_describe_scales(found))
    return table + html.details(FEWEST, about, opened=True)


def _describe(kind: KindOfFault) -> str:
    """Returns how many faults of a kind are undone at all, and by what in the fewest steps."""
    by = ", ".join(f"“{knobs()[path].label}” {count:,}" for path, count in kind.cheapest.items())
    return f"{FAULTS[kind.kind]}: {kind.undone:,} of {kind.faults:,}{f', by {by}' if by else ''}"


def _describe_scales(found: SetRescues) -> str:
    return (
        f"Scales of over {MAX_SCAN} steps are tried at distances that double, and what needs the network again at most "
        f"{COSTLY_STEPS} steps away.{name_left_out(found.left_out)}"
    )


def _rows(kind: KindOfFault) -> list[tuple[str, ...]]:
    """Returns the rows of a kind of fault: the value that undoes most, and perhaps one without harm."""
    of = f"of {count_faults(kind.kind, kind.faults)}"
    if not kind.best:
        return [(f"0 {of}", "none that was tried in all" if kind.undone else "none that was tried", "", "")]
    rows: list[tuple[str, ...]] = []
    for number, each in enumerate(kind.best):
        undone = f"{each.undone[kind.kind]:,}"
        name = f"or {undone}" if number else f"{undone} {of}"
        rows.append((name, link_move(each.move, each.before), *describe(each.change)))
    return rows
