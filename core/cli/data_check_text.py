"""What a look through a data set found, for a terminal."""

from core.analysis.dataset_check import DataCheck

SHOWN = 3  # examples of an issue


def check_text(check: DataCheck) -> str:
    """Returns the splits, the classes with their sizes, and what is wrong with what to do about it."""
    lines = [f"{check.format or 'no'} data set, {len(check.class_names)} classes"]
    for name, split in check.splits.items():
        count = sum(split.objects.values())
        lines.append(f"{name:6} {split.pictures:6} pictures, {split.empty} of them empty; {count} objects, "
                     f"{split.crowds} crowds")  # fmt: skip
    if check.class_names:
        splits = "".join(f"{name:>9}" for name in check.splits)
        lines += ["", f"{'class':20}{splits}{'side 5–50–95%, px':>22}{'best IoU':>10}{'no anchor':>11}"]
    for name in check.class_names:
        counts = "".join(f"{split.objects[name]:9}" for split in check.splits.values())
        row = f"{name[:19]:20}{counts}"
        if name in check.sizes:
            sizes = check.sizes[name]
            row += f"{'–'.join(f'{side:.0f}' for side in sizes.side):>22}{sizes.best_iou:10.2f}{sizes.unmatched:11}"
        lines.append(row)
    for issue in check.issues:
        mark = "STOPS TRAINING" if issue.stops else "note"
        lines += ["", f"{mark}: {issue.count} {issue.what}: {issue.remedy}."]
        lines += [f"    {example}" for example in issue.examples[:SHOWN]]
        if issue.count > SHOWN:
            lines.append(f"    … and {issue.count - SHOWN} more")
    lines += ["", "It can be trained on." if check.usable else "It cannot be trained on yet."]
    return "\n".join(lines)
