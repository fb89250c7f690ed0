"""The picture component in a real Chromium, between a slider and Python."""

import json
import time

import gradio as gr
import numpy as np
import pytest
import torch

from playground.canvas.canvas import canvas, payload, picture_url
from playground.canvas.edit import EDIT_FIELDS, parse_click, parse_edit
from playground.canvas.view import TRUTH, Heat, Layer, View
from tests.browser.looking import serve
from tests.waiting import HANG, wait

pytestmark = pytest.mark.browser

WIDTH, HEIGHT = 400, 300
CLASSES = ("cat", "<img src=x onerror=alert(1)>", "dog ${1+1} {{value}}")
PICTURES = [picture_url(torch.full((3, HEIGHT, WIDTH), grey, dtype=torch.uint8)) for grey in (60, 180)]
TRUTHS = (torch.tensor([[20.0, 20, 120, 120], [150, 150, 250, 250]]), torch.tensor([0, 1]))
EDIT_DELAY = 0.25  # seconds Python takes to answer an edit: longer than a quick hand needs for the next


def candidates(count):
    corners = np.random.default_rng(0).uniform((260, 0), (370, 270), (count, 2))
    return np.concatenate([corners, corners + 25], axis=1).astype(np.float32)


def view(count, picture, truth):
    boxes, labels = truth
    captions = tuple(CLASSES[label] for label in labels)
    layers = (
        Layer("before", "Before NMS", "before", candidates(count), values=np.linspace(1, 0, count)),
        Layer("suppressed", "Suppressed", "suppressed", candidates(2), dashed=True, links=candidates(2), visible=False),
        Layer(TRUTH, "Ground truth", "truth", boxes, width=3, captions=captions, labels=labels),
    )
    heat = Heat("loss", "Loss", np.eye(3, 4), (0, 0, WIDTH, HEIGHT), visible=False)
    return View(PICTURES[picture], WIDTH, HEIGHT, layers, heat, True, CLASSES, "Two objects")


def edit(count, picture, event: gr.EventData):
    time.sleep(EDIT_DELAY)
    read = parse_edit({name: getattr(event, name) for name in EDIT_FIELDS}, WIDTH, HEIGHT, CLASSES)
    truth = read.boxes, read.labels
    rows = [[*box, label] for box, label in zip(truth[0].tolist(), truth[1].tolist(), strict=True)]
    return truth, json.dumps(rows), payload(view(count, picture, truth))


def click(event: gr.EventData):
    return json.dumps(parse_click(event.x, event.y, WIDTH, HEIGHT)[:2])


def build():
    quick = {"queue": False, "trigger_mode": "always_last", "show_progress": "hidden"}
    with gr.Blocks() as demo:
        truth, picture = gr.State(TRUTHS), gr.State(0)
        shown = canvas("canvas")
        count = gr.Slider(0, 2000, 50, step=1, label="Boxes", interactive=True)
        texts = [gr.Textbox(label=label) for label in ("Truth", "Clicked")]
        buttons = [gr.Button(label) for label in ("Other picture", "Nothing")]
        inputs = [count, picture, truth]
        for event in (demo.load, count.change):
            event(lambda *state: payload(view(*state)), inputs, shown, **quick)
        shown.edit(edit, [count, picture], [truth, texts[0], shown], trigger_mode="multiple", show_progress="hidden")
        shown.select(click, None, texts[1], trigger_mode="multiple", show_progress="hidden")
        buttons[0].click(lambda n, p, t: (1 - p, payload(view(n, 1 - p, t))), inputs, [picture, shown], **quick)
        buttons[1].click(lambda: payload(View()), None, shown, **quick)
        gr.HTML("<div style='height: 2000px'></div>")
    return demo


@pytest.fixture(scope="module")
def url(browser):
    with serve(build()) as address:
        yield address


class Picture:
    """The component on a page, in the picture's coordinates."""

    def __init__(self, page, url):
        self.page = page
        page.goto(url)
        self.root, self.top = page.locator(".pic"), page.locator(".pic-top")
        self.shows(before=50, truth=2)

    def shows(self, **layers):
        counts = json.dumps(layers, separators=(",", ":"))
        self.page.wait_for_function("counts => document.querySelector('.pic')?.dataset.layers === counts", arg=counts)

    def drawn(self):
        return int(self.root.get_attribute("data-drawn"))

    def place(self, x, y):
        box = self.top.bounding_box()
        return box["x"] + x * box["width"] / WIDTH, box["y"] + y * box["height"] / HEIGHT

    def drag(self, start, end):
        self.page.mouse.move(*self.place(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(*end), steps=3)
        self.page.mouse.up()

    def pixel(self, x, y):
        return self.top.evaluate(
            """(top, [x, y]) => {
                const canvas = top.parentNode.querySelector('.pic-base');
                const at = [Math.round(x * canvas.width), Math.round(y * canvas.height)];
                return [...canvas.getContext('2d').getImageData(...at, 1, 1).data];
            }""",
            [x / WIDTH, y / HEIGHT],
        )

    def button(self, name):
        return self.page.get_by_role("button", name=name)

    def slide(self, value):
        self.page.get_by_label("Boxes").first.fill(str(value))

    def text(self, label, until):
        """Waits for a textbox to hold JSON with the property `until` and returns it."""
        deadline = time.monotonic() + HANG
        while time.monotonic() < deadline:
            text = self.page.get_by_label(label, exact=True).input_value()
            if text and until(json.loads(text)):
                return json.loads(text)
            self.page.wait_for_timeout(20)
        raise AssertionError(f"{label}: {text!r}")

    def click(self, x, y, heard, slack=1.5):
        """Clicks a place, counted as if nothing were zoomed, and waits until Python hears of the point `heard`."""
        self.page.mouse.click(*self.place(x, y))
        self.text("Clicked", lambda point: near(point, heard, slack))

    def start_editing(self):
        self.button("Draw boxes").click()


@pytest.fixture
def picture(page, url):
    return Picture(page, url)


def near(found, expected, slack=1.5):
    return np.allclose(found, expected, atol=slack)


# ---- drawing


def test_picture_and_boxes_are_drawn(picture):
    assert near(picture.pixel(5, 5), [60, 60, 60, 255], 3)
    red, green, blue, _ = picture.pixel(20, 70)  # on the left edge of the first object
    assert red > 200 and green > 190 and blue < 110
    assert picture.top.get_attribute("aria-label") == "Two objects"


def test_only_visible_layers_are_drawn_and_toggles_survive_updates(picture):
    toggle = picture.button("Ground truth 2")
    assert toggle.get_attribute("aria-pressed") == "true"
    toggle.click()
    picture.shows(before=50)
    assert near(picture.pixel(20, 70), [60, 60, 60, 255], 3)
    picture.button("Suppressed 2").click()
    picture.button("Loss").click()
    picture.shows(loss=12, before=50, suppressed=2)
    assert not near(picture.pixel(50, 60), [60, 60, 60, 255], 20)  # a hot cell
    picture.slide(70)
    picture.shows(loss=12, before=70, suppressed=2)
    assert picture.button("Ground truth 2").get_attribute("aria-pressed") == "false"


def test_the_picture_is_sent_once(picture):
    fetched = []
    picture.page.on("request", lambda request: "component_server" in request.url and fetched.append(request.url))
    for count in (60, 70, 80):
        picture.slide(count)
        picture.shows(before=count, truth=2)
    assert not fetched
    for grey in (180, 60, 180):
        picture.button("Other picture").click()
        wait(lambda grey=grey: near(picture.pixel(5, 5)[:3], [grey] * 3, 3))
    assert len(fetched) == 1


def test_the_last_of_many_updates_is_shown(picture):
    before = picture.drawn()
    for count in range(100, 1600, 50):
        picture.slide(count)
    picture.slide(2000)
    picture.shows(before=2000, truth=2)
    picture.page.wait_for_timeout(300)
    picture.shows(before=2000, truth=2)
    assert picture.drawn() - before <= 31


def test_captions_and_names_are_text_not_markup(picture):
    picture.page.mouse.move(*picture.place(200, 200))
    tip = picture.page.locator(".pic-tip")
    assert tip.inner_text().splitlines() == ["Ground truth", f"{CLASSES[1]} 2"]
    picture.start_editing()
    assert picture.page.locator(".pic-class option").all_inner_texts() == list(CLASSES)
    assert picture.root.locator("img").count() == 0


def test_empty_state(picture):
    picture.button("Nothing").click()
    picture.page.get_by_text("No picture yet").wait_for()
    assert picture.top.is_hidden()
    picture.button("Other picture").click()
    picture.top.wait_for()


# ---- looking around


def test_a_click_tells_python_where(picture):
    picture.click(100, 75, [100, 75])
    picture.click(390, 290, [390, 290])


def test_ctrl_and_wheel_zooms_about_the_pointer_and_the_plain_wheel_scrolls_the_page(picture):
    picture.page.mouse.move(*picture.place(100, 75))
    picture.page.mouse.wheel(0, 40)
    picture.page.wait_for_function("document.querySelector('.pic-shown') && scrollY >= 40")  # the last of it
    picture.page.evaluate("scrollTo(0, 0)")
    picture.page.mouse.move(*picture.place(100, 75))
    picture.page.evaluate("turned = 0; addEventListener('wheel', (event) => { turned += event.deltaY; })")
    picture.page.keyboard.down("Control")
    for _ in range(4):
        picture.page.mouse.wheel(0, -100)
    picture.page.wait_for_function("turned === -400")  # a wheel is not waited for
    picture.page.keyboard.up("Control")
    picture.page.wait_for_selector(".pic-zoomed")
    picture.click(100, 75, [100, 75])
    picture.click(200, 75, [100 + 100 / np.e, 75])
    picture.drag((100, 75), (160, 75))
    picture.click(160, 75, [100, 75])
    picture.page.mouse.dblclick(*picture.place(300, 200))
    picture.page.wait_for_selector(".pic-zoomed", state="detached")
    picture.click(20, 10, [20, 10])


def test_keys_and_buttons_zoom_and_pan(picture):
    picture.top.focus()
    for key in ("+", "+", "ArrowRight"):
        picture.page.keyboard.press(key)
    picture.click(200, 150, [200 + 40 * WIDTH / picture.top.bounding_box()["width"] / 1.25**2, 150])
    picture.page.keyboard.press("0")
    picture.click(201, 150, [201, 150])
    picture.button("Zoom out").click()
    picture.click(392, 150, [400, 150])  # beyond the picture's edge
    picture.button("Fit").click()
    picture.click(390, 150, [390, 150])


@pytest.mark.parametrize("ratio", [1, 2])
def test_sharp_and_inside_a_narrow_page(new_page, url, ratio):
    page = new_page(viewport={"width": 390, "height": 844}, device_scale_factor=ratio, color_scheme="dark")
    picture = Picture(page, url)
    box = picture.top.bounding_box()
    assert box["width"] / box["height"] == pytest.approx(WIDTH / HEIGHT, rel=0.01)
    assert page.evaluate("document.querySelector('.pic-base').width") == pytest.approx(box["width"] * ratio, abs=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 700, "height": 300})
    page.wait_for_function("document.querySelector('.pic-top').clientHeight <= 210")
    assert picture.top.bounding_box()["height"] > 190


def test_two_fingers_zoom(new_page, url):
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    picture = Picture(page, url)
    picture.top.scroll_into_view_if_needed()
    session = page.context.new_cdp_session(page)
    centre = picture.place(200, 150)

    def touch(kind, spread):
        points = (
            [{"x": centre[0] + side * spread, "y": centre[1], "id": side + 1} for side in (-1, 1)] if spread else []
        )
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    for kind, spread in (("touchStart", 30), ("touchMove", 45), ("touchMove", 60), ("touchEnd", 0)):
        touch(kind, spread)
    page.wait_for_selector(".pic-zoomed")
    picture.click(300, 150, [250, 150], 4)


# ---- editing


def test_drawing_moving_resizing_and_deleting(picture):
    picture.start_editing()
    picture.page.get_by_label("Class of the selected box").select_option("2")
    picture.drag((300, 200), (380, 280))
    assert near(picture.text("Truth", lambda rows: len(rows) == 3)[2], [300, 200, 380, 280, 2])
    picture.shows(before=50, truth=3)

    picture.drag((340, 240), (330, 220))  # inside: moves
    assert near(picture.text("Truth", lambda rows: rows[2][0] < 295)[2], [290, 180, 370, 260, 2])
    picture.drag((370, 260), (390, 290))  # corner: resizes
    assert near(picture.text("Truth", lambda rows: rows[2][2] > 385)[2], [290, 180, 390, 290, 2])
    picture.drag((390, 235), (250, 235))  # an edge pulled across its opposite
    assert near(picture.text("Truth", lambda rows: rows[2][0] < 285)[2], [250, 180, 290, 290, 2])

    picture.page.get_by_label("Class of the selected box").select_option("0")
    picture.text("Truth", lambda rows: rows[2][4] == 0)
    picture.button("Delete").click()
    assert picture.text("Truth", lambda rows: len(rows) == 2) == [[20, 20, 120, 120, 0], [150, 150, 250, 250, 1]]
    assert picture.button("Delete").is_disabled()


def test_keys_nudge_delete_and_deselect(picture):
    picture.start_editing()
    picture.page.mouse.click(*picture.place(70, 70))
    for key in ("ArrowRight", "ArrowRight", "Control+ArrowDown"):
        picture.page.keyboard.press(key)
    picture.text("Truth", lambda rows: near(rows[0], [22, 30, 122, 130, 0], 0.01))
    picture.page.keyboard.press("Escape")
    picture.page.keyboard.press("Delete")  # nothing is selected
    picture.page.mouse.click(*picture.place(200, 200))
    picture.page.keyboard.press("Delete")
    assert len(picture.text("Truth", lambda rows: len(rows) < 2)) == 1
    picture.shows(before=50, truth=1)


def test_shift_draws_inside_another_box_and_a_trembling_click_draws_nothing(picture):
    picture.start_editing()
    picture.page.mouse.move(*picture.place(300, 100))
    picture.page.mouse.down()
    picture.page.mouse.move(*[place + 1 for place in picture.place(300, 100)])
    picture.page.mouse.up()
    picture.page.keyboard.down("Shift")
    picture.drag((40, 40), (80, 80))
    picture.page.keyboard.up("Shift")
    picture.text("Truth", lambda rows: len(rows) == 3 and near(rows[2], [40, 40, 80, 80, 0]))


def test_an_answer_to_an_earlier_edit_takes_nothing_away(picture):
    picture.start_editing()
    starts = [(300, 10), (300, 60), (300, 110), (300, 160)]
    for x, y in starts:  # faster than Python answers
        picture.drag((x, y), (x + 40, y + 40))
        picture.page.wait_for_timeout(150)
    rows = picture.text("Truth", lambda rows: len(rows) == 6)
    assert near([row[:2] for row in rows[2:]], starts)
    picture.page.wait_for_timeout(500)
    picture.shows(before=50, truth=6)
