"""The stability atlas on the page: its map, its axes, its runs, and the links that set the knobs."""

import re
from html import unescape

import pytest

from core.config import Config, ConfigError
from core.experiments.atlas import AXES, BASE, KIND, PRIOR, RATE, build_config, list_places, to_key
from core.experiments.atlas_file import Atlas, shipped_atlas
from core.experiments.atlas_outcome import DIVERGES, LEARNS, STALLS, Run, classify_all
from playground.events.evaluation import follow_link
from playground.server.permalink import from_link, to_link
from playground.server.render import render
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps.atlas import view
from playground.steps.atlas.map import list_rows
from playground.steps.dials import Dials

CE = "cross_entropy"
CELL = re.compile(
    r'<td class="(\w+)"( colspan="\d")?><button [^>]*data-choose="dial atlas ([^"]+)" aria-pressed="(\w+)"'
    r' aria-label="([^"]+)">([^<]+)</button>'
)


def atlas_of(query: str) -> str:
    """Returns the atlas in the training step of a link."""
    update = render(from_link(f"step=training&{query}"))
    assert not update.notice
    return unescape(str(update.more)).partition(view.TITLE)[2]


def run(seed: int, ap50: float | None, *losses: float) -> Run:
    steps = len(losses) if ap50 is not None else 40
    return Run(seed, steps, len(losses), tuple(enumerate(losses, start=1)), ap50)


def test_the_map_has_a_cell_per_place_and_the_dot_at_the_settings():
    cells = CELL.findall(atlas_of("training.optimizer=sgd&training.learning_rate=0.02&model.prior_probability=0.1"))
    assert len(cells) == len(AXES[PRIOR]) * len(AXES[RATE])
    assert [key for _, _, key, _, _, _ in cells][:2] == ["focal,2,0.25,0.01,0.001", "focal,2,0.25,0.01,0.01"]
    (here,) = [cell for cell in cells if "●" in cell[5]]
    assert here[2] == "focal,2,0.25,0.1,0.01" and here[3] == "true" and here[4].endswith(", your settings")
    for outcome, _, key, _, name, text in cells:
        assert outcome == classify_all(shipped_atlas().runs[view.parse_key(key)])
        assert text[0] == {LEARNS: "✓", STALLS: "–", DIVERGES: "✕"}[outcome] and f": {outcome}" in name


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("training.optimizer=adamw", "Your learning rate is AdamW's"),
        ("training.optimizer=sgd&loss.kind=poly1_focal", "no runs with your loss"),
    ],
)
def test_no_place_is_marked_as_the_settings_if_none_is_near(query, says):
    """The atlas' learning rates are SGD's: the same number is another step under another optimizer."""
    text = atlas_of(query)
    assert says in text and "●" not in text and "your settings" not in "".join(cell[4] for cell in CELL.findall(text))


def test_what_is_one_run_is_one_cell():
    """γ does not act under cross-entropy; and balanced cross-entropy is focal loss with γ = 0."""
    rows = list_rows((CE, 2.0, 0.25, 0.01, 0.1), "loss.gamma", KIND)
    by_loss = {row.heading: row.cells for row in rows}
    assert by_loss["cross entropy"] == (((CE, None, None, 0.01, 0.1), 3),)
    assert by_loss["balanced cross entropy"] == ((("focal", 0.0, 0.25, 0.01, 0.1), 3),)
    assert [width for _, width in by_loss["focal"]] == [1, 1, 1]
    (row,) = list_rows((CE, 2.0, 0.25, 0.01, 0.1), RATE, "loss.gamma")
    assert row.heading == "0, 2, 5" and len(row.cells) == len(AXES[RATE])


def test_every_map_shows_runs_that_the_atlas_has():
    for kind in (*AXES[KIND], "poly1_focal"):
        for across in ("loss", "gamma", "alpha", "prior", "rate"):
            for down in ("loss", "gamma", "alpha", "prior", "rate"):
                axes = view.choose_axes(Dials(across=across, down=down))
                assert axes[0] != axes[1]
                values = view.find_values(Config.from_flat({KIND: kind}))
                places = {place for row in list_rows(values, *axes) for place, _ in row.cells}
                assert places <= set(shipped_atlas().runs)


def test_a_loss_that_the_atlas_lacks_is_said():
    assert "no runs with your loss, Poly-1 focal; it is drawn for focal" in atlas_of("loss.kind=poly1_focal")
    assert "no runs with your loss" not in atlas_of("loss.kind=ghm")


@pytest.mark.slow
def test_the_other_settings_of_the_runs_are_said():
    assert "Unlike your settings, the runs have: Heads new," in atlas_of("")
    assert "Weight decay 0.0001" in atlas_of("training.weight_decay=0.05") and "Weight decay" not in atlas_of("")
    assert "NMS" not in atlas_of("inference.nms_threshold=0.3").partition("Unlike your settings")[2]
    place = to_key(list_places()[0])
    state = PageState("training")
    state = state._replace(settings=settings_of(state.config().replace({"training.weight_decay": 0.05})))
    state = follow_link(state, f"repeat {place}")
    assert state.config() == build_config(list_places()[0], 0)
    assert "Unlike your settings" not in atlas_of(to_link(state, state.config()))


def test_runs_of_several_seeds_are_told_apart(monkeypatch):
    place = ("focal", 2.0, 0.25, 0.01, 0.001)
    runs = dict(shipped_atlas().runs) | {
        place: (run(0, 0.3, 4.0, 1.0), run(1, 0.05, 4.0, 2.0), run(2, None, 4.0, 900.0))
    }
    runs[place] = (*runs[place], run(3, 0.25, 4.0, 0.5))
    monkeypatch.setattr(view, "shipped_atlas", lambda: Atlas("", 1.0, BASE, runs))
    text = atlas_of("")
    assert "✓ learns with 2 of 4 seeds, AP50 0.20." in text
    assert text.count("<polyline") == 4 and "seed 2, step 1 → 2" in text and "4 → 900" in text
    assert "--training.seed 0" in text


def test_a_chosen_place_shows_its_run_whatever_the_settings_are():
    text = atlas_of(f"atlas={CE},-,-,0.5,1")
    assert "<h3>cross entropy, π 0.5, learning rate 1</h3>" in text
    assert f"--loss.kind {CE} --model.prior_probability 0.5 --training.learning_rate 1.0" in text


@pytest.mark.parametrize(("query", "opened"), [("", False), (f"atlas={CE},-,-,0.5,1", True), ("across=gamma", True)])
def test_a_link_with_a_choice_opens_the_atlas(query, opened):
    more = str(render(from_link(f"step=training&{query}")).more)
    assert more.partition(f"<summary>{view.TITLE}")[0].endswith("<details open>" if opened else "<details>")


def test_links_set_the_knobs():
    state = PageState("training")
    used = follow_link(state, f"place {CE},-,-,0.5,0.01").config()
    assert used.non_default_values() == {KIND: CE, PRIOR: 0.5, RATE: 0.01}
    place = ("focal", 5.0, 0.75, 0.1, 1.0)
    assert follow_link(state, f"repeat {to_key(place)}").config() == build_config(place, 0)


@pytest.mark.parametrize("link", ["place", "place focal", "repeat ../../etc", "repeat focal,2,0.25,0.01,0.3"])
def test_links_to_no_place_are_refused(link):
    with pytest.raises(ConfigError, match="no such run"):
        follow_link(PageState("training"), link)


def test_the_lesson_says_what_the_atlas_has():
    """Lesson 7: without π nothing is learnt at any of the four rates; with it at three, and the highest diverges."""
    runs = shipped_atlas().runs
    outcomes = {
        prior: [classify_all(runs[CE, None, None, prior, rate]) for rate in AXES[RATE]] for prior in (0.5, 0.01)
    }
    assert outcomes[0.5] == [STALLS] * 4 and outcomes[0.01] == [LEARNS] * 3 + [DIVERGES]
