"""The data sets that visitors brought, in a folder that several processes may share.

Reading order: `records` (one file for each), `listing` (all of them, read again when they change), `naming`, `bounds`
(which ones make room), `split_history` (undo of splits, and of half of one), `sweep` (what killed processes left),
`access` (to look at them), `library` (to change them).
"""
