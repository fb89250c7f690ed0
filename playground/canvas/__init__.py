"""The picture with its layers, drawn in the browser.

Reading order: `view` (layers, heat maps and what is visible), `canvas` (sends them to the browser), `edit` (reads drawn
boxes and clicks, which are untrusted); in the browser `canvas.js`, `layers.js`, `draw.js`, `input.js`, `edit.js`.
"""
