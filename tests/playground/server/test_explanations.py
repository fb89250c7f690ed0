"""Each explanation of the network has a link that opens it, with its sentences and its numbers."""

from html import unescape

import pytest

from core.config import Config
from playground.inspector import pyramid, rescue_report, why
from playground.server.permalink import from_link, to_link
from playground.server.render import render
from playground.state.settings import settings_of
from playground.steps.atlas import view as atlas
from playground.steps.frameworks import view as frameworks
from playground.steps.loss import steering
from playground.steps.robustness import view as robustness
from tests.playground.inspector.test_inspect import SMALL

CONFIG = Config.from_flat({**SMALL, "inference.max_detections": 4})
LINKS = {
    "why this box": ("step=detections&pick=40,40&why=class", ("class logit", why.SEES)),
    "who steers": ("step=loss&curve=who steers", ("Who steers the class subnet", steering.ABOUT)),
    "cheapest rescue": ("step=detections&rescue=yes", ("fewest steps", rescue_report.METHOD.strip())),
    "robustness": ("step=detections&graph=robustness&change=blur", ("Robustness: blur", robustness.METHOD)),
    "aliasing": ("step=detections&graph=robustness&change=aliasing", ("after a whole stride", robustness.ALIASES)),
    "through the pyramid": ("step=network&pick=40,40", ("Through the pyramid at 40, 40", pyramid.ABOUT)),
    "its levels": ("step=assignment&pick=40,40,truth,0", ("Its levels", "foreground anchors")),
    "other frameworks": (
        "step=detections&graph=frameworks&framework=mmdetection",
        ("What MMDetection does differently", frameworks.METHOD),
    ),
    "stability atlas": ("step=training&across=gamma&down=alpha", (atlas.TITLE, atlas.LIMITS)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LINKS)
def test_a_link_opens_it(name):
    query, expected = LINKS[name]
    state = from_link(query)._replace(settings=settings_of(CONFIG))
    shown = render(from_link(to_link(state, CONFIG)))
    text = unescape(f"{shown.readout}{shown.more}")
    assert not shown.notice and all(each in text for each in expected), text[:2000]
