from .dataset import SPLITS as SPLITS, DataSet as DataSet
from .folders import (
    open_folder as open_folder,
    read_data_set as read_data_set,
    split_folder as split_folder,
)
from .images import open_image as open_image
from .left_out import LeftOut as LeftOut
from .reading.format_detection import AmbiguousFormatError as AmbiguousFormatError
from .sources import SceneData as SceneData, open_data as open_data
from .untrusted import DataError as DataError
from .zips.importing import import_zip as import_zip
