"""The page: widgets around the core, and nothing the core could do itself."""
