"""The page for `benchmarks.crowd`, with routes by which its visitors come in: `python -m benchmarks.crowd_server PORT`.

It serves from the current folder until the process is ended.
"""

import json
import sys
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from core.config import Config
from playground.data.intake import take
from playground.evaluations.jobs import EVALUATIONS
from playground.evaluations.store import Store
from playground.page import build_page, launch_options
from playground.runs.service import RUNS
from playground.server.render import render
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.support.visitors import visitor_of

ENTER, TAKE, TRAIN = "/crowd/enter", "/crowd/take", "/crowd/train"


def main() -> None:
    """Serves the page."""
    options = launch_options()
    options["app_kwargs"]["routes"] += [Route(path, _endpoint(act), methods=["POST"]) for path, act in ACTS.items()]
    page = build_page()
    EVALUATIONS.open(Store(RUNS.root.parent / "evaluations"))
    page.launch(server_port=int(sys.argv[1]), quiet=True, **options)


def _endpoint(act: Any) -> Any:
    async def endpoint(request: Request) -> JSONResponse:
        return JSONResponse(await run_in_threadpool(act, await request.json(), request))

    return endpoint


def _enter(asked: dict[str, Any], request: Request) -> dict[str, str]:
    """Returns the token of a step under settings, and the settings as the page sends them."""
    settings = settings_of(Config.from_flat(asked["settings"]))
    state = PageState(asked["step"], settings=settings, visitor=visitor_of(request))
    return {"token": json.loads(render(state).strip)["token"], "settings": settings}


def _train(asked: dict[str, Any], request: Request) -> dict[str, str]:
    """Starts a run that is longer than any crowd stays."""
    return {"run": RUNS.start(Config.from_flat(asked["settings"]), owner=visitor_of(request))}


ACTS: dict[str, Any] = {ENTER: _enter, TAKE: take, TRAIN: _train}

if __name__ == "__main__":
    main()
