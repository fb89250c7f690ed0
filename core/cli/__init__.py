"""The command line, `python -m core` or `retinanet`.

Reading order: `main` (runs a command), `parser` (a flag for every hyperparameter) with `flags` (those that several
commands have) and `idle_flags` (notes on those without effect), `commands` (the commands by name), then one module per
group of commands: `train`, `compare`, `evaluate`, `detect` with `pictures` (finds the files), `data`, `convert`,
`export`; `common` has what several of them share. `main` and `parser` import no PyTorch, so `--help` answers at once.
"""
