"""Writes Pascal VOC's format: `Annotations/*.xml`, `ImageSets/Main/<split>.txt`, and the pictures in `JPEGImages/`."""

from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

from core.data.writers.content import Content, Writer, WrittenImage, format_number

PICTURES = "JPEGImages"


def write_voc(folder: Path, content: Content) -> None:
    """Writes an annotation file for each picture, and a list of pictures for each split."""
    lists = folder / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for split, images in content.splits.items():
        for image in images:
            path = folder / "Annotations" / PurePosixPath(image.name).with_suffix(".xml")
            path.parent.mkdir(parents=True, exist_ok=True)
            tree = ElementTree.ElementTree(_describe(image, content.class_names))
            ElementTree.indent(tree)
            tree.write(path, encoding="utf-8")
        names = [str(PurePosixPath(image.name).with_suffix("")) for image in images]
        (lists / f"{split}.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8", newline="\n")


def _describe(image: WrittenImage, class_names: tuple[str, ...]) -> ElementTree.Element:
    root = ElementTree.Element("annotation")
    _add_texts(root, folder=PICTURES, filename=image.name)
    width, height = image.size
    _add_texts(ElementTree.SubElement(root, "size"), width=str(width), height=str(height), depth="3")
    for box, label, crowd in zip(image.boxes.tolist(), image.labels.tolist(), image.crowd.tolist(), strict=True):
        element = ElementTree.SubElement(root, "object")
        _add_texts(element, name=class_names[label], difficult=str(int(crowd)))
        left, top, right, bottom = box
        # VOC counts pixels from 1, and its maximum is inclusive.
        corners = {"xmin": left + 1, "ymin": top + 1, "xmax": right, "ymax": bottom}
        texts = {side: format_number(value) for side, value in corners.items()}
        _add_texts(ElementTree.SubElement(element, "bndbox"), **texts)
    return root


def _add_texts(parent: ElementTree.Element, **texts: str) -> None:
    for tag, text in texts.items():
        ElementTree.SubElement(parent, tag).text = text


VOC_WRITER = Writer(PICTURES, write_voc, True, False, True)
