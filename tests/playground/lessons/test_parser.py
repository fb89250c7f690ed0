"""Lessons are parsed as written, and malformed ones are refused in one sentence."""

import pytest

from playground.lessons.lesson import Claim
from playground.lessons.narration import Narration
from playground.lessons.options import LessonError
from playground.lessons.parser import lessons, read_lesson
from playground.lessons.position import LessonPosition
from playground.lessons.stay import (
    state_at,
)
from playground.server.permalink import from_link
from playground.state.page_state import PageState
from playground.state.settings import settings_of

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


def test_a_wrong_answer_says_why(tmp_path):
    (tmp_path / "01-x.md").write_text(FILE)
    step = read_lesson(tmp_path / "01-x.md").steps[0]
    state = PageState("loss", settings=settings_of(step.config()))
    wrong, right = (Narration(step, state._replace(answer=index)).build_outcome() for index in (0, 1))
    assert wrong.startswith("**Not quite.** This is never so, as ") and "{" not in wrong.partition("\n\n")[0]
    assert right.startswith("**Right.** It is ")
