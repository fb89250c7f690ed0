"""The training runs on the page: folders it reads, and processes that outlive it.

Reading order: `service` (starts, stops and resumes runs), `reader` (reads what they have recorded), `summary` (a run in
words), `curves` (losses and AP of several runs), `labels` (names and tags), `table` and `table_api` (the table of all
runs).
"""
