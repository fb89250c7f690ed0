"""Handlers of events: what they get, what they return, and what a refusal changes."""

import inspect
import json
import math
from types import SimpleNamespace

import gradio as gr
import pytest

from core.config import Config
from core.errors import UserError
from playground.data.picture import render_picture
from playground.events.common import guard, listen, part_updates, read_state, show, state_updates
from playground.events.lessons import go_to
from playground.layout.layout import lay_out
from playground.layout.page_update import PAINT_STAGES, PageUpdate
from playground.lessons.parser import lessons
from playground.lessons.position import LessonPosition
from playground.state.page_state import PageState
from playground.state.settings import config_of, list_changes, settings_of, values_of
from playground.state.user_picture import UserPicture
from playground.state.weight_names import NAME, list_choices
from playground.support.visitors import COOKIE, visitor_of

SMALL = Config.from_flat({"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1})
SENDER = SimpleNamespace(cookies={COOKIE: "secret"})
STATE = PageState("picture", settings=settings_of(SMALL.replace({"inference.image_size": 96})))


@pytest.fixture(scope="module")
def page():
    with gr.Blocks(analytics_enabled=False):
        yield lay_out()


def values_on_page(page) -> list:
    return [getattr(STATE, name) for name in page.state]


def test_every_field_of_an_update_has_a_part_and_a_stage_of_painting(page):
    fields = set(PageUpdate._fields) - {"beside", "postponed"}
    assert set(page.parts) == fields
    painted = [name for stage in PAINT_STAGES for name in stage]
    assert sorted(painted) == sorted(fields)
    assert all(part.props["part"] == name for name, part in page.parts.items())


def test_the_components_hold_the_fields_of_the_state_in_order(page):
    assert tuple(page.state) == PageState._fields[: len(page.state)]
    assert PageState._fields[len(page.state) :] == ("held", "switched", "visitor", "began")
    assert read_state(page, values_on_page(page)) == STATE._replace(began=STATE)


def test_a_handler_gets_state_inputs_and_special_arguments(page):
    def handler(state: PageState, name: str, *, request: gr.Request, event: gr.EventData) -> dict:
        return {"got": (state, name, request, event)}

    guarded = guard(page, handler)
    parameters = inspect.signature(guarded).parameters
    assert [each.annotation for each in parameters.values()][:3] == [gr.Request, gr.Request, gr.EventData]
    known = STATE._replace(visitor=visitor_of(SENDER))
    known = known._replace(began=known)
    assert guarded(SENDER, SENDER, "event", *values_on_page(page), "a") == {"got": (known, "a", SENDER, "event")}


def test_only_what_an_event_has_changed_is_written(page):
    began = read_state(page, values_on_page(page))._replace(settings=settings_of(Config()))
    began = began._replace(began=began)
    changed = began._replace(step="loss", settings=settings_of(Config.from_flat({"loss.gamma": 4})))
    updates = state_updates(page, changed, "step", "pick", "settings")
    text, weights = page.state["settings"], page.knobs["model.weights"]
    assert set(updates) == {page.state["step"], text, page.knobs["loss.gamma"], weights}
    assert json.loads(updates[text]) == {**json.loads(changed.settings), "changed": ["loss.gamma"]}
    assert config_of(updates[text]) == config_of(changed.settings)
    assert state_updates(page, began, "step", "pick", "settings") == {}


def test_another_picture_forgets_what_was_clicked_meanwhile(page):
    began = read_state(page, values_on_page(page))
    other = UserPicture(render_picture(Config().scenes), Config().scenes)
    assert state_updates(page, began._replace(user_picture=other), "user_picture", "pick") == {
        page.state["user_picture"]: other, page.state["pick"]: None,
    }  # fmt: skip


def test_what_an_event_is_about_counts_as_changed_even_if_it_began_with_it(page):
    """As when an answer to an earlier click has changed it since."""
    began = PageState("loss", settings=settings_of(Config()))
    state = began._replace(began=began).setting(Config(), ["loss.gamma"])
    updates = state_updates(page, state, "settings")
    assert json.loads(updates[page.state["settings"]])["changed"] == ["loss.gamma"]
    assert updates[page.knobs["loss.gamma"]] == 2 and page.knobs["loss.alpha"] not in updates


@pytest.mark.parametrize(
    ("sent", "read"), [('{"loss.gamma": 4, "changed": ["x"]}', '{"loss.gamma": 4}'), ("{changed", "{changed")]
)
def test_the_marks_of_an_earlier_event_are_not_read(page, sent, read):
    values = [sent if name == "settings" else getattr(STATE, name) for name in page.state]
    assert read_state(page, values).settings == read


def test_an_answer_that_replaces_everything_writes_all(page):
    state = PageState("loss", settings=settings_of(Config()))
    updates = state_updates(page, state, "step", "pick", "settings")
    assert {page.state["step"], page.state["pick"], *page.knobs.values()} < set(updates)
    assert updates[page.state["settings"]] == state.settings


def test_a_text_of_settings_that_cannot_be_read_counts_as_another(page):
    new = settings_of(Config())
    for old in ("", "{", "[]", "7"):
        assert list_changes(old, new) == list(page.knobs)


def test_only_a_user_error_becomes_a_notice(page):
    def refuse(state: PageState) -> dict:
        raise UserError("Too small: choose a larger one.")

    def fail(state: PageState) -> dict:
        raise ValueError("a defect")

    assert guard(page, refuse)(SENDER, *values_on_page(page)) == {
        page.parts["notice"]: "Too small: choose a larger one."
    }
    with pytest.raises(ValueError, match="a defect"):
        guard(page, fail)(SENDER, *values_on_page(page))


def test_updates_leave_out_what_does_not_change(page):
    updates = part_updates(page, PageUpdate("", figure="{}", beside=True))
    assert set(updates) == {page.parts["notice"], page.parts["figure"], page.side} and updates[page.side].visible
    assert not part_updates(page, PageUpdate("", beside=False))[page.side].visible


def test_new_settings_change_all_knobs(page):
    updates = state_updates(page, STATE, "step", "settings")
    assert updates[page.state["step"]] == "picture" and updates[page.settings] == STATE.settings
    shown = {knob: updates[knob] for knob in page.knobs.values()}
    weights = shown[page.knobs[NAME]]  # a list that names the present weights too
    assert weights.choices == list_choices(STATE.config())
    assert list((shown | {page.knobs[NAME]: weights.value}).values()) == values_of(STATE.config())


@pytest.mark.slow
def test_showing_a_state_hides_the_column_of_settings_that_are_not_pinned(page):
    assert page.side not in show(page, STATE)
    assert not show(page, STATE, "beside")[page.side].visible
    pinned = STATE._replace(pinned="loss.gamma=1&model.weights=random", beside=True)
    assert show(page, pinned, "beside")[page.side].visible


def test_an_event_is_registered_with_the_components_it_may_change(page):
    registered = []
    listen(
        page,
        lambda handler, inputs, outputs, **options: registered.append((inputs, outputs, options)),
        lambda state: {},
        inputs=[page.film],
        changes=["pick", "settings"],
        outputs=[page.film],
        queue=False,
    )
    ((inputs, outputs, options),) = registered
    assert inputs == [*page.state.values(), page.film] and options == {"api_visibility": "undocumented", "queue": False}
    expected = [page.film, page.state["pick"], page.settings, *page.knobs.values(), *page.parts.values(), page.side]
    assert outputs == expected


def test_a_lesson_keeps_the_visitor_who_alone_can_fetch_the_picture(page, monkeypatch):
    shown = []
    monkeypatch.setattr("playground.events.lessons.show", lambda page, state, *changed: shown.append(state) or {})
    position = LessonPosition(next(iter(lessons().values())), 0)
    go_to(page, position, [], STATE._replace(run="x", visitor="somebody"))
    assert (shown[0].run, shown[0].visitor, shown[0].lesson) == ("x", "somebody", position.link)


ODD = (None, True, -1, 10**400, 3.5, "x", "\ud800", "a" * 300, [], [[]], {}, {"a": 1}, math.nan, math.inf)


@pytest.mark.parametrize("name", ["run", "settings", "curve", "p_t", "frame", "dials"])
def test_whatever_the_browser_sends_for_a_field_is_read_or_refused(page, name):
    for odd in ODD:
        values = [
            odd if field == name else value for field, value in zip(page.state, values_on_page(page), strict=True)
        ]
        try:
            state = read_state(page, values)
            state.focus()
            state.config()
        except UserError as error:
            assert len(str(error)) <= 500


@pytest.mark.parametrize("data", [None, 3, "clear", ["clear"], [], True])
def test_an_event_without_fields_has_none(page, data):
    seen = []

    def handler(state: PageState, *, event: gr.EventData) -> dict:
        seen.append(getattr(event, "clear", "nothing"))
        return {}

    guard(page, handler)(SENDER, gr.EventData(None, data), *values_on_page(page))
    assert seen == ["nothing"]
