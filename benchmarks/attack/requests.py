"""Altered requests of the browser, links, and requests of other sites."""

import json
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from benchmarks.attack.answers import require_readable
from benchmarks.attack.mutations import alter_bytes, alter_text, alter_value, nasty_value, write_json
from benchmarks.attack.outcome import Attempt, Refused
from core.config import Config, knobs
from playground.access.hosts import KnownHosts
from playground.access.origins import OriginGuard
from playground.events.navigation import open_link
from playground.server.live import PATH, route
from playground.server.live_api import answer, is_heavy
from playground.server.render import render
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps import STEPS

SMALL = {"scenes.image_size": 64, "inference.image_size": 64, "scenes.min_size": 0.3}
SMALL |= {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 0, "model.depth": 18}
LINK = {**SMALL, "step": "loss", "level": "P4", "curve": "loss", "p_t": "0.5", "pick": "20,20", "run": "x"}
LINK |= {"graph": "ap", "counted": "3", "match": "0.5", "of": "square", "why": "class", "why_at": "features"}
LINK |= {"box": "5,1,1,9,9", "deltas": "5,0,0,0,0", "figure": "errors", "choice": "cell 0 1"}
LINK |= {"data": "scene", "pinned": "loss.gamma=1", "pinned_data": "x", "beside": "true", "score": "0.5", "iou": "0.5"}
LINK |= {"view": "story", "course": "focal.1", "hide": "x", "embed": "loss", "layers": "x", "answer": "1", "map": "x"}
LINK |= {"lesson": "x"}
OWN = "http://127.0.0.1:7860"
NAMES = (
    "127.0.0.1:7860",
    "localhost",
    "evil.example",
    "127.0.0.1.evil.example",
    "[::1]",
    "",
    "10.0.0.1",
    "127.0.0.1:1",
)
SITES = (None, "same-origin", "same-site", "cross-site", "none", "")


def attack_live(folder: Path) -> Attempt:
    """Prepares altered requests of the fast path."""
    state = PageState("detections", settings=settings_of(Config.from_flat(SMALL)))
    token = json.loads(render(state).strip)["token"]
    sent: dict[str, Any] = {"token": token, "settings": json.loads(state.settings), "curve": "loss", "p_t": 0.9}
    sent |= {"frame": 1, "dials": "", "switched": {"truth": True}, "held": True}
    client = TestClient(Starlette(routes=[route(answer, is_heavy)]))

    def attempt(random: Random) -> None:
        request = {**sent, "settings": write_json(sent["settings"])}
        match random.randrange(4):
            case 0:
                body = alter_bytes(json.dumps(request).encode(), random)
            case 1:
                request["settings"] = write_json(alter_value(sent["settings"], random))
                body = write_json(request).encode()
            case 2:
                request["dials"] = alter_text("graph=boxes&counted=3&of=x&why=box&why_at=features", random)
                body = write_json(request).encode()
            case _:
                body = write_json(alter_value(request, random)).encode()
        found = client.post(PATH, content=body)
        assert found.status_code in (200, 413, 429), f"status {found.status_code}"
        lines = list(found.iter_lines())
        assert lines or found.status_code != 200, "an answer without a line"
        for line in lines if found.status_code == 200 else ():
            if notice := json.loads(line).get("notice"):
                raise Refused(notice)

    return attempt


def attack_links(folder: Path) -> Attempt:
    """Prepares altered links."""
    names = (*LINK, *knobs())

    def attempt(random: Random) -> None:
        values = {**SMALL, "step": random.choice(list(STEPS))}
        for name in random.sample(names, random.randint(1, 4)):
            usual = str(LINK.get(name, Config().to_flat().get(name, "")))
            values[name] = random.choice((usual, alter_text(usual, random), str(nasty_value(random))))
        query = urlencode({name: str(value) for name, value in values.items()}, errors="replace")
        if random.random() < 0.2:
            query = alter_text(query, random)
        state, message = open_link(query)
        update = render(state)
        require_readable(update)
        if notice := message or update.notice:
            raise Refused(notice)

    return attempt


def attack_origins(folder: Path) -> Attempt:
    """Prepares requests of other sites: one that changes something and is answered is a failure."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("answered")(scope, receive, send)

    client = TestClient(OriginGuard(app, KnownHosts()), base_url=OWN)

    def attempt(random: Random) -> None:
        host, origin = random.choice(NAMES), random.choice((None, "null", *(f"http://{name}" for name in NAMES)))
        if random.random() < 0.3:
            origin = quote(alter_text(OWN, random), safe=":/[].", errors="replace")
        if random.random() < 0.2:
            host = quote(alter_text(random.choice(NAMES), random), safe=":/[].", errors="replace")
        site = random.choice(SITES)
        headers = {"host": host, "origin": origin, "sec-fetch-site": site}
        sent = {name: value for name, value in headers.items() if value is not None}
        path = random.choice((PATH, "/gradio_api/component_server", "/gradio_api/upload", "/"))
        found = client.post(path, content="{}", headers=sent)
        if found.status_code in (403, 421):
            raise Refused(found.text)
        name = host.split(":")[0].lower().rstrip(".")
        assert name in ("127.0.0.1", "localhost") or host.startswith("[::1]"), f"answered to {headers}"
        assert site in (None, "same-origin", "none"), f"answered {headers}"
        assert origin in (None, "null") or origin.lower().removeprefix("http://") == host.lower(), f"answered {headers}"

    return attempt
