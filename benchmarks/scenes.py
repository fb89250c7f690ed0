"""Time to render a scene with default settings on one thread."""

from functools import partial

import torch

from benchmarks.clock import time_in_turn
from core.config import Scenes
from core.scenes.render import render_scene

SCENES = 40


def main() -> None:
    """Prints the mean over several scenes for two image sizes."""
    torch.set_num_threads(1)

    def render(size: int) -> None:
        for index in range(SCENES):
            render_scene(Scenes(image_size=size), index)

    works = {f"{size} px": partial(render, size) for size in (256, 320)}
    for name, seconds in time_in_turn(works, repeats=5).items():
        print(f"{name}: {1000 * seconds / SCENES:.1f} ms")


if __name__ == "__main__":
    main()
