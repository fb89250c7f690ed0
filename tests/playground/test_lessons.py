"""Lessons read as they are written, and what they claim is true of the computed numbers, under the shipped weights."""

import pytest

from core.config import Config, knobs
from playground.asked import Asked
from playground.lessons.events import asked_at
from playground.lessons.lesson import Claim
from playground.lessons.panel import Place, contents, following, known, moved
from playground.lessons.quantities import QUANTITIES, shown
from playground.lessons.reading import LessonError, lessons, read_lesson
from playground.lessons.telling import NAMED, checks_of, opening_of, outcome_of
from playground.link import from_link, to_link
from playground.show import show
from playground.steps import STEPS

ALL = [(key, index) for key, lesson in lessons().items() for index in range(len(lesson.steps))]
FILE = """# A title
About it.

## One
- show: loss
- set: loss.gamma = 1
- then: matching.fg_iou_threshold = 0.7
- set: anchors.ratios = 0.5,1

Text with {foreground} and $\\mathrm{IoU}$.

? What
happens?
- this
- that *

! It is {ignored}.
More of it.

= foreground < 3
= ignored >= before.ignored

## Two
- show: picture
- set: loss.alpha = 0.5

Plain.
"""


def test_there_are_at_least_eight():
    assert len(lessons()) >= 8 and next(iter(lessons())) == "dense"


def test_reading_by_hand(tmp_path):
    (tmp_path / "03-some-key.md").write_text(FILE)
    lesson = read_lesson(tmp_path / "03-some-key.md")
    assert (lesson.key, lesson.title, lesson.about) == ("some-key", "A title", "About it.")
    one, two = lesson.steps
    assert (one.title, one.show, one.question) == ("One", "loss", "What happens?")
    assert one.answers == ("this", "that") and one.right == 1
    assert one.reveal == "It is {ignored}.\nMore of it."
    assert one.claims == (Claim("foreground", "<", "3"), Claim("ignored", ">=", "before.ignored"))
    assert two.config().loss.gamma == 1 and two.config().loss.alpha == 0.5  # settings add up
    assert one.first_config().matching.fg_iou_threshold == 0.5 and one.later == ("matching.fg_iou_threshold",)
    assert one.config().matching.fg_iou_threshold == two.first_config().matching.fg_iou_threshold == 0.7
    assert two.config().anchors.ratios == (0.5, 1.0) and two.question == "" and two.text == "Plain."


@pytest.mark.parametrize(
    ("line", "says"),
    [("- compare: prior", "only a step that shows training"), ("- curve: bell", "none of loss, "),
     ("- show: training\n- compare: nothing", "only one of loss, ")],
)  # fmt: skip
def test_what_a_step_cannot_show_is_refused(tmp_path, line, says):
    (tmp_path / "01-x.md").write_text(FILE.replace("- show: picture", f"- show: picture\n{line}"))
    with pytest.raises(LessonError, match=says):
        read_lesson(tmp_path / "01-x.md")


def test_a_step_chooses_a_curve_or_a_comparison(tmp_path):
    text = FILE.replace("- show: loss", "- show: loss\n- curve: slope by the logit")
    (tmp_path / "01-x.md").write_text(text.replace("- show: picture", "- show: training\n- compare: gamma"))
    one, two = read_lesson(tmp_path / "01-x.md").steps
    assert (one.curve, one.compare) == ("slope by the logit", "")
    assert (two.curve, two.compare) == ("loss", "gamma")


@pytest.mark.parametrize(
    ("old", "new"),
    [("- show: loss", ""), ("that *", "that"), ("this", "this *"), ("= foreground < 3", "= foreground is 3"),
     ("loss.gamma = 1", "loss.gamma 1"), ("About it.", "")],
)  # fmt: skip
def test_a_file_that_is_not_well_written_is_refused(tmp_path, old, new):
    (tmp_path / "01-x.md").write_text(FILE.replace(old, new))
    with pytest.raises(LessonError, match=r"01-x\.md"):
        read_lesson(tmp_path / "01-x.md")


@pytest.mark.parametrize(("key", "index"), ALL)
def test_every_step_is_right(key, index):
    """It shows a step of the page, sets what is allowed, speaks of numbers there are, and its claims hold."""
    lesson = lessons()[key]
    step = lesson.steps[index]
    assert step.text and step.show in STEPS and set(step.settings) <= set(knobs())
    for text in (step.text, step.question, *step.answers, step.reveal):
        assert set(NAMED.findall(text)) <= set(QUANTITIES)
    for claim in step.claims:
        assert set(claim.names) <= set(QUANTITIES)
    text, question, answers = opening_of(step)
    for said in (text, question, *answers, outcome_of(lesson, index, step.answers[0] if step.answers else None)):
        assert not NAMED.search(said.replace("\\mathrm", "").replace("\\frac", ""))
    for check in checks_of(lesson, index):
        assert check.true, str(check)


@pytest.mark.parametrize("key", lessons())
def test_every_lesson_asks_before_it_tells_and_claims_something(key):
    steps = lessons()[key].steps
    assert any(step.question for step in steps) and any(step.claims for step in steps)
    for index, step in enumerate(steps):
        if step.question:
            assert outcome_of(lessons()[key], index, None) == ""
            right, wrong = step.answers[step.right], step.answers[step.right - 1]
            assert outcome_of(lessons()[key], index, right).startswith("**Right.**")
            assert outcome_of(lessons()[key], index, wrong).startswith("**Not quite.**")


@pytest.mark.parametrize(("key", "index"), ALL)
def test_links_lead_back(key, index):
    place = Place(lessons()[key], index)
    step = lessons()[key].steps[index]
    assert Place.from_link(place.link) == place
    asked = asked_at(place)
    assert to_link(asked, step.first_config()) == f"lesson={place.link}"  # nothing else is needed
    assert from_link(f"lesson={place.link}") == asked and asked.config() == step.first_config()
    told = from_link(to_link(asked, step.config()))
    assert told.config() == step.config() and told.lesson == place.link
    changed = step.config().replace({"loss.box_weight": 7})
    elsewhere = from_link(to_link(asked._replace(step="picture"), changed))
    assert elsewhere.step == "picture" and elsewhere.config() == changed


@pytest.mark.parametrize("link", ["nothing.1", "focal", "focal.0", "focal.99", "focal.x"])
def test_a_link_to_no_step_is_refused(link):
    with pytest.raises(ValueError, match="lesson = "):
        from_link(f"lesson={link}")


def test_going_through_all_of_them():
    place = Place(lessons()["dense"], 0)
    seen = [place]
    while (place := moved(place, 1)) != seen[-1]:
        seen.append(place)
    assert [(each.lesson.key, each.index) for each in seen] == ALL
    assert moved(seen[0], -1) == seen[0] and following(seen[-1].lesson) is None


def test_what_a_teacher_hides_is_no_setting():
    assert from_link("hide=training,loss.gamma").config() == Config()


def test_a_lesson_is_shown_with_its_step():
    place = Place(lessons()["focal"], 1)
    step = place.lesson.steps[1]
    shown_page = show(Asked(step.show, lesson=place.link))
    assert shown_page.notice == "" and "lesson=focal.2" in shown_page.strip
    texts = contents(place, [place.link])
    assert "One factor" not in texts[1] and "Turn it up" in texts[1] and "1 of " in texts[1]
    assert "γ goes from 0 to 2" in texts[2]


@pytest.mark.parametrize("said", [None, 5, "focal.1", {"a": 1}, [["x"], 3, None, "no.1"]])
def test_what_a_browser_says_it_has_seen_may_be_anything(said):
    assert known(said) == []
    assert known(["focal.2", "focal.1", "focal.2", 7]) == ["focal.1", "focal.2"]


def test_numbers_are_short():
    written = ["12,276", "0.01", "3", "1,234", "0.457"]
    assert [shown("anchors", each) for each in (12276, 0.0100001, 3.0, 1234.5, 0.4567)] == written
    assert [shown("share_of_foreground", each) for each in (1.0, 0.4567, 0.0036)] == ["100%", "46%", "0.4%"]
