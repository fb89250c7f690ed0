"""Files and locks: paths of the project, atomic writes, JSON lines, locks between processes."""
