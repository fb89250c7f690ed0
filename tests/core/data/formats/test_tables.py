import json

import pytest

from core.data.annotations import BAD_FILE, BAD_OBJECT, UNKNOWN_CLASS
from core.data.formats.tables.reader import CSV
from core.data.untrusted import DataError
from tests.core.data.formats.reading import (
    Object,
    Problems,
    assert_only,
    assert_refused,
    assert_survives_damage,
    find,
    objects_of,
    read,
    splits_of,
    write,
)  # fmt: skip
from tests.core.made_data import picture

CAT = Object("cat", [1, 2, 11, 22])


@pytest.mark.parametrize(
    "text",
    [
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,40,30,cat,1,2,11,22\n",  # TensorFlow's examples
        "image_path,xmin,ymin,xmax,ymax,label\na.jpg,1,2,11,22,cat\n",  # DeepForest
        "image_id,x_min,y_min,x_max,y_max,class_name,class_id\na.jpg,1,2,11,22,cat,0",
        "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\r\na.jpg;40;30;1;2;11;22;cat\r\n",
        '"frame","xmin","xmax","ymin","ymax","class_id"\n"a.jpg","1","11","2","22","cat"\n',
        "img\tleft\ttop\tright\tbottom\tcategory\na.jpg\t1\t2\t11\t22\tcat",
        "\ufefffile_name, x1, y1, x2, y2, label\n\na.jpg, 1.0, 2, 11, 2.2e1, cat\n",
        "image,xtl,ytl,xbr,ybr,name\na.jpg,1,2,11,22,cat",
        "image_name,bbox_x,bbox_y,bbox_width,bbox_height,label_name,image_width,image_height\na.jpg,1,2,10,20,cat,40,30",
        "label_name,bbox_x,bbox_y,bbox_width,bbox_height,image_name,image_width,image_height\ncat,1,2,10,20,a.jpg,40,30",
        "image,x,y,width,height,label\na.jpg,1,2,10,20,cat",
        "image,x,y,w,h,width,height,label\na.jpg,1,2,10,20,40,30,cat",
        "image,xmin,ymin,width,height,label\na.jpg,1,2,10,20,cat",
        "image,x_center,y_center,width,height,label\na.jpg,6,12,10,20,cat",
        "image,xmin,ymin,xmax,ymax,width,height,label\na.jpg,1,2,11,22,10,20,cat",
        "name,x1,y1,x2,y2,class\na.jpg,1,2,11,22,cat\n",
        "a.jpg,1,2,11,22,cat\n",
        "images/a.jpg,1,2,11,22,cat\n",
        "a.jpg,1,2,11,22,cat,40,30\n",  # SKU-110K
        "a.jpg,40,30,cat,1,2,11,22\n",
        "cat,1,2,10,20,a.jpg,40,30\n",  # Make Sense
        "fname,startX,startY,endX,endY,target\na.jpg,1,2,11,22,cat\n",
        "relative_im_path,tag,bbox_x1,bbox_y1,bbox_x2,bbox_y2,test\na.jpg,cat,1,2,11,22,0\n",  # Stanford Cars
        "filename,x_top_left,y_top_left,x_bottom_right,y_bottom_right,labels\na.jpg,1,2,11,22,cat\n",
        "filename,x0,y0,x1,y1,type\na.jpg,1,2,11,22,cat\n",
        "sep=;\nfilename;xmin;ymin;xmax;ymax;class\na.jpg;1,0;2,0;11;22,00;cat\n",
        "# made by me, in May\n\nfilename,xmin,ymin,xmax,ymax,class\na.jpg,1,2,11,22,cat\n",
        "#filename,xmin,ymin,xmax,ymax,class\na.jpg,1,2,11,22,cat\n",
        "filename xmin ymin  xmax ymax class\na.jpg 1 2  11 22 cat\n",
    ],
)
def test_tables_are_read(tmp_path, text):
    write(tmp_path, {"boxes.csv": text})
    data = read(tmp_path, CSV)
    assert [each for objects in objects_of(data).values() for each in objects] == [CAT]
    assert data.images[0].name.endswith("a.jpg") and not data.images[0].relative
    assert data.images[0].size == ((40, 30) if "40" in text else None)
    assert_only(tmp_path, CSV)


@pytest.mark.parametrize(
    "text",
    [
        "id,label\na.jpg,cat\n", "filename,caption\na.jpg,x\n", "a.jpg,cat", "epoch,loss,x1,y1,x2,y2\n1,2,3,4,5,6\n",
        "filename,x,y\na.jpg,1,2\n", "", "\n\n", "x,1,2,3,4,cat\n", "a.jpg,1,2,3,x,cat\n",
        "image,width,height\na.jpg,4,3", "image,x1,y1,x2,y2,x3,y3,x4,y4\na.jpg,1,2,3,2,3,4,1,4",
        "a.jpg,1,2,cat,dog,3,4,5", "image,x,y,image_width,image_height\na.jpg,1,2,4,3",
    ],
)  # fmt: skip
def test_other_tables_are_left_alone(tmp_path, text):
    write(tmp_path, {"a.csv": text})
    assert find(tmp_path, CSV) == []


def test_tables_may_be_texts_unless_there_are_many(tmp_path):
    write(tmp_path, {"boxes.txt": "filename,xmin,ymin,xmax,ymax,class\na.jpg,1,2,11,22,cat\n"})
    assert objects_of(read(tmp_path, CSV)) == {"a.jpg": [CAT]}
    write(tmp_path, {f"{number}.txt": "" for number in range(20)})
    assert find(tmp_path, CSV) == []


@pytest.mark.parametrize(
    ("header", "rows", "names", "column"),
    [
        ("class,class_name", ("0,cat", "1,dog"), ("cat", "dog"), "class_name"),
        ("label_id,label", ("7,dog", "3,cat"), ("cat", "dog"), "label"),
        ("name,class", ("Rex,dog", "Tom,cat"), ("cat", "dog"), "class"),
        ("category_id,name", ("1,dog", "1,dog"), ("dog",), "name"),
        ("category_id,name", ("1,Rex", "1,Pluto"), ("1",), "category_id"),
        ("category,category_name", ("pet,", "pet,"), ("pet",), None),
    ],
)
def test_names_of_classes_go_before_numbers(tmp_path, header, rows, names, column):
    write(tmp_path, {"a.csv": f"file,x1,y1,x2,y2,{header}\n" + "".join(f"a.jpg,1,2,11,22,{row}\n" for row in rows)})
    data = read(tmp_path, CSV)
    assert data.class_names == names
    assert (f"The classes of a.csv were read from its column {column!r}." in data.notes) == (column is not None)


@pytest.mark.parametrize("header", ["name,species", "label,category"])
def test_two_columns_that_may_be_the_class_are_refused(tmp_path, header):
    first = header.split(",")[0]
    rows = "a.jpg,1,2,11,22,Rex,dog\na.jpg,1,2,11,22,Tom,cat\na.jpg,1,2,11,22,Pluto,dog\n"
    write(tmp_path, {"a.csv": f"file,x1,y1,x2,y2,{header}\n{rows}"})
    assert_refused(
        tmp_path, CSV, r"a\.csv has several columns that may be the class, \[.*\]: call the right one 'class'"
    )
    write(tmp_path, {"a.csv": f"file,x1,y1,x2,y2,{first},class\n{rows}"})
    assert read(tmp_path, CSV).class_names == ("cat", "dog")


def test_an_unknown_column_of_words_is_not_taken_for_nothing(tmp_path):
    head = "file,x1,y1,x2,y2,{}\n"
    write(tmp_path, {"a.csv": head.format("Klasse") + "a.jpg,1,2,11,22,cat\na.jpg,1,2,11,22,dog\n"})
    assert_refused(tmp_path, CSV, "no column that is known to be the class, but 'Klasse' may be it: call the column")
    write(tmp_path, {"a.csv": head.format("test,annotation_id,url") + "a.jpg,1,2,11,22,False,x,https://a.org/a\n"})
    assert read(tmp_path, CSV).class_names == ("object",)


def test_rows_of_a_picture_belong_together(tmp_path):
    write(tmp_path, {"a.csv": "filename,x1,y1,x2,y2,class\na.jpg,1,2,11,22,cat\nb.jpg,,,,,\na.jpg,0,0,3,4,dog\n"})
    data = read(tmp_path, CSV)
    assert objects_of(data) == {"a.jpg": [CAT, Object("dog", [0, 0, 3, 4])], "b.jpg": []}
    assert (data.class_names, data.category_ids, data.notes) == (("cat", "dog"), (1, 2), ())


def test_a_table_without_a_header_has_its_classes_beside_it(tmp_path):
    write(tmp_path, {"train.csv": "empty.jpg,,,,,\n../images/a.jpg,1,2,11,22,cat\n", "classes.csv": "dog,0\ncat,1\n"})
    data = read(tmp_path, CSV)
    assert objects_of(data) == {"empty.jpg": [], "images/a.jpg": [CAT]}
    assert (data.class_names, data.images[1].labels.tolist()) == (("dog", "cat"), [1])
    assert data.notes == ("train.csv has no header: its columns were read as picture, x1, y1, x2, y2, class.",)
    write(tmp_path, {"classes.csv": "dog,0\nwolf,1\n"})
    problems = Problems()
    read(tmp_path, CSV, problems)
    assert [kind for kind, _ in problems] == [UNKNOWN_CLASS]
    write(tmp_path, {"class_list.csv": "wolf,0\ndog,1\n"})
    assert_refused(tmp_path, CSV, "give different class names")


def test_numbers_for_classes(tmp_path):
    rows = "".join(f"a.jpg,1,2,11,22,{number}\n" for number in (10, 9, 10))
    write(tmp_path, {"a.csv": f"filename,x1,y1,x2,y2,class_id\n{rows}"})
    data = read(tmp_path, CSV)
    assert (data.class_names, data.notes) == (
        ("9", "10"),
        ("The classes are numbers without names, which were taken for names.",),
    )
    write(tmp_path, {"classes.csv": "name,id\n" + "".join(f"c{number},{number}\n" for number in range(11))})
    data = read(tmp_path, CSV)
    assert data.class_names[9:] == ("c9", "c10") and data.images[0].labels.tolist() == [10, 9, 10]


LISTS = [
    {"classes.csv": "cat,0\ndog,1\n"},
    {"classes.csv": "class_id,class_name\n0,cat\n1,dog\n"},
    {"label_map.csv": "ClassId;SignName;note\n0;cat;x\n1;dog;y\n"},
    {"classes.txt": "cat\ndog\n"},
    {"labels.txt": "0: cat\n1: dog\n"},
    {"id2label.json": {"0": "cat", "1": "dog"}},
    {"classes.json": {"dog": 1, "cat": 0}},
    {"class_names.json": ["cat", "dog"]},
    {"categories.json": [{"id": 1, "name": "dog"}, {"id": 0, "name": "cat"}]},
    {"label_config.json": {"id2label": {"0": "cat", "1": "dog"}}},
    {"notes.json": {"categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}]}},
    {"README.md": "---\nclass_label:\n  names: [cat, dog]\n---\n"},
]


@pytest.mark.parametrize("numbers", [("1", "0"), ("1.0", "0.0")])
@pytest.mark.parametrize("beside", LISTS, ids=lambda each: next(iter(each)))
def test_numbers_get_the_names_beside_them(tmp_path, beside, numbers):
    rows = "".join(f"a.jpg,1,2,11,22,{number}\n" for number in numbers)
    write(tmp_path, {"a.csv": f"file,x1,y1,x2,y2,class\n{rows}", **beside})
    assert [each.name for each in objects_of(read(tmp_path, CSV))["a.jpg"]] == ["dog", "cat"]


def test_lists_of_names_that_begin_at_1_disagree_or_do_not_fit(tmp_path):
    rows = "".join(f"a.jpg,1,2,11,22,{number}\n" for number in (2, 1))
    write(tmp_path, {"a.csv": f"file,x1,y1,x2,y2,class\n{rows}", "class_map.csv": "id,name\n1,cat\n2,dog\n"})
    data = read(tmp_path, CSV)
    assert [each.name for each in objects_of(data)["a.jpg"]] == ["dog", "cat"] and data.class_names == ("cat", "dog")
    write(tmp_path, {"classes.txt": "cat\ndog\n"})
    assert_refused(tmp_path, CSV, "give different class names: keep the list")
    (tmp_path / "class_map.csv").unlink()
    assert read(tmp_path, CSV).class_names == ("1", "2")


def test_splits_in_a_column(tmp_path):
    rows = "".join(f"{name}.jpg,1,2,11,22,cat,{split}\n" for name, split in (("a", "train"), ("b", "Val"), ("c", "")))
    write(tmp_path, {"a.csv": f"filename,xmin,ymin,xmax,ymax,class,split\n{rows}"})
    assert splits_of(read(tmp_path, CSV)) == {"a.jpg": "train", "b.jpg": "Val", "c.jpg": None}


def test_open_images(tmp_path):
    header = (
        "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
    )
    row = "000026e7ee790996,xclick,/m/07j7r,1,0.071875,0.1453125,0.20625,0.390625,0,1,{},0,0"
    write(tmp_path, {"a.csv": "\n".join([header, row.format(-1), row.format(1)]),
                     "class-descriptions-boxable.csv": "/m/011k07,Tortoise\n/m/07j7r,Tree\n"})  # fmt: skip
    data = read(tmp_path, CSV)
    box = [0.071875, 0.20625, 0.145312, 0.390625]
    assert objects_of(data) == {"000026e7ee790996": [Object("Tree", box), Object("Tree", box, True)]}
    assert data.images[0].relative
    assert data.notes == ("The boxes of a.csv were read as fractions of the pictures' sides, as in Open Images.",)


def test_automl(tmp_path):
    write(
        tmp_path, {"a.csv": "TRAIN,gs://bucket/a.jpg,cat,0.1,0.2,,,0.5,0.6,,\nUNASSIGNED,gs://bucket/b.jpg,,,,,,,,,\n"}
    )
    data = read(tmp_path, CSV)
    assert objects_of(data) == {"gs://bucket/a.jpg": [Object("cat", [0.1, 0.2, 0.5, 0.6])], "gs://bucket/b.jpg": []}
    assert splits_of(data) == {"gs://bucket/a.jpg": "TRAIN", "gs://bucket/b.jpg": None} and data.images[0].relative


WHEAT = "image_id,width,height,bbox,source\n" + 'a,1024,1024,"[834.0, 222.0, 56.0, 36.0]",x\n'


def list_boxes(*boxes: list[float], name: str = "a.jpg") -> str:
    return "image,bbox,label\n" + "".join(f'{name},"{box}",cat\n' for box in boxes)


def test_lists_that_cannot_be_corners(tmp_path):
    write(tmp_path, {"train.csv": WHEAT})
    data = read(tmp_path, CSV)
    assert objects_of(data) == {"a": [Object("object", [834, 222, 890, 258])]}
    assert data.images[0].size == (1024, 1024)
    assert data.notes == (
        "The boxes of train.csv were read as left, top, width and height; as two corners only 0% of them would fit "
        "their pictures.",
        "train.csv has no column of classes: all boxes are of the class 'object'.",
    )


@pytest.mark.parametrize("name", ["a.jpg", "a", "images/a.jpg", "../images/a.jpg", "C:\\x\\a.jpg"])
@pytest.mark.parametrize("reversed_box", [[], [[90, 5, 80, 9]]])
def test_lists_that_are_corners(tmp_path, name, reversed_box):
    """A single box that ends before it begins does not turn the others into sizes."""
    picture(tmp_path / "images" / "a.jpg", (100, 80))
    boxes = [[3 * n, 2 * n, 3 * n + 5, 2 * n + 9] for n in range(30)]
    write(tmp_path, {"csv/a.csv": list_boxes(*boxes, *reversed_box, name=name)})
    data = read(tmp_path, CSV)
    assert data.images[0].boxes[3].tolist() == [9, 6, 14, 15] and "read as two corners" in data.notes[0]


def test_lists_of_sizes_are_told_by_the_pictures(tmp_path):
    picture(tmp_path / "a.jpg", (300, 200))
    boxes = [[10 + n, 10, 201, 150] for n in range(12)]  # corners, too
    write(tmp_path, {"a.csv": list_boxes(*boxes)})
    assert_refused(tmp_path, CSV, "two corners or left, top, width and height, and fit their pictures either way: give")
    write(tmp_path, {"a.csv": list_boxes(*boxes, [250, 150, 40, 40])})
    assert read(tmp_path, CSV).images[0].boxes[0].tolist() == [10, 10, 211, 160]


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (None, "have no pictures whose size is known: give them in columns xmin"),
        ((20, 20), "do not fit their pictures either way"),
        ((100, 100), "fit their pictures either way"),
    ],
)
def test_lists_that_may_be_either_are_refused(tmp_path, size, message):
    if size:
        picture(tmp_path / "a.jpg", size)
    write(tmp_path, {"a.csv": list_boxes([1, 2, 41, 22])})
    assert_refused(tmp_path, CSV, message)


@pytest.mark.slow
def test_few_pictures_are_opened_to_tell_what_lists_are(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("core.data.images.read_image_size", lambda path: opened.append(path) or (100, 80))
    files = {f"{n}.jpg": "" for n in range(1000)}
    rows = "".join(f'{n}.jpg,"[60, 60, 70, 75]",cat\n' for n in range(1000))
    write(tmp_path, files | {"a.csv": f"image,bbox,label\n{rows}"})
    assert len(read(tmp_path, CSV).images) == 1000 and 100 < len(opened) <= 200


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.jpg,1,2,11,x,cat", r"a\.csv line 3 \('cat'\) has no box"),
        ("a.jpg,1,2,11,,cat", "has no box"),
        ('a.jpg,1,"2,5",11,22,cat', "has no box"),
        ("a.jpg,,,,,cat", "has the class 'cat' without a box"),
        ("a.jpg,1,2,11,22,", "has no class name"),
        (",1,2,11,22,cat", "names no picture"),
        ("a.jpg,1,2", "has 3 columns, not 6"),
    ],
)
def test_rows_that_cannot_be_used_are_reported(tmp_path, row, message):
    write(tmp_path, {"a.csv": f"filename,x1,y1,x2,y2,class\na.jpg,1,2,11,22,cat\n{row}\n"})
    assert_refused(tmp_path, CSV, message)
    problems = Problems()
    assert objects_of(read(tmp_path, CSV, problems)) == {"a.jpg": [CAT]}
    assert [kind for kind, _ in problems] == [BAD_OBJECT]


def test_flags(tmp_path):
    head = "filename,x1,y1,x2,y2,class,difficult\n"
    write(tmp_path, {"a.csv": head + "".join(f"a.jpg,1,2,11,22,cat,{flag}\n" for flag in ("1", "true", "0", "", "so"))})
    problems = Problems()
    assert [each.crowd for each in objects_of(read(tmp_path, CSV, problems))["a.jpg"]] == [True, True, False, False]
    assert [kind for kind, _ in problems] == [BAD_OBJECT]


def test_other_encodings(tmp_path):
    text = "filename,x1,y1,x2,y2,class\na.jpg,1,2,11,22,Käfer\n"
    write(tmp_path, {"a.csv": text.encode("utf-16")})
    assert read(tmp_path, CSV).class_names == ("Käfer",)
    write(tmp_path, {"b.csv": text.encode("latin-1")})
    problems = Problems()
    read(tmp_path, CSV, problems)
    assert [kind for kind, _ in problems] == [BAD_FILE]


def test_quoted_line_ends_and_long_cells(tmp_path):
    write(tmp_path, {"a.csv": 'filename,x1,y1,x2,y2,class,note\na.jpg,1,2,11,22,cat,"two\nlines"\n'})
    assert objects_of(read(tmp_path, CSV)) == {"a.jpg": [CAT]}
    write(tmp_path, {"a.csv": "filename,x1,y1,x2,y2,class\na.jpg,1,2,11,22," + "x" * 200_000})
    assert_refused(tmp_path, CSV, r"a\.csv line 2 cannot be used because field larger")


@pytest.mark.slow  # hundreds of damaged files
def test_damage(tmp_path):
    write(tmp_path, {"a.csv": "filename,x1,y1,x2,y2,class,split\na.jpg,1,2,11,22,cat,train\nb.jpg,1,2,11,22,dog,val\n"})
    assert_survives_damage(tmp_path, CSV, "a.csv")
    write(tmp_path, {"a.csv": WHEAT, "classes.csv": "object,0\n"})
    assert_survives_damage(tmp_path, CSV, "a.csv")
    assert_survives_damage(tmp_path, CSV, "classes.csv", 50)
    assert json.dumps(find(tmp_path, CSV)) == '["a.csv"]'


@pytest.mark.parametrize("row", ["b.jpg,10,5,20,75,110,2,cat", "b.jpg,1,2,11,22,cat,black"])  # decimal commas; a name
def test_rows_with_more_cells_than_the_header_are_reported(tmp_path, row):
    text = "filename,xmin,ymin,xmax,ymax,class\na.jpg,1,2,11,22,cat,,\n"
    write(tmp_path, {"a.csv": f"{text}{row}\n"})
    problems = Problems()
    assert objects_of(read(tmp_path, CSV, problems)) == {"a.jpg": [CAT]}
    ((kind, message),) = problems
    assert kind == BAD_OBJECT and "line 3" in message and "its header 6: put cells with ',' into quotes" in message


@pytest.mark.parametrize(
    ("columns", "flags", "splits"),
    [
        ("is_test", ("0", "1", "1.0"), (None, "test", "test")), ("test", ("", "True", "no"), (None, "test", None)),
        ("is_train", ("0", "1", ""), ("val", "train", None)), ("is_val", ("0.0", "1", ""), (None, "val", None)),
        ("is_train,is_test", ("0,1", "1,0", "0,0"), ("test", "train", "val")),
    ],
)  # fmt: skip
def test_columns_that_flag_a_split(tmp_path, columns, flags, splits):
    rows = "".join(f"{name}.jpg,1,2,11,22,cat,{flag}\n" for name, flag in zip("abc", flags, strict=True))
    write(tmp_path, {"a.csv": f"filename,xmin,ymin,xmax,ymax,class,{columns}\n{rows}"})
    data = read(tmp_path, CSV)
    assert tuple(splits_of(data).values()) == splits and not data.notes


def test_flags_of_splits_that_cannot_be_read_are_said(tmp_path):
    write(tmp_path, {"a.csv": "filename,xmin,ymin,xmax,ymax,class,is_test\na.jpg,1,2,11,22,cat,maybe\n"})
    notes = read(tmp_path, CSV).notes
    assert notes == ("Flags of splits that are neither 0 nor 1, and were ignored: 1 (the first in a.csv).",)


def test_a_header_without_the_name_of_a_column_is_refused(tmp_path):
    """As R's write.table writes it, with the numbers of the rows in front."""
    text = '"filename","xmin","ymin","xmax","ymax","class"\n"1","a.jpg",1,2,11,22,"cat"\n"2","b.jpg",1,2,11,22,"cat"\n'
    write(tmp_path, {"a.csv": text})
    with pytest.raises(DataError, match="has a header of 6 names above rows of 7 cells: add the missing name"):
        read(tmp_path, CSV)
