"""The visitors' own pictures: an album for each browser, private until its owner shares it.

Reading order: `album` (an album and its pictures), `classes` (their names and colours), `splits` (made where none is
chosen), `objects` (changes of pictures), `pictures` (image files), `records` and `storage` (albums on the disk),
`limits` (how much and how long), `samples` and `export` (as data sets), `access` (who may see what), `followers`
(runs and evaluations), `deletion` (with an undo), `service` (what visitors do, `ALBUMS`).
"""
