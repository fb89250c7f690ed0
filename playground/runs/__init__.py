"""The training runs of the page: folders that it reads, and processes that outlive it.

Reading order: `progress` (a run's status and records), `privacy` (who may see it), `share` (how many a visitor may
have), `service` (starts, stops and resumes runs, `RUNS`), `reader` (reads their records), `summary` (a run as HTML),
`seen` (pictures that weights were trained on), `curves` (losses and AP of several runs), `labels` (names and tags),
`table`, `listing` and `table_api` (the table of all runs), `of_albums` (deleted with an album).
"""
