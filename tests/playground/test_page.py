"""The page is served, also where its first answer takes long."""

from urllib.request import urlopen

import gradio as gr

from playground.page import launch_options


def test_a_slow_first_page_does_not_end_the_app(monkeypatch):
    monkeypatch.setattr("gradio.networking.url_ok", lambda url: False)  # what Gradio finds after 3 s without an answer
    with gr.Blocks() as page:
        gr.HTML("a page")
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    try:
        with urlopen(address, timeout=30) as answer:
            assert answer.status == 200
    finally:
        page.close()
