"""A visitor's own pictures on the real page: from a drop to a detector, and on a phone from its camera."""

import base64
import io
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.experiments.recipes import FEW_PICTURES, Recipe
from playground.albums.service import ALBUMS
from playground.events import album, picture as picture_events, teaching
from playground.state import taught
from tests.browser.looking import QUICK, address_of, choose, layers, notice
from tests.waiting import HANG, wait

pytestmark = pytest.mark.browser
# Heads that begin with high scores propose boxes after a few steps already.
SETTINGS = f"{QUICK}&model.prior_probability=0.3&inference.score_threshold=0.05"
DROP = """(files) => {
  const data = new DataTransfer();
  for (const { name, type, content } of files) {
    data.items.add(new File([Uint8Array.from(atob(content), (each) => each.charCodeAt(0))], name, { type }));
  }
  const options = { dataTransfer: data, bubbles: true, cancelable: true };
  for (const kind of ["dragover", "drop"]) document.querySelector(".pic").dispatchEvent(new DragEvent(kind, options));
}"""


def picture(number: int) -> bytes:
    """A PNG of noise with a bright square."""
    pixels = np.random.default_rng(number).integers(0, 60, (96, 96, 3), dtype=np.uint8)
    pixels[20:60, 20:60] = (250, 40 * number, 30)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def drop(page, files: dict[str, bytes]) -> None:
    types = {".png": "image/png", ".txt": "text/plain"}
    packed = [
        {"name": name, "type": types[Path(name).suffix], "content": base64.b64encode(content).decode()}
        for name, content in files.items()
    ]
    page.evaluate(DROP, packed)


def press(page, action: str) -> None:
    page.click(f'.album [data-act="{action}"]')


def draw(page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drags over the picture; the points are shares of its size."""
    box = page.locator(".pic-top").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=4)
    page.mouse.up()


def name_class(page, name: str) -> None:
    page.wait_for_selector(".pic-name")
    page.fill(".pic-name", name)
    page.keyboard.press("Enter")


def title(page) -> str:
    return page.text_content(".album > summary")


def boxes(page) -> list[list[tuple[float, ...]]]:
    """The boxes of each picture of the album on show, as they are saved."""
    key = address_of(page).split("data=")[1].split("/")[0]
    return [[*each.boxes] for each in ALBUMS._storage.find(key).pictures]


def said(page) -> str:
    return page.text_content(".intake-said")


@pytest.mark.timeout(290)
def test_from_three_pictures_to_a_detector(opened, new_page, monkeypatch):
    few = {"training.steps": 4, "training.batch_size": 2, "training.eval_images": 1}
    monkeypatch.setattr(teaching, "RECIPES", {FEW_PICTURES: Recipe("short", "For a test.", few)})
    monkeypatch.setattr(taught, "MAX_SECONDS", 60.0)  # all pictures are looked at, however busy the computer is
    page = opened(SETTINGS)
    drop(page, {**{f"p{number}.png": picture(number) for number in range(3)}, "notes.txt": b"no picture"})
    wait(lambda: "Not added: notes.txt is not a picture." in said(page))
    assert "Added 3 pictures" in said(page)
    wait(lambda: "data=my-" in address_of(page) and title(page) == "My pictures: 3, 0 labelled")
    assert page.locator(".album[open]").count()

    draw(page, (0.2, 0.2), (0.62, 0.62))  # two classes: one drawn with the mouse …
    name_class(page, "cell")
    wait(lambda: title(page) == "My pictures: 3, 1 labelled")
    page.locator(".pic-top").focus()
    page.keyboard.press("b")  # … and one by keys alone
    page.keyboard.press("c")
    name_class(page, "Zelle ß")
    wait(lambda: layers(page)["truth"] == 2 and "Zelle ß 1" in page.text_content(".album-classes"))
    page.locator(".pic-top").focus()
    page.keyboard.press("n")
    wait(lambda: "/all/2" in address_of(page))
    draw(page, (0.2, 0.2), (0.62, 0.62))
    wait(lambda: title(page) == "My pictures: 3, 2 labelled")

    link = address_of(page)
    page.reload()
    page.wait_for_selector(".pic[data-drawn]")
    wait(lambda: title(page) == "My pictures: 3, 2 labelled" and layers(page).get("truth") == 1)
    other = new_page()
    other.goto(link)
    other.wait_for_selector(".pic[data-drawn]")
    wait(lambda: "private" in notice(other))
    assert "my-" not in other.inner_html(".source-of")

    press(page, "teach")
    wait(lambda: page.get_attribute('.strip button[data-step="training"]', "aria-current"))
    choose(page, "detections")  # the weights are put to use wherever the visitor is
    wait(lambda: "Taught in" in notice(page), 200)
    assert "2 classes from 1 picture" in notice(page) and "in all your 3 pictures" in notice(page)
    assert "held-out picture" in notice(page)
    wait(lambda: layers(page).get("kept", 0) > 0)
    choose(page, "training")
    wait(lambda: page.text_content(".source-name") == "a held-out picture")

    choose(page, "picture")
    press(page, "next")
    wait(lambda: "/all/3" in address_of(page))
    page.locator('.album [data-part="above"]').evaluate(
        "(slider) => { slider.value = '0.05'; slider.dispatchEvent(new Event('change', {bubbles: true})); }"
    )
    wait(lambda: layers(page).get("suggestions", 0) > 0)
    page.locator(".pic-top").focus()
    page.keyboard.press("a")  # accepts all
    wait(lambda: layers(page)["truth"] > 0 and title(page) == "My pictures: 3, 3 labelled")

    page.click(".album-more > summary")
    page.select_option('.album [data-part="format"]', "yolo")
    press(page, "download")
    page.wait_for_selector("#album-file")
    with page.expect_download() as download:
        page.click("#album-file")
    names = zipfile.ZipFile(download.value.path()).namelist()
    assert sum(name.endswith(".png") for name in names) == 3 and sum("labels/" in name for name in names) >= 3


@pytest.mark.timeout(120)
def test_what_is_done_on_a_picture_until_the_next_one_comes_is_saved_on_that_picture(opened, monkeypatch):
    released, show_next = threading.Event(), album.show_next

    def look_long(*given):
        released.wait(HANG)
        return show_next(*given)

    monkeypatch.setattr(album, "show_next", look_long)
    page = opened(SETTINGS)
    drop(page, {f"p{number}.png": picture(number) for number in range(2)})
    wait(lambda: title(page) == "My pictures: 2, 0 labelled")
    press(page, "next")
    draw(page, (0.2, 0.2), (0.62, 0.62))
    name_class(page, "cell")
    released.set()
    wait(lambda: "/all/2" in address_of(page) and title(page) == "My pictures: 2, 1 labelled")
    page.click(".source-back")
    wait(lambda: "/all/1" in address_of(page) and layers(page)["truth"] == 1)

    [before], _ = boxes(page)
    page.locator(".pic-top").focus()
    page.keyboard.press("]")
    page.keyboard.press("Control+ArrowRight")  # sent after a pause, unless the picture is left
    page.click(".source-onward")
    wait(lambda: "/all/2" in address_of(page) and boxes(page)[0] != [before])
    assert boxes(page)[0][0][0] == pytest.approx(before[0] + 10, abs=0.5) and not boxes(page)[1]


@pytest.mark.timeout(120)
def test_each_box_stays_until_python_has_answered_all_of_them_and_each_change_is_answered_once(opened, monkeypatch):
    turns, draw_slowly = threading.Semaphore(0), picture_events.draw

    def draw_in_turn(*given):
        turns.acquire(timeout=HANG)
        return draw_slowly(*given)

    monkeypatch.setattr(picture_events, "draw", draw_in_turn)
    page = opened(SETTINGS)
    drop(page, {"p.png": picture(1)})
    wait(lambda: title(page) == "My pictures: 1, 0 labelled")
    page.evaluate("window.answers = 0; document.addEventListener('edit-answered', () => window.answers++)")
    # A clock that leaps: seconds pass from one answer to the next.
    page.evaluate("() => { const now = Date.now; let leaps = 0; Date.now = () => now() + 5000 * leaps++; }")
    draw(page, (0.1, 0.1), (0.3, 0.3))
    name_class(page, "cell")
    draw(page, (0.5, 0.5), (0.8, 0.8))
    turns.release()
    wait(lambda: page.evaluate("window.answers") == 1 and title(page) == "My pictures: 1, 1 labelled")
    assert layers(page)["truth"] == 2
    draw(page, (0.1, 0.6), (0.3, 0.8))
    turns.release(2)
    wait(lambda: page.evaluate("window.answers") == 3 and len(boxes(page)[0]) == 3)

    def fail(*given):
        raise RuntimeError("a defect")

    monkeypatch.setattr(picture_events, "draw", fail)
    draw(page, (0.5, 0.1), (0.8, 0.3))
    wait(lambda: page.evaluate("window.answers") == 4)


@pytest.mark.timeout(120)
def test_the_end_of_an_upload_takes_nothing_away_from_who_has_gone_on(opened):
    page = opened(SETTINGS)
    drop(page, {"p0.png": picture(0)})
    wait(lambda: title(page) == "My pictures: 1, 0 labelled" and "/all/1" in address_of(page))
    added = "Your pictures have been added"

    held = []
    page.route("**/gradio_api/upload*", lambda route: held.append(route))
    drop(page, {"p1.png": picture(1)})
    wait(lambda: said(page) == "1 of 1" and held)
    draw(page, (0.2, 0.2), (0.62, 0.62))  # its class is still to be named
    held.pop().continue_()
    wait(lambda: title(page) == "My pictures: 2, 0 labelled" and added in notice(page))
    name_class(page, "cell")
    wait(lambda: title(page) == "My pictures: 2, 1 labelled" and "/all/1" in address_of(page))

    drop(page, {"p2.png": picture(2)})
    wait(lambda: said(page) == "1 of 1" and held)
    choose(page, "training")
    held.pop().continue_()
    wait(lambda: title(page) == "My pictures: 3, 1 labelled" and added in notice(page))
    wait(lambda: "step=training" in address_of(page))
    assert "/all/1" in address_of(page)

    drop(page, {"p3.png": picture(3)})
    wait(lambda: said(page) == "1 of 1" and held)
    held.pop().continue_()
    wait(lambda: "/all/4" in address_of(page) and added not in notice(page))


def test_a_phone_takes_a_picture_with_its_camera(opened, new_page):
    phone = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = opened(QUICK, phone)
    page.tap(".intake-camera")
    page.wait_for_selector(".intake-dialog[open]")
    wait(lambda: page.evaluate("document.querySelector('.intake-dialog video').videoWidth") > 0)
    page.tap('[data-do="close"]')
    wait(lambda: page.evaluate("document.querySelector('.intake-dialog video').srcObject") is None)
    assert said(page) == ""  # nothing is kept unless it is used
    page.tap(".intake-camera")
    wait(lambda: page.evaluate("document.querySelector('.intake-dialog video').videoWidth") > 0)
    page.tap('[data-do="take"]')
    page.tap('[data-do="use"]')
    wait(lambda: "Added 1 picture" in said(page) and "data=my-" in address_of(page))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator('.album [data-act="empty"]').tap()
    wait(lambda: title(page) == "My pictures: 1, 1 labelled")
    page.locator(".album-more > summary").tap()
    page.locator('.album [data-act="remove"]').tap()
    wait(lambda: "has been removed" in notice(page))
    page.locator('.album [data-act="undo"]').tap()
    wait(lambda: title(page) == "My pictures: 1, 1 labelled")


@pytest.mark.timeout(120)
def test_a_camera_never_blocks_a_step_that_does_not_show_it(opened):
    page = opened(QUICK)
    page.evaluate(
        "() => { const media = navigator.mediaDevices, ask = media.getUserMedia.bind(media);"
        " media.getUserMedia = async (wanted) => {"
        " await new Promise((done) => { window.allow = done; }); return window.given = await ask(wanted); }; }"
    )
    ended = "window.given?.getTracks().every(({ readyState }) => readyState === 'ended')"
    page.click(".intake-camera")
    choose(page, "training")
    page.evaluate("window.allow()")
    wait(lambda: page.evaluate(ended))
    choose(page, "picture")  # which needs a page that takes clicks

    page.click(".intake-camera")
    page.evaluate("window.allow()")
    page.wait_for_selector(".intake-dialog[open]")
    page.evaluate("""document.querySelector('.strip button[data-step="training"]').click()""")
    wait(lambda: page.evaluate(ended))
    choose(page, "picture")


@pytest.mark.timeout(120)
def test_without_a_camera_there_is_one_sentence(opened):
    page = opened(QUICK)
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', "
        "'NotAllowedError'); }; }"
    )
    page.click(".intake-camera")
    wait(lambda: said(page) == "The camera was not allowed: allow it in the browser's settings for this page, or "
         "upload a picture instead.")  # fmt: skip
    assert not page.locator(".intake-dialog[open]").count()
