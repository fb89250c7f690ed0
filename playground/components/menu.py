"""A button that opens a list of choices."""

from collections.abc import Sequence
from typing import NamedTuple

import gradio as gr
from markupsafe import Markup

from playground.support.scripts import read_scripts

SCRIPT = read_scripts("components/menu.js")


class MenuItem(NamedTuple):
    """An item of a menu: the value that it sends, its label, and a note shown beside the label."""

    key: str
    name: str
    note: str = ""


def menu(label: str, items: Sequence[MenuItem], *, elem_id: str) -> gr.HTML:
    """Builds the component; its value is the key of the current choice, "" for none.

    It fires `select` with {"choose": key}.

    Args:
        label: Text of the button.
        items: The choices.
        elem_id: Id of its element.
    """
    choices = Markup("").join(
        Markup('<button type="button" data-choose="{}">{}{}</button>').format(
            item.key, item.name, Markup(" <small>{}</small>").format(item.note) if item.note else ""
        )
        for item in items
    )
    opener = Markup(
        '<button type="button" class="menu-opener" aria-expanded="false" aria-controls="{}-list">{}</button>'
    )
    return gr.HTML(
        "",
        html_template=opener.format(f"{elem_id}", label)
        + Markup('<div class="menu-list" id="{}-list" role="group" aria-label="{}" hidden>{}</div>').format(
            elem_id, label, choices
        ),
        js_on_load=SCRIPT,
        apply_default_css=False,
        padding=False,
        elem_id=elem_id,
        elem_classes=["menu"],
    )
