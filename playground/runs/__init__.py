"""The training runs of the page: folders that it reads, and processes that outlive it.

Reading order: `progress` (a run's status and records), `privacy` (who may see it), `share` (how many a visitor may
have), `reader` (reads the records), `catalogue` (all runs in a folder), `service` (starts, stops and resumes them,
`RUNS`), `summary` (a run as HTML), `seen` (pictures that weights were trained on), `curves` (losses and AP of several
runs), `labels` (names and tags), `table`, `listing` and `table_api` (the table of all runs), `of_albums` (deleted with
an album).
"""
