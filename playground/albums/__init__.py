"""The visitors' own pictures: an album for each browser, private until its owner shares it.

Reading order: `album` (an album and its pictures), `classes` (their names and colours), `splits` (made where none is
chosen), `pictures` (image files), `records` and `storage` (albums on the disk), `samples` (a split as a data set),
`service` (what visitors do, `ALBUMS`).
"""
