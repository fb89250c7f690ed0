"""The strip of steps: navigation with live numbers. Choosing a step fires `select` with {"step": key}.

It also keeps the page's address: going back or forward in the browser's history fires `edit` with {"query": …}.
"""

import json
from pathlib import Path

import gradio as gr

SCRIPT = (Path(__file__).parent / "strip.js").read_text("utf-8")


def strip() -> gr.HTML:
    """Builds the component, empty; its value is made by `value`."""
    return gr.HTML(
        "",
        html_template='<nav class="strip" aria-label="Steps of the pipeline"></nav>',
        js_on_load=SCRIPT,
        apply_default_css=False,
    )


def value(current: str, titles: dict[str, str], headlines: dict[str, str], query: str) -> str:
    """Returns the component's value.

    Args:
        current: Key of the chosen step.
        titles: Of all steps by key, in order.
        headlines: Live numbers by key.
        query: Settings as a URL query; the page's address follows them.
    """
    steps = [{"key": key, "title": title, "headline": headlines.get(key, "")} for key, title in titles.items()]
    return json.dumps({"current": current, "steps": steps, "query": query})
