"""Guided lessons: Markdown files whose steps set the page, ask for a prediction, and claim what the core computes."""
