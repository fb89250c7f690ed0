"""Milliseconds to render a scene with the default dials, one thread."""

import torch

from benchmarks.clock import side_by_side
from core.config import Scenes
from core.scenes.render import render_scene

SCENES = 40


def main() -> None:
    """Prints the mean over different scenes for two picture sizes."""
    torch.set_num_threads(1)

    def render(size: int) -> None:
        for index in range(SCENES):
            render_scene(Scenes(image_size=size), index)

    works = {f"{size} px": lambda size=size: render(size) for size in (256, 320)}
    for name, seconds in side_by_side(works, repeats=5).items():
        print(f"{name}: {1000 * seconds / SCENES:.1f} ms")


if __name__ == "__main__":
    main()
