"""The page is served, also where its first answer takes long."""

import re
from collections import Counter
from urllib.request import urlopen

import gradio as gr
import pytest

from playground.page import build_page, launch_options


@pytest.mark.slow
def test_a_slow_first_page_does_not_end_the_app(monkeypatch):
    monkeypatch.setattr("gradio.networking.url_ok", lambda url: False)  # what Gradio finds after 3 s without an answer
    with gr.Blocks() as page:
        gr.HTML("a page")
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    try:
        with urlopen(address, timeout=120) as answer:
            assert answer.status == 200
    finally:
        page.close()


@pytest.mark.slow
def test_events_say_where_their_progress_is_shown():
    """At every event Gradio's browser part copies the properties of all components that any event names for this."""
    page = build_page()
    events = [each for each in page.fns.values() if each.fn]
    assert len(events) > 50
    assert [each.name for each in events if each.show_progress_on is None] == []
    shown = {block._id for each in events for block in each.show_progress_on}
    assert 0 < len(shown) < 6
    hidden = [each.name for each in events if (each.show_progress == "hidden") != (each.show_progress_on == [])]
    assert hidden == []


@pytest.mark.slow
def test_the_page_carries_no_documentation_of_its_events():
    page = build_page()
    assert {each.api_visibility for each in page.fns.values()} == {"private", "undocumented"}
    assert page.get_api_info()["named_endpoints"] == {}


@pytest.mark.slow
def test_no_two_elements_have_the_same_id():
    blocks = build_page().blocks.values()
    ids = [block.elem_id for block in blocks if block.elem_id]
    for block in blocks:
        ids += re.findall(r' id="([\w-]+)"', getattr(block, "html_template", None) or "")
    assert {"my-pictures", "my-pictures-panel", "undo"} <= set(ids)
    assert [each for each, count in Counter(ids).items() if count > 1] == []
