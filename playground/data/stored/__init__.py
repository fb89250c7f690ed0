"""The data sets that visitors brought, in a folder that several processes may share.

Reading order: `records` (one file for each), `split_history` (undo of splits), `library` (the data sets).
"""
