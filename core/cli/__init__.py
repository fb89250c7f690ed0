"""The command line, `python -m core` or `retinanet`.

Reading order: `main` (the entry point), `parser` and `commands` (the commands by name), `arguments` (a flag for every
hyperparameter) with `flags` (those that several commands have), `running` (runs a command) with `idle_flags` (notes on
flags without effect), then one module or package per group of commands: `training`, `evaluate` with `along`, `rescue`,
`detect`, `explain`, `differ`, `data`, `convert`, `export`; `common` has what several of them share. `main`, `parser`
and `commands` import no declarations, and none of the modules up to `idle_flags` PyTorch, so `--help` answers at once.
"""
