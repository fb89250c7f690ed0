"""Drawing on a picture of the visitor's own: classes, keys, suggestions, touch."""

import json
import time
from typing import NamedTuple

import gradio as gr
import pytest
import torch

from playground.canvas.canvas import canvas, payload, picture_url
from playground.canvas.edit import CHANGE_FIELDS, EDIT_FIELDS, parse_class_change, parse_edit
from playground.canvas.view import SUGGESTIONS, TRUTH, Layer, View
from playground.support.names import next_colour
from tests.browser.looking import serve
from tests.waiting import wait

pytestmark = pytest.mark.browser

WIDTH, HEIGHT = 400, 300
GREYS = (60, 180)
PICTURES = [picture_url(torch.full((3, HEIGHT, WIDTH), grey, dtype=torch.uint8)) for grey in GREYS]
PROPOSED = torch.tensor([[10.0, 200, 90, 290], [110, 200, 190, 290], [210, 200, 290, 290]])
MARKUP = "<img src=x onerror=alert(1)> ${1+1}"


class Album(NamedTuple):
    """What the page would store."""

    boxes: torch.Tensor = torch.zeros(0, 4)
    labels: torch.Tensor = torch.zeros(0, dtype=torch.int64)
    rejected: torch.Tensor = torch.zeros(0, 4)
    names: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    picture: int = 0


def suggestions(album):
    taken = torch.cat([album.boxes, album.rejected])
    free = [not any(torch.equal(box, other) for other in taken) for box in PROPOSED]
    return PROPOSED[torch.tensor(free)] if album.names else PROPOSED[:0]


def view(album):
    proposed = suggestions(album)
    labels, scores = torch.zeros(len(proposed), dtype=torch.int64), torch.full((len(proposed),), 0.83)
    layers = (
        Layer(SUGGESTIONS, "Suggestions", "kept", proposed, labels=labels, values=scores),
        Layer(TRUTH, "Ground truth", "truth", album.boxes, labels=album.labels),
    )
    own = {"class_suggestions": ("leaf", MARKUP), "draw_first": True, "rejected": album.rejected}
    return View(
        PICTURES[album.picture], WIDTH, HEIGHT, layers, None, True, album.names, "Mine", album.colours, True, **own
    )


def edit(album, event: gr.EventData):
    time.sleep(0.1)
    fields = {name: getattr(event, name) for name in EDIT_FIELDS}
    found = parse_edit(fields, WIDTH, HEIGHT, album.names, free_classes=True)
    colours = list(album.colours)
    while len(colours) < len(found.class_names):
        colours.append(next_colour(colours))
    return answer(Album(found.boxes, found.labels, found.rejected, found.class_names, tuple(colours), album.picture))


def change(album, event: gr.EventData):
    asked = parse_class_change({name: getattr(event, name) for name in CHANGE_FIELDS}, album.names)
    names, colours, labels = list(album.names), list(album.colours), album.labels.clone()
    if asked.name:
        names[asked.index] = asked.name
    elif asked.colour:
        colours[asked.index] = asked.colour
    else:
        labels[labels == asked.index] = asked.into
        labels[labels > asked.index] -= 1
        del names[asked.index], colours[asked.index]
    return answer(album._replace(names=tuple(names), colours=tuple(colours), labels=labels))


def answer(album):
    rows = [[*box, album.names[label]] for box, label in zip(album.boxes.tolist(), album.labels.tolist(), strict=True)]
    said = {"rows": rows, "names": album.names, "colours": album.colours, "rejected": album.rejected.tolist()}
    return album, json.dumps({**said, "picture": album.picture}), payload(view(album))


def build():
    with gr.Blocks() as demo:
        album = gr.State(Album())
        shown = canvas("canvas")
        text = gr.Textbox(label="Stored")
        outputs = [album, text, shown]
        order = {"trigger_mode": "multiple", "show_progress": "hidden"}
        demo.load(answer, album, outputs)
        shown.edit(edit, album, outputs, **order)
        shown.classes(change, album, outputs, **order)
        shown.next(lambda old: answer(Album(names=old.names, colours=old.colours, picture=1)), album, outputs, **order)
    return demo


@pytest.fixture(scope="module")
def url(browser):
    with serve(build()) as address:
        yield address


class Own:
    """The visitor's picture on a page, in its own coordinates."""

    def __init__(self, page, url):
        self.page = page
        page.goto(url)
        self.top = page.locator(".pic-top")
        page.wait_for_selector(".pic[data-drawn]")
        wait(lambda: "names" in self.stored())

    def stored(self):
        return json.loads(self.page.get_by_label("Stored").input_value() or "{}")

    def rows(self, count):
        wait(lambda: len(self.stored()["rows"]) == count)
        return self.stored()["rows"]

    def place(self, x, y):
        box = self.top.bounding_box()
        return box["x"] + x * box["width"] / WIDTH, box["y"] + y * box["height"] / HEIGHT

    def drag(self, start, end):
        self.page.mouse.move(*self.place(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(*end), steps=3)
        self.page.mouse.up()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def name_class(self, name):
        self.page.get_by_label("Name of the new class").fill(name)
        self.press("Enter")

    def said(self):
        return self.page.locator(".pic-said").text_content().strip("\u00a0")

    def grey(self):
        """Returns the brightness of the picture that is drawn."""
        return self.top.evaluate(
            """(top) => {
                const canvas = top.parentNode.querySelector('.pic-base');
                const at = [Math.round(canvas.width / 2), Math.round(canvas.height / 2)];
                return canvas.getContext('2d').getImageData(...at, 1, 1).data[0];
            }"""
        )

    def start(self):
        """Draws a box of a new class, leaf."""
        self.drag((20, 20), (80, 80))
        self.name_class("leaf")
        self.rows(1)


@pytest.fixture
def own(page, url):
    return Own(page, url)


def test_a_drag_draws_at_once_and_asks_for_the_class(own):
    own.drag((20, 20), (80, 80))
    assert own.page.evaluate("document.activeElement.className") == "pic-input pic-name"
    options = own.page.locator("datalist option").evaluate_all("(options) => options.map((each) => each.value)")
    assert options == ["leaf", MARKUP]
    own.name_class(f"  {MARKUP} ")
    assert own.rows(1)[0][4] == MARKUP and own.said() == f"{MARKUP} 1 added"
    own.press("c")
    own.name_class("細胞")
    own.drag((100, 20), (160, 80))
    assert own.rows(2)[1][4] == "細胞"
    own.press("1")  # the selected box, and those to come
    wait(lambda: own.stored()["rows"][1][4] == MARKUP)
    own.drag((180, 20), (240, 80))
    assert own.rows(3)[2][4] == MARKUP
    own.press("7")
    assert own.said() == "There is no class 7 yet."
    assert own.page.locator(".pic img").count() == 0
    own.drag((260, 20), (330, 80))
    own.press("2")
    wait(lambda: own.rows(4)[3][4] == "細胞")  # the events of this small page do not wait for one another
    own.press("n")  # the next picture remembers the classes
    wait(lambda: own.stored()["picture"] == 1 and own.grey() == GREYS[1])  # a new picture ends a drag
    own.drag((20, 20), (80, 80))
    assert own.rows(1)[0][4] == "細胞"


def test_a_box_by_keys_alone_moved_resized_undone(own):
    own.top.focus()
    own.press("b")
    own.name_class("leaf")
    before = own.rows(1)[0]
    assert own.page.evaluate("document.activeElement.className") == "pic-top"
    own.press("ArrowRight", "Control+ArrowDown", "Shift+ArrowRight", "Shift+ArrowUp")
    wait(lambda: own.stored()["rows"][0] != before)
    moved = own.stored()["rows"][0]
    assert [b - a for a, b in zip(before[:4], moved[:4], strict=True)] == pytest.approx([1, 10, 2, 9], abs=0.05)
    own.press("Control+z")
    wait(lambda: own.stored()["rows"][0] == before)
    own.press("Control+z")
    own.rows(0)
    assert own.said() == "undone, 0 objects"
    own.press("Control+y", "Control+Shift+Z")
    wait(lambda: own.stored()["rows"] and own.stored()["rows"][0] == moved)
    own.press("Tab", "Delete")
    own.rows(0)
    own.press("Escape", "Tab")  # on to the rest of the page, past the suggestions
    assert own.page.evaluate("document.activeElement.className") != "pic-top"


def test_suggestions_are_accepted_rejected_and_accepted_together(own):
    own.start()
    own.page.get_by_role("button", name="Accept all (3)").wait_for()
    own.page.mouse.move(*own.place(150, 270))
    own.button("Reject leaf 0.83").click()
    wait(lambda: own.stored()["rejected"] == [[110, 200, 190, 290]])
    own.page.mouse.click(*own.place(50, 270))
    assert own.rows(2)[1] == [10, 200, 90, 290, "leaf"]
    assert own.said() == "suggestion accepted, 1 left"
    own.press("Control+z", "Control+z")
    wait(lambda: not own.stored()["rejected"] and len(own.stored()["rows"]) == 1)
    own.press("Tab", "Tab", "Enter")  # the box, the first suggestion
    own.rows(2)
    own.press("a")
    assert sorted(row[0] for row in own.rows(4)) == [10, 20, 110, 210]
    wait(lambda: own.page.locator(".pic-all").is_hidden())


def test_classes_are_renamed_merged_and_recoloured(own):
    own.start()
    own.press("c")
    own.name_class("gem")
    own.drag((100, 20), (160, 80))
    own.rows(2)
    own.button("Change gem").click()
    own.page.get_by_label("Name of the class", exact=True).fill("LEAF")
    own.button("Rename").click()
    assert "already a class “leaf”" in own.page.locator(".pic-message").text_content()
    own.page.get_by_label("Name of the class", exact=True).fill("stone")
    own.button("Rename").click()
    wait(lambda: own.stored()["names"] == ["leaf", "stone"])
    own.button("Change stone").click()
    own.page.get_by_label("Colour").fill("#123456")
    wait(lambda: own.stored()["colours"][1] == "#123456")
    edge = own.top.evaluate(
        """(top) => {
            const canvas = top.parentNode.querySelector('.pic-base');
            const at = [Math.round(canvas.width / 4), Math.round(canvas.height / 5)];  // (100, 60): a left edge
            return [...canvas.getContext('2d').getImageData(...at, 1, 1).data.slice(0, 3)];
        }"""
    )
    assert edge == [0x12, 0x34, 0x56]
    own.button("Merge").click()
    wait(lambda: own.stored()["names"] == ["leaf"])
    assert [row[4] for row in own.rows(2)] == ["leaf", "leaf"]
    own.press("Control+z")  # the second box: merging is no stroke
    assert own.rows(1)[0][4] == "leaf"


def test_a_box_without_a_class_can_be_given_up_and_the_table_of_keys_opens(own):
    own.drag((20, 20), (80, 80))
    own.press("Escape")
    assert own.said() == "The new box is gone: it had no class."
    own.press("?")
    own.page.get_by_role("dialog").get_by_text("Accept all suggestions").wait_for()
    own.press("Escape")
    own.page.get_by_role("dialog").wait_for(state="hidden")
    own.press("b", "Escape", "n")
    wait(lambda: own.stored()["picture"] == 1)


def test_ten_boxes_a_minute_need_one_or_two_actions_each(own):
    """A drag for each box and a key where its class changes: 1.5 actions a box, far more than ten boxes a minute."""
    own.start()
    own.press("c")
    own.name_class("gem")
    own.top.focus()
    actions = 0
    for number in range(12):
        x, y = 20 + 60 * (number % 6), 100 + 45 * (number // 6)
        own.drag((x, y), (x + 40, y + 35))
        own.page.wait_for_timeout(150)
        actions += 1
        if number % 2:
            own.press("12"[number // 2 % 2])
            actions += 1
    own.rows(13)
    assert actions == 18


def test_one_finger_draws_and_taps_on_a_phone(new_page, url):
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    own = Own(page, url)
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        points = [dict(zip("xy", own.place(*point), strict=True), id=number) for number, point in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (20, 20))
    touch("touchMove", (50, 60))
    touch("touchMove", (90, 100))
    touch("touchEnd")
    own.name_class("leaf")
    assert own.rows(1)[0][:4] == pytest.approx([20, 20, 90, 100], abs=2)
    page.touchscreen.tap(*own.place(50, 270))
    size = own.button("Reject leaf 0.83").bounding_box()
    assert min(size["width"], size["height"]) >= 44
    own.button("Accept leaf 0.83").tap()
    own.rows(2)
    own.button("Undo").tap()
    own.rows(1)
    touch("touchStart", (150, 50), (200, 50))
    touch("touchMove", (130, 50), (250, 50))
    touch("touchEnd")
    page.wait_for_selector(".pic-zoomed")
    assert len(own.stored()["rows"]) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
