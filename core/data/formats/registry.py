"""The list of all annotation formats."""

from core.data.annotations import Format
from core.data.formats.coco.reader import COCO
from core.data.formats.json_lines.reader import JSON_LINES
from core.data.formats.tables.reader import CSV
from core.data.formats.tools.cvat import CVAT
from core.data.formats.tools.kitti import KITTI
from core.data.formats.tools.label_studio import LABEL_STUDIO
from core.data.formats.tools.labelme import LABELME
from core.data.formats.tools.supervisely import SUPERVISELY
from core.data.formats.tools.via import VIA
from core.data.formats.voc.reader import VOC
from core.data.formats.yolo.reader import YOLO

FORMATS: tuple[Format, ...] = (COCO, VOC, YOLO, LABELME, CSV, JSON_LINES, LABEL_STUDIO, VIA, CVAT, SUPERVISELY, KITTI)
