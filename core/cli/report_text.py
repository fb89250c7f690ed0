"""The gist of an evaluation's report for a terminal."""

import math

from core.evaluation.report import Report

WORST = 5  # pictures that are named


def report_text(report: Report) -> str:
    """Returns what each kind of error costs, the best threshold and the worst pictures."""
    lines = ["", "kind of error   errors   AP50 if fixed"]
    for kind, cost in report.error_types.cost.items():
        change = "–" if math.isnan(cost) else f"{cost:+.3f}"
        lines.append(f"{kind:13} {len(report.error_types.of(kind)):8} {change:>15}")
    if report.best:
        score, precision, recall, f1 = report.best
        lines += ["", f"best threshold {score:.3f}: F1 {f1:.3f}, precision {precision:.3f}, recall {recall:.3f}"]
    worst = [each for each in report.pictures if each.f1 < 1][:WORST]
    if worst:
        lines.append(f"worst pictures at score {report.score:.3f}, IoU {report.iou:g}:")
    lines += [f"  {each.name}: {each.right} right, {each.wrong} wrong, {each.missed} missed" for each in worst]
    return "\n".join(lines)
