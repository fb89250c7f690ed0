"""The picture with its layers: one canvas the browser redraws from typed arrays, and what it sends back.

Python describes what to show as a `View`; `payload` packs it into one string, the component's value. The picture itself
does not travel with it: the value names it by hash and the browser fetches it once (`fetch_picture`), so that moving a
slider sends boxes and nothing else. The browser fires `select` with `{x, y}` for a click and `edit` with `{boxes}` when
the user has changed the ground truth; `canvas_edit` reads both.
"""

import hashlib
import json
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Collection
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

import gradio as gr
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from playground.canvas.edit import MAX_BOXES
from playground.canvas.view import COLOURS, TRUTH, Heat, Layer, View

TINY = 128 * 128  # pixels up to which a picture is sent without loss: enlarged, JPEG's blocks would show
# One program, in this order.
SCRIPTS = ("geometry.js", "view.js", "draw.js", "tags.js", "boxes.js", "edit.js", "layers.js", "canvas.js", "input.js")
KEPT_PICTURES = 64  # that browsers may still ask for; each is asked for right after `payload` named it


def canvas(part: str) -> gr.HTML:
    """Builds the component, empty. Update it with `payload`; listen to its `select` and `edit`.

    Listen with `trigger_mode="multiple"` and the queue, which keeps their order: under "always_last", Gradio runs the
    last of several events with the data of the first.
    """
    here = Path(__file__).parent
    scripts = [(here / name).read_text("utf-8") for name in SCRIPTS]
    page, style = ((here / name).read_text("utf-8") for name in ("canvas.html", "canvas.css"))
    return gr.HTML(
        "",
        part=part,
        html_template=page,
        js_on_load="\n".join(scripts),
        # Not css_template: Gradio compiles that again, and restyles the whole page, at every update.
        head=f"<style>{style}</style>",
        apply_default_css=False,
        server_functions=[fetch_picture],
    )


def picture_url(image: Tensor) -> str:
    """Returns a picture (uint8 [3, H, W]) as a data URL: JPEG, or PNG when tiny.

    Raises:
        ValueError: Not a picture of that type and shape.
    """
    if image.dtype != torch.uint8 or image.ndim != 3 or image.shape[0] != 3 or image.numel() == 0:
        raise ValueError(f"A picture is uint8 [3, H, W], not {image.dtype} {list(image.shape)}.")
    kind = "png" if image.shape[1] * image.shape[2] <= TINY else "jpeg"
    file = BytesIO()
    Image.fromarray(image.permute(1, 2, 0).cpu().numpy()).save(file, kind, quality=90)  # [H, W, 3]
    return f"data:image/{kind};base64,{b64encode(file.getvalue()).decode('ascii')}"


def payload(view: View, without: Collection[str] = ()) -> str:
    """Returns the component's value for a view, and keeps its picture for the browser to fetch.

    Args:
        view: What to show.
        without: Keys of layers of which only how many boxes they have is told.

    Raises:
        ValueError: A layer's arrays do not fit together, or its colour is no role.
    """
    if view.editable and any(layer.key == TRUTH and layer.labels is None for layer in view.layers):
        raise ValueError(f"The layer {TRUTH!r} of an editable view needs labels.")
    packed = {
        **view._asdict(),
        "picture": _remember(view.picture) if view.picture else None,
        "layers": [_pack_layer(layer, empty=layer.key in without) for layer in view.layers],
        "heat": _pack_heat(view.heat, empty=view.heat.key in without) if view.heat else None,
        "max_boxes": MAX_BOXES,
    }
    # Gradio takes a "<script>" in a value, here a class of that name, for a mistake and logs a warning.
    return json.dumps(packed, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def fetch_picture(key: object) -> str | None:
    """Returns the data URL of a picture `payload` has named, for the browser; None for any other key."""
    with _lock:
        return _pictures.get(key) if isinstance(key, str) else None


_pictures: OrderedDict[str, str] = OrderedDict()  # hash → data URL, latest last; shared by all visitors
_lock = Lock()


def _remember(url: str) -> str:
    key = hashlib.sha256(url.encode()).hexdigest()
    with _lock:
        _pictures[key] = url
        _pictures.move_to_end(key)
        while len(_pictures) > KEPT_PICTURES:
            _pictures.popitem(last=False)
    return key


def _pack_layer(layer: Layer, *, empty: bool) -> dict[str, Any]:
    if layer.colour not in COLOURS:
        raise ValueError(f"Layer {layer.key!r}: no colour has the role {layer.colour!r}.")
    count = len(layer.boxes)
    if layer.captions and len(layer.captions) != count:
        raise ValueError(f"Layer {layer.key!r}: {len(layer.captions)} captions for {count} boxes.")
    if layer.labels is not None and len(layer.labels) != count:
        raise ValueError(f"Layer {layer.key!r}: {len(layer.labels)} labels for {count} boxes.")
    packed = {**layer._asdict(), "colour": COLOURS[layer.colour], "count": count}
    if empty:
        return {**packed, "boxes": "", "values": None, "captions": (), "links": None, "labels": None}
    return {
        **packed,
        "boxes": _pack_floats(layer, "boxes", (count, 4)),
        "values": _pack_floats(layer, "values", (count,)),
        "links": _pack_floats(layer, "links", (count, 4)),
        "labels": None if layer.labels is None else [int(label) for label in layer.labels],
    }


def _pack_floats(layer: Layer, name: str, shape: tuple[int, ...]) -> str | None:
    values = getattr(layer, name)
    values = values() if callable(values) else values
    if values is None:
        return None
    packed = np.asarray(values, dtype="<f4")
    if packed.shape != shape:
        raise ValueError(f"Layer {layer.key!r}: {name} must be {list(shape)}, not {list(packed.shape)}.")
    return _base64(packed)


def _pack_heat(heat: Heat, *, empty: bool) -> dict[str, Any]:
    values = np.nan_to_num(np.asarray(heat.values, dtype=np.float32))  # [h, w]
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"Heat {heat.key!r}: values must be [h, w], not {list(values.shape)}.")
    rows, columns = values.shape
    extent = [float(edge) for edge in heat.extent]
    return {
        **heat._asdict(),
        # The colour map has 256 colours.
        "values": "" if empty else _base64(np.rint(values.clip(0, 1) * 255).astype(np.uint8)),
        "rows": rows,
        "columns": columns,
        "count": values.size,
        "extent": extent,
    }


def _base64(array: np.ndarray) -> str:
    return b64encode(array.tobytes()).decode("ascii")
