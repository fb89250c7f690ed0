"""The canvas component: a picture with its layers, which the browser draws from typed arrays.

Python describes the content as a `View`, and `payload` packs it into one string, the value of the component. The value
names the picture by its hash and the browser fetches it once (`fetch_picture`), so that moving a slider sends only
boxes. The browser fires `select` on a click, `edit` when the visitor has changed the ground truth, `classes` when a
class is to change, and `next` when the next picture is wanted; `playground.canvas.edit` reads the first three.
"""

import hashlib
import json
import math
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

from playground.canvas.view import COLOURS, SUGGESTIONS, TRUTH, Heat, Layer, View
from playground.support.names import CLASS_COLOURS, MAX_CLASSES, MAX_NAME
from playground.support.picture_limits import MAX_BOXES
from playground.support.scripts import read_scripts
from playground.support.visitors import visitor_of

TINY = 128 * 128  # pixels; up to here a picture is sent as PNG, since JPEG's blocks would show when it is enlarged
# Concatenated in this order.
SCRIPTS = (
    "geometry.js", "view.js", "svg.js", "draw.js", "tags.js", "overlay.js", "boxes.js", "suggestions.js", "classes.js",
    "history.js", "drawing.js", "gestures.js", "edit.js", "layers.js", "canvas.js", "hover.js", "carry.js",
    "pointing.js", "saving.js", "class_bar.js", "keys.js", "input.js",
)  # fmt: skip
KEPT_PICTURES = 64  # available to browsers, which fetch a picture right after they have received its hash


def canvas(part: str) -> gr.HTML:
    """Builds the component, empty. Its value comes from `payload`; it fires `select`, `edit`, `classes` and `next`.

    Listen to them with `trigger_mode="multiple"` and Gradio's queue, which keeps their order: with "always_last",
    Gradio runs the last of several events with the data of the first.

    Args:
        part: Its name among the parts of the page, see `playground.server.render.PageUpdate`.
    """
    here = Path(__file__).parent
    page, style = ((here / name).read_text("utf-8") for name in ("canvas.html", "canvas.css"))
    return gr.HTML(
        "",
        part=part,
        html_template=page,
        js_on_load=read_scripts("components/embed.js", *(f"canvas/{name}" for name in SCRIPTS)),
        # Not css_template, which Gradio recompiles at every update, restyling the whole page.
        head=f"<style>{style}</style>",
        apply_default_css=False,
        server_functions=[fetch_picture],
    )


def picture_url(image: Tensor) -> str:
    """Returns a picture (uint8 [3, H, W]) as a data URL: JPEG, or PNG if it is tiny.

    Raises:
        ValueError: The image has another type or shape.
    """
    return encode(image, "png" if math.prod(image.shape[1:]) <= TINY else "jpeg")


def encode(image: Tensor, kind: str, quality: int = 90) -> str:
    """Returns a picture as a data URL.

    Args:
        image: uint8 [3, H, W].
        kind: "png" or "jpeg".
        quality: That of a JPEG, up to 95.

    Raises:
        ValueError: The image has another type or shape.
    """
    if image.dtype != torch.uint8 or image.ndim != 3 or image.shape[0] != 3 or image.numel() == 0:
        raise ValueError(f"A picture must be uint8 [3, H, W], not {image.dtype} {list(image.shape)}.")
    file = BytesIO()
    Image.fromarray(image.permute(1, 2, 0).cpu().numpy()).save(file, kind, quality=quality)  # [H, W, 3]
    return f"data:image/{kind};base64,{b64encode(file.getvalue()).decode('ascii')}"


def payload(view: View, without: Collection[str] = (), visitor: str = "") -> str:
    """Returns the value of the component for a view, and stores the picture for the browser to fetch.

    Args:
        view: The content.
        without: Keys of the layers that are sent without their boxes, only with the number of boxes.
        visitor: Who sees it, and alone can fetch the picture.

    Raises:
        ValueError: The arrays of a layer have different lengths, or its colour is not a role.
    """
    _check_editable(view)
    packed = {
        **view._asdict(),
        "picture": _remember(view.picture, visitor) if view.picture else None,
        "layers": [_pack_layer(layer, empty=layer.key in without) for layer in view.layers],
        "heat": _pack_heat(view.heat, empty=view.heat.key in without) if view.heat else None,
        "rejected": [] if view.rejected is None else np.asarray(view.rejected, dtype=np.float64).tolist(),
        "max_boxes": MAX_BOXES,
        "max_classes": MAX_CLASSES,
        "max_name": MAX_NAME,
        "palette": CLASS_COLOURS if view.free_classes else (),
    }
    # Gradio logs a warning about a "<script>" in a value, such as a class of that name.
    return json.dumps(packed, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _check_editable(view: View) -> None:
    if view.class_colours and len(view.class_colours) != len(view.classes):
        raise ValueError(f"{len(view.class_colours)} colours for {len(view.classes)} classes.")
    for layer in view.layers if view.editable else ():
        if layer.key in (TRUTH, SUGGESTIONS) and layer.labels is None:
            raise ValueError(f"The layer {layer.key!r} of an editable view must have labels.")
        if layer.key == SUGGESTIONS and layer.values is None:
            raise ValueError(f"The layer {SUGGESTIONS!r} must have values: the scores.")


def fetch_picture(key: object, sender: gr.Request) -> str | None:
    """Returns what `find_picture` returns for the sender; the browser calls it by this name."""
    return find_picture(key, visitor_of(sender))


def find_picture(key: object, visitor: str = "") -> str | None:
    """Returns the data URL of a picture by the hash that `payload` gave it for a visitor; None for anything else."""
    with _lock:
        url, owner = _pictures.get(key, ("", "")) if isinstance(key, str) else ("", "")
    return url if url and owner == visitor else None


_pictures: OrderedDict[str, tuple[str, str]] = OrderedDict()  # hash → data URL and visitor, the latest last
_lock = Lock()


def _remember(url: str, visitor: str) -> str:
    key = hashlib.sha256(f"{visitor} {url}".encode()).hexdigest()
    with _lock:
        _pictures[key] = url, visitor
        _pictures.move_to_end(key)
        while len(_pictures) > KEPT_PICTURES:
            _pictures.popitem(last=False)
    return key


def _pack_layer(layer: Layer, *, empty: bool) -> dict[str, Any]:
    if layer.colour not in COLOURS:
        raise ValueError(f"Layer {layer.key!r}: {layer.colour!r} is not the role of a colour.")
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
        "values": "" if empty else _base64(np.rint(values.clip(0, 1) * 255).astype(np.uint8)),  # indices of colours
        "rows": rows,
        "columns": columns,
        "count": values.size,
        "extent": extent,
    }


def _base64(array: np.ndarray) -> str:
    return b64encode(array.tobytes()).decode("ascii")
