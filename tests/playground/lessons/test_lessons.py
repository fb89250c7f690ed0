"""Lessons are parsed as written, and their claims are true for the built-in weights."""

import json
from dataclasses import replace

import pytest

from core.config import Config, knobs
from core.errors import UserError
from playground.data.image_ref import ImageRef
from playground.data.picture import render_picture
from playground.events.lessons import link_to, recall
from playground.lessons.lesson import Claim
from playground.lessons.narration import PLACEHOLDER, Check, Narration
from playground.lessons.options import LessonError
from playground.lessons.page_effects import apply_layers, build_lesson_state
from playground.lessons.panel import build_contents, filter_seen
from playground.lessons.parser import lessons, read_lesson
from playground.lessons.position import LessonPosition, all_links, move, parse_course
from playground.lessons.quantities import QUANTITIES, format_quantity
from playground.lessons.stay import (
    BACK_AGAIN,
    BACK_IN_PART,
    GONE,
    STAY,
    answer_question,
    come_back,
    keep_picture,
    state_at,
)
from playground.lessons.teacher import HIDE
from playground.lessons.way import GO, build_map, format_minutes
from playground.server.permalink import HIDEABLE, from_link, read_course, to_link, unknown_names
from playground.server.render import render
from playground.state.page_state import NOT_SHARED, PageState
from playground.state.settings import settings_of
from playground.state.user_picture import UserPicture
from playground.steps import STEPS

ALL = [(key, index) for key, lesson in lessons().items() for index in range(len(lesson.steps))]
FILE = """# A title
About it.
- core

## One
- show: loss
- look: figure, readout
- veil: more
- needs: training.steps
- layers: truth, -loss
- set: loss.gamma = 1
- then: matching.fg_iou_threshold = 0.7
- set: anchors.ratios = 0.5,1
- controls: example

Text with {foreground} and $\\mathrm{IoU}$.

? What
happens?
- this
  or so
  ~ This is never so,
  as {foreground} says.
- that *

! It is {ignored}.
More of it.

= foreground < 3
  ~ there are many objects.
= ignored >= before.ignored

## Two
- show: picture
- set: loss.alpha = 0.5
- knobs: loss.gamma, loss.alpha

Plain.

## What you have seen
- summary

Much.
"""
DRAWN = FILE.replace("- show: picture", "- show: loss\n- draw: curve\n- then: loss.gamma = 4").replace(
    "Plain.", "Plain.\n\n? How does it go?\n\n! So."
)


def test_there_are_at_least_eight():
    assert len(lessons()) >= 8 and next(iter(lessons())) == "dense"


def test_reading_by_hand(tmp_path):
    (tmp_path / "03-some-key.md").write_text(FILE)
    lesson = read_lesson(tmp_path / "03-some-key.md")
    assert (lesson.key, lesson.title, lesson.about) == ("some-key", "A title", "About it.")
    assert lesson.core and 0 < lesson.minutes < 2
    one, two, last = lesson.steps
    assert last.is_summary and last.show == "picture" and last.text == "Much." and not one.is_summary
    assert one.look == ("figure", "readout") and one.veil == ("more",) and one.needs == ("training.steps",)
    assert one.layers == {"truth": True, "loss": False} and two.look == two.veil == ()
    assert one.initial_changes == ("loss.gamma", "anchors.ratios") and two.initial_changes == ("loss.alpha",)
    assert two.before == {"loss.alpha": 0.25} and one.before == {"matching.fg_iou_threshold": 0.5}
    assert (one.title, one.show, one.question) == ("One", "loss", "What happens?")
    assert one.answers == ("this or so", "that") and one.right == 1 and one.num_choices == 2
    assert one.reasons == ("This is never so, as {foreground} says.", "") and two.num_choices == 0
    assert one.knobs == ("loss.gamma", "anchors.ratios", "matching.fg_iou_threshold") and one.controls == ("example",)
    assert two.knobs == ("loss.gamma", "loss.alpha") and one.draw == two.draw == ""
    assert one.reveal == "It is {ignored}.\nMore of it."
    many = "there are many objects."
    assert one.claims == (Claim("foreground", "<", "3", many), Claim("ignored", ">=", "before.ignored"))
    assert two.config().loss.gamma == 1 and two.config().loss.alpha == 0.5  # settings add up
    assert one.initial_config().matching.fg_iou_threshold == 0.5
    assert one.answer_changes == ("matching.fg_iou_threshold",)
    assert one.config().matching.fg_iou_threshold == two.initial_config().matching.fg_iou_threshold == 0.7
    assert two.config().anchors.ratios == (0.5, 1.0) and two.question == "" and two.text == "Plain."


@pytest.mark.parametrize(
    ("line", "says"),
    [("- compare: prior", "only a step that shows training"), ("- curve: bell", "none of loss, "),
     ("- show: training\n- compare: nothing", "only one of loss, "), ("- look: sky", "none of picture, strip"),
     ("- veil: everything", "none of picture, strip"), ("- needs: loss.beta", "'loss.beta', which is none of"),
     ("- wish: more", "it must be one of show"), ("- show: [a", "malformed options"),
     ("- draw: dragons", "none of curve"),
     ("- knobs: loss.beta", "the option 'knobs' twice"), ("- controls: lever", "'lever', which is none of"),
     ("- summary", "only the last step")],
)  # fmt: skip
def test_options_that_are_not_allowed_are_refused(tmp_path, line, says):
    options = line if line.startswith("- show") else f"- show: picture\n{line}"
    (tmp_path / "01-x.md").write_text(FILE.replace("- show: picture", options))
    with pytest.raises(LessonError, match=says):
        read_lesson(tmp_path / "01-x.md")


def test_a_step_chooses_a_curve_or_a_comparison(tmp_path):
    text = FILE.replace("- show: loss", "- show: loss\n- curve: slope by the logit")
    (tmp_path / "01-x.md").write_text(text.replace("- show: picture", "- show: training\n- compare: gamma"))
    one, two, last = read_lesson(tmp_path / "01-x.md").steps
    assert (last.curve, last.compare, last.show) == ("loss", "", "training")
    assert (one.curve, one.compare) == ("slope by the logit", "")
    assert (two.curve, two.compare) == ("loss", "gamma")


@pytest.mark.parametrize(
    ("old", "new"),
    [("- show: loss", ""), ("that *", "that"), ("or so", "or so *"), ("= foreground < 3", "= foreground is 3"),
     ("loss.gamma = 1", "loss.gamma 1"), ("About it.", ""), ("Much.", "? Much?\n- yes *\n- no"),
     ("What\nhappens?", "What\nhappens?\n  ~ Nothing."), ("Plain.", "? Why?"),
     ("loss.gamma, loss.alpha", "loss.beta"), ("  ~ This is never so,\n  as {foreground} says.\n", "")],
)  # fmt: skip
def test_a_malformed_file_is_refused(tmp_path, old, new):
    (tmp_path / "01-x.md").write_text(FILE.replace(old, new))
    with pytest.raises(LessonError, match=r"01-x\.md"):
        read_lesson(tmp_path / "01-x.md")


def test_an_answer_can_be_drawn(tmp_path):
    (tmp_path / "01-x.md").write_text(DRAWN)
    two = read_lesson(tmp_path / "01-x.md").steps[1]
    assert (two.draw, two.question, two.answers, two.num_choices) == ("curve", "How does it go?", (), 1)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [("? How does it go?", "", "needs a question"), ("- show: loss\n- draw", "- show: picture\n- draw", "show: loss"),
     ("- draw: curve", "- draw: boxes", "show: detections"), ("- then: loss.gamma = 4", "", "shows the answer"),
     ("? How does it go?", "? How does it go?\n- so *\n- not so", "without answers")],
)  # fmt: skip
def test_a_drawing_that_cannot_be_made_is_refused(tmp_path, old, new, says):
    (tmp_path / "01-x.md").write_text(DRAWN.replace(old, new))
    with pytest.raises(LessonError, match=says):
        read_lesson(tmp_path / "01-x.md")


def test_a_step_that_shows_the_answer_is_refused(tmp_path):
    bare = FILE.replace("- then: matching.fg_iou_threshold = 0.7\n", "")
    (tmp_path / "01-x.md").write_text(bare)
    assert read_lesson(tmp_path / "01-x.md").steps[0].veil == ("more",)
    (tmp_path / "01-x.md").write_text(bare.replace("- veil: more\n", ""))
    with pytest.raises(LessonError, match="shows the answer to its question"):
        read_lesson(tmp_path / "01-x.md")


@pytest.mark.parametrize(("key", "index"), ALL)
def test_every_step_is_right(key, index):
    """It names existing steps, settings and quantities, and its claims hold."""
    lesson = lessons()[key]
    step = lesson.steps[index]
    assert step.text and step.show in STEPS and set(step.settings) <= set(knobs())
    for text in (step.text, step.question, *step.answers, step.reveal):
        assert set(PLACEHOLDER.findall(text)) <= set(QUANTITIES)
    for claim in step.claims:
        assert set(claim.names) <= set(QUANTITIES)
    here, told = at(key, index), at(key, index, max(0, step.right) if step.question else None)
    question, answers = here.build_question()
    for said in (here.build_text(), question, *answers, told.build_text(), told.build_outcome()):
        assert not PLACEHOLDER.search(said.replace("\\mathrm", "").replace("\\frac", "")) and ">–<" not in said
    assert here.list_changes() == told.list_changes() == ()
    checks = told.check_claims()
    assert len(checks) == len(step.claims)
    for check in checks:
        assert check.is_true, check.explain("Here")


def at(key: str, index: int, answer: int | None = None) -> Narration:
    """Returns the narration of a step, after an answer if there is one."""
    place = LessonPosition(lessons()[key], index)
    state = state_at(place)
    return Narration(place.lesson.steps[index], state if answer is None else answer_question(state, str(answer)))


@pytest.mark.parametrize("key", lessons())
def test_every_lesson_asks_before_it_tells_and_claims_something(key):
    steps = lessons()[key].steps
    assert any(step.question for step in steps) and any(step.claims for step in steps) and steps[-1].is_summary
    for index, step in enumerate(steps):
        if step.question:
            assert at(key, index).build_outcome() == "" and at(key, index).check_claims() == []
            if step.draw:
                assert at(key, index, 0).build_outcome()
                continue
            assert at(key, index, step.right).build_outcome().startswith("**Right.**")
            assert at(key, index, (step.right + 1) % len(step.answers)).build_outcome().startswith("**Not quite.**")


def test_the_text_after_the_answer_follows_the_page():
    """A knob moved after the answer changes the text after it and the claims, but not the text before it."""
    place = LessonPosition(lessons()["assignment"], 1)
    told = answer_question(state_at(place), "0")
    assert told.config().matching.fg_iou_threshold == 0.3
    before = Narration(place.lesson.steps[1], told)
    strict = told._replace(settings=settings_of(told.config().replace({"matching.fg_iou_threshold": 0.9})))
    after = Narration(place.lesson.steps[1], strict)
    assert before.format_numbers()["text.foreground"] == after.format_numbers()["text.foreground"]
    assert int(after.format_numbers()["told.foreground"]) < int(before.format_numbers()["told.foreground"])
    assert after.list_changes() == ("Foreground IoU threshold 0.3 → 0.9",) and before.list_changes() == ()
    assert [check.is_true for check in before.check_claims()] == [True, True]
    assert [check.is_true for check in after.check_claims()] == [False, False]
    question, checks = build_lesson_state(strict)
    assert json.loads(question)["numbers"] == after.format_numbers() and "Foreground IoU threshold 0.3 → 0.9" in checks


def test_the_text_before_the_answer_follows_another_scene():
    """Only the changes of the answer are undone for the text before it."""
    place = LessonPosition(lessons()["assignment"], 1)
    told = answer_question(state_at(place), "0")
    other = told._replace(settings=settings_of(told.config().replace({"scenes.seed": 4})))
    before, after = (Narration(place.lesson.steps[1], each).format_numbers() for each in (told, other))
    alone = state_at(place).config().replace({"scenes.seed": 4})
    fresh = Narration(place.lesson.steps[1], state_at(place)._replace(settings=settings_of(alone)))
    assert before["text.foreground"] != after["text.foreground"] == fresh.format_numbers()["text.foreground"]


def test_a_number_that_cannot_be_computed_is_a_dash():
    place = LessonPosition(lessons()["focal"], 4)
    broken = state_at(place).config().replace({"model.depth": 50})  # the built-in weights are a ResNet-18
    telling = Narration(place.lesson.steps[4], state_at(place)._replace(settings=settings_of(broken), answer=0))
    assert set(telling.format_numbers().values()) == {"–"}
    assert [check.is_true for check in telling.check_claims()] == [False]
    said = "Here, what the lesson says of “effective anchors” cannot be checked under these settings."
    assert telling.explain_failures() == [said]


def test_a_claim_that_fails_says_so_in_words():
    claim = Claim("foreground", "<", "before.foreground", "the objects are large.")
    said = Check(claim, 40, 20).explain("On your picture")
    assert said == "On your picture it is different: “foreground” is 40, not below 20 as before; the objects are large."
    said = Check(Claim("foreground", "<=", "ignored"), 1234, 20).explain("Here")
    assert said == "Here it is different: “foreground” is 1,234, above 20, “ignored”."
    assert Check(Claim("share_of_foreground", "==", "1"), 0.5, 1).explain("Here").endswith("is 50%, not 100%.")


def test_a_wrong_answer_says_why(tmp_path):
    (tmp_path / "01-x.md").write_text(FILE)
    step = read_lesson(tmp_path / "01-x.md").steps[0]
    state = PageState("loss", settings=settings_of(step.config()))
    wrong, right = (Narration(step, state._replace(answer=index)).build_outcome() for index in (0, 1))
    assert wrong.startswith("**Not quite.** This is never so, as ") and "{" not in wrong.partition("\n\n")[0]
    assert right.startswith("**Right.** It is ")


def test_a_change_whose_knob_is_out_of_sight_is_told():
    step = lessons()["anchors"].steps[1]
    assert "model.heads" in step.answer_changes and "model.heads" not in step.knobs
    told = at("anchors", 1, step.right).build_outcome()
    assert "The lesson also changes Heads from loaded to new." in told and "Aspect ratios from" not in told


def test_only_valid_answers_count():
    place = LessonPosition(lessons()["focal"], 1)
    for choice in (None, 7, "3", "-1", "x", ["0"], {}):
        assert answer_question(state_at(place), choice) is None
    told = answer_question(state_at(place), "1")
    assert told.answer == 1 and told.config().loss.gamma == 2 and answer_question(told, "2") is None
    assert answer_question(state_at(place)._replace(lesson=""), "0") is None


def test_the_answer_is_hidden_until_it_is_given():
    """The answer to a question comes from the settings that it changes, or is hidden."""
    for key, index in ALL:
        place = LessonPosition(lessons()[key], index)
        step = place.lesson.steps[index]
        state = json.loads(build_lesson_state(state_at(place))[0])
        assert step.show in state["needs"] and set(step.settings) <= set(state["needs"])
        if step.question:
            assert step.veil or step.answer_changes
            assert state["veil"] == list(step.veil) and state["right"] is None
            after = json.loads(build_lesson_state(answer_question(state_at(place), "0"))[0])
            assert after["veil"] == [] and after["right"] == step.right and after["chosen"] == 0


def test_outside_of_lessons_the_page_stays_as_it_is():
    assert build_lesson_state(PageState("loss")) == ('{"link": ""}', "")


def test_a_step_switches_layers():
    place = LessonPosition(lessons()["assignment"], 0)
    state = state_at(place)
    look = STEPS["assignment"].build_view(state.pipeline(), state.focus())
    usual, wanted = ({each.key: each.visible for each in one.layers} for one in (look, apply_layers(look, state)))
    assert not usual["ignored"] and wanted == {**usual, "ignored": True}
    assert (
        apply_layers(look, state._replace(step="loss")) is look
        and apply_layers(look, state._replace(lesson="")) is look
    )


def test_the_lessons_take_less_than_an_hour():
    """Estimated from words and steps; the short course takes about a third of it."""
    core = [lesson for lesson in lessons().values() if lesson.core]
    assert sum(lesson.minutes for lesson in lessons().values()) < 50 and sum(lesson.minutes for lesson in core) < 16
    assert {"cross-entropy", "focal", "alpha-gamma-pi"} <= {lesson.key for lesson in core}
    assert format_minutes(*core) in build_contents(state_at(LessonPosition(lessons()["dense"], 0)), []).text


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
    assert keep_picture(step, outside) is None
    kept = keep_picture(step, outside._replace(user_picture=own))
    assert kept.is_shown(step.initial_config()) and not kept.aside
    assert keep_picture(step, outside._replace(user_picture=own, lesson="")).aside  # the lesson begins with its scene
    assert empty.initial_config().scenes != scenes and keep_picture(empty, outside._replace(user_picture=own)).aside
    assert keep_picture(step, outside._replace(user_picture=own, settings='{"loss.gamma": -5}')).aside


def test_the_teachers_panel_offers_what_a_link_can_hide():
    assert set(HIDE) <= set(HIDEABLE)


def test_hidden_parts_are_no_settings():
    assert from_link("hide=training,loss.gamma").config() == Config()


def test_a_lesson_is_shown_with_its_step():
    place = LessonPosition(lessons()["focal"], 1)
    step = place.lesson.steps[1]
    shown_page = render(PageState(step.show, lesson=place.link))
    assert shown_page.notice == "" and "lesson=focal.2" in shown_page.strip
    shown = build_contents(state_at(place), [place.link])
    assert "One factor" not in shown.title and "Turn it up" in shown.title and "1 of " in shown.map
    assert "γ goes from 0 to 2" in shown.text and shown.outcome == ""
    told = build_contents(answer_question(state_at(place), "2"), []).outcome
    assert told.startswith("**Right.**") and "lesson-set" not in told and "0.25</span>" in told


@pytest.mark.parametrize("said", [None, 5, "focal.1", {"a": 1}, [["x"], 3, None, "no.1"]])
def test_seen_steps_from_the_browser_can_be_anything(said):
    assert filter_seen(said) == []
    assert filter_seen(["focal.2", "focal.1", "focal.2", 7]) == ["focal.1", "focal.2"]


def test_numbers_are_short():
    written = ["12,276", "0.01", "3", "1,234", "0.457", "0.00001"]
    assert [format_quantity("anchors", each) for each in (12276, 0.0100001, 3.0, 1234.5, 0.4567, 1e-5)] == written
    assert [format_quantity("share_of_foreground", each) for each in (1.0, 0.4567, 0.0036)] == ["100%", "46%", "0.4%"]


@pytest.mark.parametrize("key", lessons())
def test_steps_are_short_and_end_in_a_summary(key):
    """At most ninety words before the question; each wrong answer has a reason, and each lesson a summary."""
    *steps, last = lessons()[key].steps
    assert last.is_summary and last.title == "What you have seen" and not any(step.is_summary for step in steps)
    for step in lessons()[key].steps:
        assert len(step.text.split()) <= 90, step.title
        for index, reason in enumerate(step.reasons):
            assert bool(reason) == (index != step.right), step.title


def test_the_core_comes_in_its_order_and_the_new_lessons_follow():
    keys = list(lessons())
    assert keys[-3:] == ["average-precision", "box-regression", "questions"] and len(keys) == 13


def test_a_step_sets_the_dials_of_its_figure(tmp_path):
    text = FILE.replace("- show: picture", "- show: detections\n- dials: graph = ap, counted = 3")
    (tmp_path / "01-x.md").write_text(text)
    dials = [step.dials for step in read_lesson(tmp_path / "01-x.md").steps]
    assert dials == ["", *["graph=ap&counted=3"] * 2]  # the summary shows what the step before it showed
    (tmp_path / "01-x.md").write_text(text.replace("counted = 3", "counted = many"))
    with pytest.raises(LessonError, match="sets a dial"):
        read_lesson(tmp_path / "01-x.md")
    place = LessonPosition(lessons()["average-precision"], 0)
    assert state_at(place).focus().dials.counted == 3
    assert from_link(f"lesson={place.link}&counted=*").focus().dials.counted == 1
