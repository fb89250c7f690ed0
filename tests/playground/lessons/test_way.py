"""The way through the lessons: links, the map, what a teacher picks, and what comes back afterwards."""

import json
from dataclasses import replace

import gradio as gr
import pytest

from core.config import Config
from core.errors import UserError
from playground.data.image_ref import ImageRef
from playground.data.picture import render_picture
from playground.events.lessons import link_to, recall
from playground.layout.header import build_header
from playground.lessons.panel import build_contents
from playground.lessons.parser import lessons
from playground.lessons.position import LessonPosition, all_links, move, parse_course
from playground.lessons.stay import (
    BACK_AGAIN,
    BACK_IN_PART,
    GONE,
    STAY,
    answer_question,
    come_back,
    is_own_picture_shown,
    keep_picture,
    state_at,
)
from playground.lessons.teacher import HIDE, teacher_panel
from playground.lessons.way import GO, build_map, format_minutes
from playground.server.opening import HIDEABLE, unknown_names
from playground.server.permalink import from_link, read_course, to_link
from playground.state.page_state import NOT_SHARED, PageState
from playground.state.settings import settings_of
from playground.state.user_picture import UserPicture
from playground.steps import STEPS

ALL = [(key, index) for key, lesson in lessons().items() for index in range(len(lesson.steps))]


@pytest.mark.parametrize(("key", "index"), ALL)
def test_links_lead_back(key, index):
    place = LessonPosition(lessons()[key], index)
    step = lessons()[key].steps[index]
    assert LessonPosition.from_link(place.link) == place
    state = state_at(place)
    assert to_link(state, step.initial_config()) == f"lesson={place.link}"  # nothing else is needed
    assert from_link(f"lesson={place.link}") == state and state.config() == step.initial_config()
    told = from_link(to_link(state, step.config()))
    assert told.config() == step.config() and told.lesson == place.link
    if step.question:
        last = step.num_choices  # a drawing is the only answer of its step
        after = answer_question(state, str(last - 1))
        assert to_link(after, after.config()) == f"lesson={place.link}&answer={last}"
        assert from_link(f"lesson={place.link}&answer={last}") == after
    changed = step.config().replace({"loss.box_weight": 7})
    elsewhere = from_link(to_link(state._replace(step="picture"), changed))
    assert elsewhere.step == "picture" and elsewhere.config() == changed


@pytest.mark.parametrize("link", ["nothing.1", "focal", "focal.0", "focal.99", "focal.x"])
def test_a_link_to_no_step_is_refused(link):
    with pytest.raises(UserError, match="lesson = "):
        from_link(f"lesson={link}")


@pytest.mark.parametrize("answer", ["0", "4", "x", "²", "99999999999"])
def test_a_link_to_no_answer_is_refused(answer):
    with pytest.raises(UserError, match=r"answer = .* has 3 answers"):
        from_link(f"lesson=focal.2&answer={answer}")
    with pytest.raises(UserError, match="answer = "):
        from_link("answer=1")


def test_moving_through_all_lessons():
    place = LessonPosition(lessons()["dense"], 0)
    seen = [place]
    while following := move(seen[-1], 1):
        seen.append(following)
    assert [(each.lesson.key, each.number) for each in seen] == ALL
    assert move(seen[0], -1) is None and move(seen[5], -1) == seen[4]


def test_moving_through_the_steps_that_a_teacher_picks():
    course = parse_course("focal.2, dense.1,focal.2,")
    assert course == ("focal.2", "dense.1")
    first, last, other = map(LessonPosition.from_link, ("focal.2", "dense.1", "focal.3"))
    assert move(first, 1, course) == last and move(last, 1, course) is None and move(first, -1, course) is None
    assert move(other, -1, course) == first and move(other, 1, course) == LessonPosition(lessons()["focal"], 3)
    contents = build_contents(state_at(last), ["dense.1"], course)
    assert contents.onward == "Skip" and "step 2 of 2" in contents.title and "1 of 2 steps seen" in contents.map
    assert contents.has_previous and contents.map.count("data-choose") == 2
    told = build_contents(answer_question(state_at(last), "0"), [], course)
    assert told.onward == "Finish" and told.is_answered


@pytest.mark.parametrize(("course", "read"), [("", ()), ("focal.1,dense.2", ("focal.1", "dense.2")), ("focal.99", ())])
def test_a_link_picks_steps(course, read):
    query = f"lesson=focal.1&course={course}"
    assert read_course(query) == read and from_link(query).lesson == "focal.1"
    assert ("does not exist" in unknown_names(query)) == (course == "focal.99")


def test_the_map_shows_all_steps_and_what_was_seen():
    shown = build_map("focal.2", ["dense.1", "focal.1"])
    assert f"Map · 2 of {len(ALL)} steps seen" in shown and shown.count('aria-label="seen"') == 2
    assert all(f'data-choose="{GO}{link}"' in shown for link in all_links()) and shown.count("aria-current") == 1
    assert all(format_minutes(each) in shown for each in lessons().values())


def test_going_on_waits_for_the_answer():
    place = LessonPosition(lessons()["focal"], 1)
    asked, told = state_at(place), answer_question(state_at(place), "1")
    assert (build_contents(asked, []).onward, build_contents(asked, []).is_answered) == ("Skip", False)
    assert (build_contents(told, []).onward, build_contents(told, []).is_answered) == ("Next", True)
    end = LessonPosition(lessons()["dense"], len(lessons()["dense"].steps) - 1)
    assert build_contents(state_at(end), []).onward == "Next lesson"
    last = LessonPosition.from_link(all_links()[-1])
    state = state_at(last) if not last.step.question else answer_question(state_at(last), "0")
    assert build_contents(state, []).onward == "Finish"


def test_leaving_brings_back_what_may_still_be_shown():
    step = state_at(LessonPosition(lessons()["focal"], 0))._replace(run="abc", visitor="me")
    own = PageState("anchors", settings=settings_of(Config.from_flat({"loss.gamma": 4})), visitor="me")
    assert come_back(step, own) == (own._replace(run="abc"), BACK_AGAIN)
    assert come_back(step, own._replace(began=step))[0].began is None  # otherwise it would count as late
    back, message = come_back(step, None)
    assert (back.lesson, back.settings, message) == ("", step.settings, STAY)
    picture = replace(render_picture(Config().scenes), is_scene=False)
    deleted = UserPicture(picture, Config().scenes, ImageRef("my-0123456789abcdef", "all"))
    back, message = come_back(step, own._replace(user_picture=deleted))
    assert (back.step, back.user_picture) == ("anchors", None) and message == f"{BACK_IN_PART} {NOT_SHARED}"
    assert come_back(step, own, "A knob is gone.")[1] == f"{BACK_IN_PART} A knob is gone."
    elsewhere = settings_of(Config.from_flat({"model.weights": "/elsewhere/weights.pt"}))
    back, message = come_back(step, own._replace(settings=elsewhere))
    assert (back.lesson, back.settings) == ("", step.settings) and message.startswith(GONE)


def test_after_a_reload_a_link_brings_back_what_was_before_the_lessons():
    own = PageState(
        "anchors", settings=settings_of(Config.from_flat({"loss.gamma": 4})), level=2, pinned="loss.alpha=0.5"
    )
    reloaded = from_link("lesson=focal.2&answer=1")._replace(visitor="me", run="abc")
    back, missing = recall(reloaded, link_to(own))
    assert (back.step, back.config().loss.gamma, back.level, back.pinned) == ("anchors", 4, 2, "loss.alpha=0.5")
    assert not missing
    assert (back.lesson, back.answer, back.run, back.visitor) == ("", None, "abc", "me")
    for link in ("", None, 7, ["step=loss"], "lesson=dense.1", link_to(own._replace(settings='{"loss.gamma": -5}'))):
        assert recall(reloaded, link) == (None, "")
    back, missing = recall(reloaded, "step=anchors&loss.gamma=-5")
    assert back.config() == Config() and missing.startswith("The link was not followed. “γ (focusing)”")
    back, missing = recall(reloaded, "step=anchors&data=upload&loss.gamma=4")
    assert back.config().loss.gamma == 4 and "was not saved" in missing


def test_a_picture_chosen_within_the_lessons_stays():
    picture = replace(render_picture(Config().scenes), is_scene=False)
    step, empty = lessons()["focal"].steps[0], lessons()["imbalance"].steps[2]
    outside = state_at(LessonPosition(lessons()["focal"], 0))
    scenes = outside.config().scenes
    own = UserPicture(picture, scenes)
    assert keep_picture(outside) is None
    kept = keep_picture(outside._replace(user_picture=own))
    assert kept.is_shown(step.initial_config()) and not kept.aside
    assert keep_picture(outside._replace(user_picture=own, lesson="")).aside  # the lesson begins with its scene
    assert empty.initial_config().scenes != scenes
    hidden = keep_picture(outside._replace(user_picture=own))
    assert not hidden.is_shown(empty.initial_config()) and not hidden.aside
    assert keep_picture(outside._replace(user_picture=own, settings='{"loss.gamma": -5}')).aside


def walk(picture: UserPicture, steps: list) -> list[PageState]:
    """Returns the states of all steps when the picture is chosen in the first one."""
    states = [state_at(steps[0])._replace(user_picture=picture)]
    for position in steps[1:]:
        states.append(state_at(position)._replace(user_picture=keep_picture(states[-1])))
    return states


@pytest.mark.parametrize("image_ref", [None, ImageRef("my-0123456789abcdef", "all", 1)])
def test_a_picture_is_on_show_in_all_steps_but_those_about_certain_scenes(image_ref):
    scenes = Config().scenes
    own = UserPicture(replace(render_picture(scenes), is_scene=False), scenes, image_ref)
    steps = [LessonPosition.from_link(link) for link in all_links()]
    others = [each for each in steps if each.step.initial_config().scenes != scenes]
    assert {each.link for each in others} == {"imbalance.3", "imbalance.4"}
    states = walk(own, steps)
    assert [each.lesson for each in states if not is_own_picture_shown(each)] == [each.link for each in others]
    back = walk(own, steps[::-1])
    assert {each.lesson for each in back if not is_own_picture_shown(each)} == {each.link for each in others}


def test_another_scene_that_the_reader_chooses_within_the_lessons_stays():
    scenes = Config().scenes
    own = UserPicture(replace(render_picture(scenes), is_scene=False), scenes)
    before = state_at(LessonPosition.from_link("imbalance.3"))._replace(user_picture=own)
    assert not keep_picture(before).aside
    moved = settings_of(before.config().replace({"scenes.seed": 5}))
    assert keep_picture(before._replace(settings=moved)).aside


def test_the_teachers_panel_offers_what_a_link_can_hide():
    offered = json.loads(teacher_panel().value)["hide"]
    assert {key for key, _ in offered} == {*STEPS, *HIDE} and set(HIDE) <= set(HIDEABLE)
    assert unknown_names(f"hide={','.join(key for key, _ in offered)}") == ""


def test_the_teachers_panel_names_the_ways_out_of_a_lesson_as_the_page_does():
    with gr.Blocks() as blocks:
        build_header()
    labels = {each.elem_id: each.value for each in blocks.blocks.values() if isinstance(each, gr.Button)}
    assert {"explore", "my-pictures"} <= set(HIDE)
    assert {key: text for key, text in HIDE.items() if key in labels and labels[key] != text} == {}


def test_hidden_parts_are_no_settings():
    assert from_link("hide=training,loss.gamma").config() == Config()
