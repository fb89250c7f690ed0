"""Lessons on the real page: questions, what they reveal and hide, where they lead."""

import pytest

from core.config import ConfigError
from core.experiments.presets import PRESETS
from playground.lessons.parser import lessons
from playground.lessons.position import LessonPosition, all_links
from playground.lessons.quiz import read_quiz
from tests.browser.looking import QUICK, address_of, headline, notice, set_slider
from tests.waiting import wait

pytestmark = pytest.mark.browser


def test_a_lesson_asks_before_it_tells(opened):
    page = opened("lesson=thresholds.2")
    assert "0.1 and 0.9" in wait(lambda: page.text_content(".lesson"))
    before = wait(lambda: headline(page, "assignment"))
    assert page.text_content("#lesson-outcome").strip() == ""
    page.get_by_role("button", name="among the ignored").click()
    wait(lambda: "Right." in page.text_content("#lesson-outcome"))
    wait(lambda: headline(page, "assignment") != before)
    assert page.locator("#knob-matching-fg-iou-threshold input[type=number]").input_value() == "0.9"
    wait(lambda: address_of(page).endswith("?lesson=thresholds.2&answer=2"))  # which says all that was set
    page.get_by_role("button", name="Next").click()
    wait(lambda: "Precise, but few" in page.text_content(".lesson") and "lesson=thresholds.3" in address_of(page))
    page.reload()
    wait(lambda: page.locator(".lesson-map summary").count() and "· 2 of" in page.text_content(".lesson-map summary"))
    page.get_by_role("button", name="Leave", exact=True).click()
    wait(lambda: not page.locator("#lesson-title").is_visible() and "lesson" not in address_of(page))
    assert "The settings of the last step stay" in notice(page)


def test_what_a_lesson_reveals_follows_the_page_and_is_in_the_link(opened):
    page = opened("lesson=focal.2")
    answers = page.locator(".lesson-question button")
    wait(lambda: answers.count() == 3)
    answers.first.focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):  # arrow keys move between the answers, and answer none
        assert page.text_content("#lesson-outcome").strip() == ""
        page.keyboard.press(key)
    wait(lambda: "it keeps 0.25" in page.text_content("#lesson-outcome"))
    assert "a hundredth" in page.evaluate("document.activeElement.textContent")
    wait(lambda: "answer=3" in address_of(page) and "loss.gamma" not in address_of(page))
    set_slider(page, "loss-gamma", 1)
    wait(lambda: "it keeps 0.5" in page.text_content("#lesson-outcome"))
    wait(
        lambda: "Here it is different: “weight of an example with pₜ = 0.9” is 0.1" in page.text_content("#part-checks")
    )
    said = "Here it is different: “weight of an example with pₜ = 0.9”."
    assert wait(lambda: page.text_content("#part-checks [role=status]")).startswith(said)
    wait(lambda: "loss.gamma=1" in address_of(page))
    page.reload()
    wait(lambda: "γ (focusing) 2 → 1" in (page.text_content("#part-checks") or ""))
    wait(lambda: "it keeps 0.5" in page.text_content("#lesson-outcome"))
    assert answers.nth(2).get_attribute("data-right") == ""
    page.get_by_role("button", name="Back to the lesson's settings").click()
    wait(lambda: "moved" not in page.text_content("#part-checks"))
    wait(lambda: "it keeps 0.25" in page.text_content("#lesson-outcome"))
    assert page.locator("#knob-loss-gamma input[type=number]").input_value() == "2"


def test_after_an_answer_that_is_refused_the_question_can_be_answered_again(opened, monkeypatch):
    def refuse(*given):
        monkeypatch.undo()
        raise ConfigError("These settings contradict each other: choose others.")

    page = opened("lesson=thresholds.2")
    monkeypatch.setattr("playground.events.lessons.answer_question", refuse)
    page.get_by_role("button", name="among the ignored").click()
    wait(lambda: "contradict each other" in notice(page))
    pressed = page.locator(".lesson-question [aria-pressed=true]")
    wait(lambda: not pressed.count())
    page.get_by_role("button", name="among the ignored").click()
    wait(lambda: "Right." in page.text_content("#lesson-outcome"))
    assert pressed.count() == 1


def test_what_would_tell_an_answer_is_hidden_until_it_is_given(shown):
    page = shown("lesson=imbalance.1")
    number, facts = page.locator('.strip button[data-cell="assignment"] span'), page.locator("#part-readout .facts")
    wait(lambda: facts.count() and not facts.is_visible() and not number.is_visible())
    assert not page.locator(".right .plot").is_visible() and not page.locator(".pic-count").first.is_visible()
    page.get_by_role("button", name="about 30").click()
    wait(lambda: facts.is_visible() and number.is_visible() and page.locator(".right .plot").is_visible())
    assert "Not quite." in wait(lambda: page.text_content("#lesson-outcome"))


def test_a_lesson_can_be_read_from_the_back_of_a_room(opened, new_page):
    page = new_page(viewport={"width": 1920, "height": 1080})
    opened("lesson=cross-entropy.3", page)
    page.wait_for_selector(".layout[data-lesson]")
    size = "parseFloat(getComputedStyle(document.querySelector({})).fontSize)"
    for part in ("'#lesson-text p'", "'.readout td'"):
        assert page.evaluate(size.format(part)) >= 18, part
    page.get_by_text("For teachers").click()
    page.get_by_label("Training", exact=True).check()
    page.get_by_label("Turn it up").check()
    page.get_by_label("The paper's pair").check()
    link = page.get_by_label("Link for the class").input_value()
    assert link.endswith("?lesson=focal.2&course=focal.2,alpha-gamma-pi.4&hide=training")
    page.get_by_role("button", name="Present", exact=True).click()
    wait(lambda: page.evaluate(size.format("'#lesson-text p'")) >= 24)
    assert not page.locator(".header").is_visible()
    page.get_by_role("button", name="End presenting").click()
    wait(lambda: page.locator(".header").is_visible())
    opened(link.partition("?")[2], page)
    wait(lambda: page.locator("#lesson-title").is_visible() and "step 1 of 2" in page.text_content("#lesson-title"))
    page.get_by_role("button", name="Skip").click()
    wait(lambda: "The paper's pair" in page.text_content("#lesson-title"))
    assert "course=focal.2" in address_of(page) and page.get_by_role("button", name="Finish").is_visible()


@pytest.mark.parametrize("leave", ["document.querySelector('#explore').click()", "history.go(-2)"])
def test_leaving_a_lesson_that_is_presented_brings_back_the_header(opened, leave):
    page = opened(QUICK + "&step=loss")
    page.evaluate("void (document.documentElement.requestFullscreen = () => Promise.reject(new Error('refused')))")
    open_focal_lesson(page)
    wait(lambda: "lesson=focal.1" in address_of(page))
    page.get_by_text("For teachers").click()
    page.get_by_role("button", name="Present", exact=True).click()
    wait(lambda: not page.locator(".header").is_visible())
    page.get_by_role("button", name="Skip").or_(page.get_by_role("button", name="Next")).click()
    wait(lambda: "lesson=focal.2" in address_of(page))
    assert not page.locator(".header").is_visible()  # the next step is presented, too
    page.evaluate(leave)
    wait(lambda: "lesson" not in address_of(page) and page.locator(".header").is_visible())


def test_the_test_compares_before_with_after_in_this_browser_alone(opened):
    page = opened("lesson=dense.3")
    quiz = page.locator(".lesson-quiz")
    wait(lambda: quiz.locator("summary").is_visible())
    quiz.locator("summary").click()
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    for answer in (1, 0):
        for question in quiz.locator("fieldset").all():
            question.locator("label").nth(answer).click()
        quiz.get_by_role("button", name="Count my answers").click()
        said = wait(lambda: quiz.locator("[role=status]").text_content())
    questions = read_quiz().questions
    before, now = (sum(each.right == answer for each in questions) for answer in (1, 0))
    shown = f"Before {before} of {len(questions)}, now {now} of {len(questions)}."
    assert said.startswith(f"{shown} Wrong before, correct now: {now}. Wrong before and now: ")
    assert focused(page) == "Count my answers"  # what follows is below it
    learned = quiz.locator("h3", has_text="Wrong before, correct now").locator("+ ul li")
    first = questions[[each.right for each in questions].index(0)]
    assert learned.count() == now and f"{first.answers[0]} – {first.why}" in learned.first.text_content()
    assert not learned.locator("button").count()
    assert not [url for url in sent if "live" in url or "queue" in url]
    page.reload()
    wait(lambda: shown in (page.text_content(".lesson-quiz summary") or ""))
    page.locator(".lesson-quiz summary").click()
    assert learned.count() == now and first.why not in quiz.text_content()  # which would spoil another try
    page.get_by_role("button", name="Lesson 3 · Two thresholds").click()  # it was right before
    wait(lambda: "lesson=assignment.1" in address_of(page) and focused(page).startswith("Two thresholds"))
    page.get_by_role("button", name="Forget my results").click()
    assert "Before" not in page.text_content(".lesson-quiz summary") and not quiz.locator("h3").count()
    assert focused(page) == "Count my answers"


def test_of_a_test_of_which_only_counts_were_kept_only_counts_are_told(opened):
    page = opened("lesson=dense.3")
    page.evaluate("memory.keep('test', '[2, 5]')")
    page.reload()
    wait(lambda: "Before 2 of 8, now 5 of 8." in (page.text_content(".lesson-quiz summary") or ""))
    assert page.text_content(".lesson-quiz [role=status]") == "Before 2 of 8, now 5 of 8."
    assert not page.locator(".lesson-quiz h3").count()


def focused(page) -> str:
    """Returns the text of the element that has the keyboard's focus."""
    return page.evaluate("document.activeElement === document.body ? '' : document.activeElement.textContent")


def is_on_current_step(page) -> bool:
    return page.evaluate("document.activeElement.matches('.strip [aria-current]')")


def open_focal_lesson(page):
    page.locator("#lessons .menu-opener").focus()
    for key in [*["ArrowDown"] * list(lessons()).index("focal"), "ArrowDown", "Enter"]:
        page.keyboard.press(key)
    wait(lambda: page.locator("#lesson-title h2").is_visible() and "One factor" in page.text_content("#lesson-title"))


def test_own_settings_come_back_after_the_lessons(opened):
    page = opened(QUICK + "&step=assignment&loss.gamma=4")
    open_focal_lesson(page)
    wait(lambda: "One factor" in page.evaluate("document.activeElement.textContent"))  # the keyboard goes on there
    assert page.locator("#knob-loss-gamma").is_visible() and not page.locator("#knob-loss-cutoff").is_visible()
    page.get_by_role("button", name="All knobs of this step").click()
    assert page.locator("#knob-loss-cutoff").is_visible()
    page.locator(".lesson-map summary").click()
    page.locator(".lesson-map").get_by_role("button", name="Turn it up").click()
    wait(lambda: "lesson=focal.2" in address_of(page) and not page.locator("#knob-loss-cutoff").is_visible())
    page.get_by_role("button", name="half", exact=True).click()
    wait(lambda: "Not quite." in page.text_content("#lesson-outcome"))
    assert page.get_attribute("#lesson-outcome", "aria-live") == "polite"
    kept = "sessionStorage.getItem('retinanet-own')"  # of this window: another has settings of its own
    assert "loss.gamma=4" in page.evaluate(kept)
    page.reload()  # the lesson goes on
    wait(lambda: page.locator("#lesson-title h2").is_visible() and "Turn it up" in page.text_content("#lesson-title"))
    page.get_by_role("button", name="Leave", exact=True).click()
    wait(lambda: "your own settings, picture and step are back" in notice(page))
    wait(lambda: page.locator("#knob-matching-fg-iou-threshold").is_visible())
    assert "loss.gamma=4" in wait(lambda: "lesson" not in address_of(page) and address_of(page))
    wait(lambda: not page.evaluate(kept))
    assert is_on_current_step(page)
    open_focal_lesson(page)
    page.get_by_role("button", name="Leave", exact=True).click()  # without a reload the server knows the step itself
    wait(lambda: "lesson" not in address_of(page) and "step=assignment" in address_of(page))
    assert page.locator("#knob-matching-fg-iou-threshold").is_visible()


def test_the_keyboard_goes_on_at_the_step_when_the_lesson_is_left(shown):
    page = shown("lesson=dense.1")
    page.get_by_role("button", name="Leave", exact=True).focus()
    page.keyboard.press("Enter")
    wait(lambda: is_on_current_step(page))
    page = shown(f"lesson={all_links()[-1]}")
    page.get_by_role("button", name="Finish", exact=True).focus()
    page.keyboard.press("Enter")
    wait(lambda: is_on_current_step(page))
    page = shown("lesson=dense.1")
    page.get_by_role("button", name="Explore", exact=True).focus()  # a control that stays keeps the focus
    page.keyboard.press("Enter")
    wait(lambda: "lesson" not in address_of(page) and not page.locator("#lesson-title").is_visible())
    assert focused(page).strip() == "Explore"


@pytest.mark.parametrize("seen", [False, True])
def test_the_map_closes_behind_the_step_that_is_chosen_and_the_keyboard_goes_on_there(opened, seen):
    page = opened("lesson=dense.1")
    links = ["dense.3", "dense.4"] if not seen else ["dense.3", "dense.1"]
    for link in links:  # the second one has been seen, or not
        wait(lambda: page.locator(".lesson-map summary").is_visible())
        page.locator(".lesson-map summary").focus()
        page.keyboard.press("Enter")
        page.locator(f'.lesson-map [data-choose="go {link}"]').focus()
        page.keyboard.press("Enter")
        title = LessonPosition.from_link(link).step.title
        wait(lambda title=title: title in focused(page) and page.evaluate("document.activeElement.matches('h2')"))
        wait(lambda link=link: f"lesson={link}" in address_of(page))
        assert page.locator(".lesson-map details").get_attribute("open") is None
        assert page.evaluate("document.activeElement.matches('#lesson-title h2')")


def test_my_pictures_leaves_the_lesson_for_their_panel(shown):
    page = shown("lesson=dense.1")
    wait(lambda: page.locator("#lesson-title h2").is_visible())
    page.locator(".header-skip").focus()
    page.keyboard.press("Enter")  # no knob is on show
    assert page.evaluate("document.activeElement.className") == "pic-top"
    page.get_by_role("button", name="My pictures", exact=True).click()
    wait(lambda: page.evaluate("document.activeElement.classList.contains('intake-choose')"))
    wait(lambda: "lesson" not in address_of(page))  # written a moment after the answer
    assert not page.locator("#lesson-title").is_visible()
    assert page.locator(".album").get_attribute("open") is not None


def test_on_a_phone_too_a_lesson_is_taken_on_another_picture(shown):
    page = shown("lesson=dense.1")
    page.set_viewport_size({"width": 390, "height": 844})
    wait(lambda: page.locator(".source-of").is_visible())
    page.select_option(".source-of", label="held-out scenes")
    wait(lambda: "lesson=dense.1" in address_of(page) and "data=scenes" in address_of(page))
    above, picture = (page.locator(part).bounding_box() for part in (".source-of", ".pic-stage"))
    assert above["y"] + above["height"] <= picture["y"]


def test_a_lesson_chooses_its_curve_and_its_comparison(shown):
    page = shown("lesson=focal.4")
    wait(lambda: page.get_attribute(".plot", "data-title") == "Cumulative loss of 24 held-out scenes")
    page.get_by_role("button", name="Skip").click()
    wait(lambda: page.get_attribute(".plot", "data-title") == "Loss of one score")
    wait(lambda: "lesson=focal.5" in address_of(page) and "curve" not in address_of(page))
    # What clips the curves may not name an address that changes: they would leave the figure.
    clips = page.eval_on_selector_all(".plot [clip-path]", "all => all.map((each) => each.getAttribute('clip-path'))")
    assert clips and all(clip.startswith("url('#") for clip in clips)
    page = shown("lesson=alpha-gamma-pi.5")
    assert page.input_value("#preset input") == PRESETS["loss"].title
    page.get_by_role("button", name="Skip").click()
    wait(lambda: page.input_value("#preset input") == PRESETS["prior"].title)
    wait(lambda: page.get_attribute('.strip button[data-step="training"]', "aria-current"))
    assert page.get_by_role("button", name="Compare", exact=True).is_visible()


def test_a_teacher_hides_controls(opened):
    page = opened(QUICK + "&step=loss&hide=training,loss.alpha")
    wait(lambda: not page.locator('.strip button[data-step="training"]').is_visible())
    wait(lambda: not page.locator("#knob-loss-alpha").is_visible() and page.locator("#knob-loss-gamma").is_visible())
    set_slider(page, "loss-gamma", 3)
    wait(lambda: "loss.gamma=3" in address_of(page))
    assert "hide=training,loss.alpha" in address_of(page)


def test_a_teacher_hides_the_ways_out_of_the_lesson(opened):
    page = opened("lesson=dense.1")
    page.get_by_text("For teachers").click()
    for name in ("Explore", "My pictures"):
        page.get_by_label(name, exact=True).check()
    link = page.get_by_label("Link for the class").input_value()
    assert link.endswith("?lesson=dense.1&hide=explore,my-pictures")
    opened(link.partition("?")[2], page)
    wait(lambda: page.locator("#lesson-title h2").is_visible() and page.locator("#lessons").is_visible())
    assert not page.locator("#explore, #my-pictures").locator("visible=true").count()


def test_a_lesson_keeps_what_it_needs_from_being_hidden(opened):
    page = opened("lesson=focal.2&hide=loss,loss.gamma,loss.cutoff,training,loss.beta")
    assert "hide = 'loss.beta' hides nothing: did you mean loss." in wait(lambda: notice(page))
    wait(lambda: page.locator("#knob-loss-gamma").is_visible())
    wait(lambda: not page.locator('.strip button[data-step="training"]').is_visible())
    assert page.locator('.strip button[data-step="loss"]').is_visible()
    assert not page.locator("#knob-loss-cutoff").is_visible()
