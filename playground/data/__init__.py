"""The pictures of the page: generated scenes, uploads, and data sets that visitors bring.

Reading order: `image_ref` (names a picture of a data set), `picture` (a picture with its objects), `photographs`,
`stored` (data sets on the disk), `checking` (before they are stored), `adding` and `splitting`, `datasets` (all that
visitors do with them, `DATA`), `albums` (the album of a picture), `intake` (takes an upload into the visitor's album),
`sources` (opening pictures and annotations), `training_objects` (how many of each class a run would train on), `browse`
(the bar above the picture), `report` (the check of a data set as HTML), `scene_examples` (settings of typical scenes).
"""
