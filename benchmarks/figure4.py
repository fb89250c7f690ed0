"""Figure 4 of the paper for the built-in detector: how concentrated the loss is, on held-out scenes."""

import argparse

import torch

from core.analysis.loss_concentration import GAMMAS, AnchorLogits, compute_cumulative_loss, compute_hardest_share
from core.config import Config, Loss
from core.data.sources import open_data
from core.retinanet.assigners import NetworkView, assign_anchors
from core.retinanet.predict import make_batch_anchors, predict
from core.retinanet.preprocess import scale_objects
from core.weights.sources import adopt, build, load_weights

SHARES = (0.2, 0.01)


def main() -> None:
    """Prints, for each γ, the share of the loss of the hardest 20% and 1% of foreground and background anchors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="builtin")
    parser.add_argument("--images", type=int, default=200)
    options = parser.parse_args()
    sides = collect(options.weights, options.images)
    print(f"{len(sides.foreground):,} foreground and {len(sides.background):,} background anchors")
    for gamma in GAMMAS:
        foreground, background = sides.compute_losses(Loss(gamma=gamma))
        parts = (("foreground", foreground), ("background", background))
        held = [
            f"{name} {share:.0%}: {compute_hardest_share(compute_cumulative_loss(losses), share):.3f}"
            for name, losses in parts
            for share in SHARES
        ]
        print(f"γ = {gamma:<4g}", "  ".join(held))


def collect(name: str, images: int) -> AnchorLogits:
    """Returns a detector's logits for the anchors of held-out scenes."""
    weights = load_weights(name)
    config = adopt(Config(), weights)
    model, data = build(config, weights), open_data("scenes", "test", config.scenes, images)
    pictures = []
    for index in range(images):
        sample = data[index]
        batch, outputs = predict(model, [sample.image], config)
        boxes, labels = scale_objects(sample, batch.factors[0])
        with torch.inference_mode():
            grid = make_batch_anchors(batch, config.anchors)
            logits, deltas = outputs.logits[0], outputs.deltas[0]
            match = assign_anchors(grid, boxes, config.matching, NetworkView(logits, deltas, labels))
            pictures.append(AnchorLogits.from_outputs(logits, deltas, grid.boxes, match, boxes, labels))
    return AnchorLogits.join(pictures)


if __name__ == "__main__":
    main()
