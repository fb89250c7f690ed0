"""The words that mean splits, in the names of lists, files and folders and in settings: one table for all readers."""

import re

TRAINVAL = "trainval"  # pictures for training and validation, not divided yet
SPLIT_WORDS = {
    "trainset": "train", "trainingset": "train", "trn": "train", "validate": "val", "valset": "val",
    "validationset": "val", "vld": "val", "eval": "val", "evaluation": "val", "minival": "val",
    "testset": "test", "tst": "test", "holdout": "test",
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
    TRAINVAL: TRAINVAL,
}  # fmt: skip
# Lists of the union of others, which give way to these; the second is no split.
UNIONS = (TRAINVAL, "default")
# Keys of settings that name the pictures of a split.
SPLIT_KEYS = tuple(word for word, split in SPLIT_WORDS.items() if split != TRAINVAL)
# Names of lists of pictures, such as train.txt, Validation.txt or test-dev2017.txt.
SPLIT_NAME = re.compile(rf"({'|'.join((*SPLIT_WORDS, *UNIONS))})(-dev)?[-_]?\d*", re.IGNORECASE)
