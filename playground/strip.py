"""The strip of steps: navigation with live numbers. Choosing a step fires `select` with {"step": key}.

It also keeps the page's address: going back or forward in the browser's history fires `edit` with {"query": …}.
"""

import itertools
import json
from pathlib import Path
from typing import Any

import gradio as gr

SCRIPT = (Path(__file__).parent / "strip.js").read_text("utf-8")


_answers = itertools.count()


def strip() -> gr.HTML:
    """Builds the component, empty; its value is made by `value`."""
    return gr.HTML(
        "",
        part="strip",
        html_template='<nav class="strip" aria-label="Steps of the pipeline"></nav>',
        js_on_load=SCRIPT,
        apply_default_css=False,
    )


def value(current: str, titles: dict[str, str], headlines: dict[str, str], query: str, **asked: Any) -> str:
    """Returns the component's value, each time another one, so that the browser notices every answer.

    Args:
        current: Key of the chosen step.
        titles: Of all steps by key, in order.
        headlines: Live numbers by key.
        query: Settings as a URL query; the page's address follows them.
        asked: What was asked, for `live.js`.
    """
    steps = [{"key": key, "title": title, "headline": headlines.get(key, "")} for key, title in titles.items()]
    return json.dumps({"current": current, "steps": steps, "query": query, "answer": next(_answers), **asked})
