"""A visitor of `benchmarks.crowd`, who sends requests as the page does."""

import io
import json
import random
import time
from http.client import HTTPConnection
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.crowd_server import ENTER, TAKE
from playground.server.live import PATH
from playground.support.visitors import COOKIE

FRAME = 1 / 60  # minimum time between two values, in seconds
LOOKS = {"curve": "loss", "p_t": 0.9, "frame": 1, "dials": "", "held": True, "switched": {}}
DRAGS = (
    ("detections", "inference.score_threshold"),
    ("detections", "inference.nms_threshold"),
    ("assignment", "matching.fg_iou_threshold"),
    ("loss", "loss.gamma"),
)
LOOKED_AT = 20  # values of a slider until a visitor who rests opens another picture
UPLOAD_SECONDS = 5  # between two uploads of a visitor
UPLOADED = (1500, 1000)  # px
PICTURES = 200_000  # numbers of visitors, at most


class Visitor:
    """One visitor with a cookie and a connection of their own.

    Attributes:
        times: Milliseconds that each answer took.
        errors: What went wrong.
    """

    def __init__(self, port: int, number: int) -> None:
        self._port, self._number = port, number
        self.times: list[float] = []
        self.errors: list[str] = []
        self._entered: dict[str, str] = {}
        self._path = ""
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)

    def send(self, path: str, body: bytes, kind: str = "application/json") -> bytes:
        """Returns the body of an answer; anything but status 200 is an error."""
        headers = {"Cookie": f"{COOKIE}=crowd{self._number}", "Content-Type": kind}
        self._connection.request("POST", path, body, headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path}: status {response.status}")
        return answer

    def ask(self, path: str, /, **fields: Any) -> dict[str, Any]:
        """Returns the JSON value of an answer."""
        answer: dict[str, Any] = json.loads(self.send(path, json.dumps(fields).encode()))
        return answer

    def enter(self, settings: dict[str, Any], picture: int = 0) -> None:
        """Opens the page in a step with a slider; another picture has another step."""
        step, self._path = DRAGS[(self._number + picture) % len(DRAGS)]
        seed = self._number + PICTURES * picture
        self._entered = self.ask(ENTER, step=step, settings={"scenes.seed": seed, **settings})

    def drag(self, end: float, pause: float = 0) -> None:
        """Drags a slider until a time of `time.monotonic`.

        Args:
            end: The time.
            pause: Mean seconds between two values; whoever pauses opens other pictures, too.
        """
        number, chance = 0, random.Random(self._number)
        self._connection.close()  # the server may have closed it while others came in
        while time.monotonic() < end:
            if pause and number and number % LOOKED_AT == 0:
                self.enter({}, number // LOOKED_AT)
            number += 1
            seconds = self._move(round(0.45 + 0.0007 * (number * 37 % 601), 4))
            if pause:
                self._connection.close()  # some rests are longer than the server keeps it open
            time.sleep(max(FRAME - seconds, 0) + chance.uniform(0, 2 * pause))

    def _move(self, value: float) -> float:
        """Moves the slider, and returns how many seconds the answer took."""
        settings = json.dumps({**json.loads(self._entered["settings"]), self._path: value})
        body = {"token": self._entered["token"], "settings": settings, **LOOKS}
        start = time.perf_counter()
        answer = self.send(PATH, json.dumps(body).encode())
        seconds = time.perf_counter() - start
        if not json.loads(answer.split(b"\n", 1)[0] or b"{}").get("canvas"):
            self.errors.append(f"{self._path}: an answer without a picture: {answer[:200]!r}")
        self.times.append(1e3 * seconds)
        return seconds

    def upload(self, end: float) -> None:
        """Uploads a picture every few seconds."""
        rng = np.random.default_rng(self._number)
        while time.monotonic() < end:
            file = io.BytesIO()
            small = Image.fromarray(rng.integers(0, 255, (50, 75, 3), dtype=np.uint8))
            small.resize(UPLOADED).save(file, "jpeg")
            self._connection.close()  # the server does not keep it open that long
            name, start = rng.bytes(16).hex(), time.perf_counter()
            lines = f'--crowd\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
            body = lines + file.getvalue() + b"\r\n--crowd--\r\n"
            path = json.loads(self.send("/gradio_api/upload", body, "multipart/form-data; boundary=crowd"))[0]
            if (taken := self.ask(TAKE, path=path, name="crowd.jpg"))["error"]:
                self.errors.append(f"upload: {taken['error']}")
            self.times.append(1e3 * (time.perf_counter() - start))
            time.sleep(UPLOAD_SECONDS)
