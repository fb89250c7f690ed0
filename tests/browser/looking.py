"""What the tests of the real page read from it and do to it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from playground.server.live import head
from tests.waiting import wait

FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
FULL_SCREEN = "document.fullscreenElement !== null"

QUICK = (
    "model.weights=random&model.fpn_channels=32&model.num_convs=1&inference.image_size=96&scenes.image_size=96"
    "&scenes.min_size=0.3&training.batch_size=2&training.eval_images=2"
)


@contextmanager
def serve(demo: gr.Blocks) -> Iterator[str]:
    """Serves single components with the scripts of the real page; yields the address."""
    _, address, _ = demo.launch(
        prevent_thread_lock=True,
        quiet=True,
        head=head(),
        run_history=False,
        enable_monitoring=False,
        _frontend=False,  # it would be asked for its first page, and fail after 3 s
    )
    yield address
    demo.close()


def address_of(page) -> str:
    """The page's address; `page.url` is only brought up to date by other calls."""
    return page.evaluate("location.href")


def headline(page, step: str) -> str:
    """The number in the strip under a step, or under a part of one."""
    return page.text_content(f'.strip button[data-cell="{step}"] span') or ""


def choose(page, step: str) -> None:
    page.click(f'.strip button[data-step="{step}"]')
    wait(lambda: page.get_attribute(f'.strip button[data-step="{step}"]', "aria-current"))


def layers(page) -> dict[str, int]:
    return json.loads(page.get_attribute(".pic", "data-layers") or "{}")


def notice(page) -> str:
    return page.text_content(".notice")


def set_slider(page, knob: str, value: float) -> None:
    page.locator(f"#knob-{knob} input[type=range]").evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input', {bubbles: true})); }", value
    )
