"""Training: a short run on scenes like the one on the page, its losses, its AP and what it finds as it goes."""

from pathlib import Path

from core.config import Config, knobs
from core.knobs import Effect, Knob
from playground import readout
from playground.figures import Figure, colour, training
from playground.runs import Progress, Runs
from playground.situation import Situation
from playground.step import Focus, Look, Step, truth_layer
from playground.steps import comparison
from playground.steps.detections import candidate_layers
from playground.steps.levels import part_levels

POINTS = 500  # of a curve, at most about twice as many are drawn
RUNS = Runs(Path("runs"))  # of the folder the page is started in


def look(situation: Situation, focus: Focus) -> Look:
    """Shows the run and what its latest weights find in the picture."""
    if not focus.run:
        hint = (
            "Press Start to train on scenes made with the dials of the Picture step, from the chosen initial weights, "
            "or Compare to watch the chosen short runs one after another."
        )
        text = readout.paragraph(hint) + comparison.measured() + comparison.rivals()
        return Look((truth_layer(situation),), readout=text)
    progress = RUNS.read(focus.run)
    layers = (truth_layer(situation),)
    if progress.evaluations:
        trained = Situation(situation.picture, run_config(focus.run, situation.config))
        kept = candidate_layers(trained.stages, trained.network.class_names)[-1]
        arm = progress.curves[-1].part.arm.name
        whose = f" by {arm}" if arm else ""
        layers = (*layers, kept._replace(label=f"found{whose} after step {progress.evaluations[-1]['step']}"))
    if progress.preset:
        curves = comparison.figure(progress) if progress.steps else None
        return Look(layers, readout=comparison.status(progress), figure=curves)
    return Look(layers, readout=_status(progress, focus.run), figure=figure(progress) if progress.steps else None)


def run_config(name: str, config: Config) -> Config:
    """Returns the settings of a run with its latest weights, and what is on the page for all after the network.

    The run must have saved weights.
    """
    run = RUNS.weights(name)
    values = config.to_flat()
    decode = {path: values[path] for path, knob in knobs().items() if knob.effect == Effect.DECODE}
    return Config.from_file(run.config).replace({**decode, "model.weights": str(run.weights), "model.heads": "loaded"})


def figure(progress: Progress) -> Figure:
    """Returns the curves of a run."""
    shown = progress.steps[:: 1 + len(progress.steps) // POINTS]
    steps = [record["step"] for record in shown]
    losses = [
        ("classification", colour("before"), steps, [record["classification"] for record in shown]),
        ("box", colour("foreground"), steps, [record["box"] for record in shown]),
    ]
    at = [record["step"] for record in progress.evaluations]
    precision = [
        ("AP", colour("kept"), at, [record["metrics"]["ap"] for record in progress.evaluations]),
        ("AP50", colour("ignored"), at, [record["metrics"]["ap50"] for record in progress.evaluations]),
    ]
    return training(losses, precision)


def _status(progress: Progress, name: str) -> str:
    text = readout.paragraph(f"Run {name}: {progress.state}. {progress.message}".strip())
    if progress.steps:
        last = progress.steps[-1]
        text += readout.facts(
            [
                ("step", readout.count(last["step"])),
                ("classification loss", f"{last['classification']:.3f}"),
                ("box loss", f"{last['box']:.3f}"),
                ("learning rate", f"{last['learning_rate']:.2g}"),
                ("foreground anchors", readout.count(last["foreground"])),
                ("images a second", f"{last['images_per_second']:.1f}"),
            ]
        )
    if progress.evaluations:
        metrics = progress.evaluations[-1]["metrics"]
        names = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar100")
        rows = tuple((key.replace("_", " ").upper(), readout.number(metrics[key])) for key in names)
        title = f"Held-out scenes after step {progress.evaluations[-1]['step']}"
        text += readout.table(readout.Table(title, ("figure", "value"), rows))
    return text


def _belongs(knob: Knob) -> bool:
    return knob.section == "training"


STEP = Step(
    "training",
    "Training",
    "A short run on fresh scenes: watch the losses fall and the detections appear. Its weights can then be used in all "
    "other steps. Frozen stages and initial weights are chosen in the Network step.",
    _belongs,
    lambda situation: f"{situation.config.training.steps:,} steps",
    look,
    lambda situation, focus: part_levels(situation.parts),
)
