"""The picture with its layers, drawn in the browser.

Reading order: `view` (layers, heat maps and what is visible), `canvas` (sends them to the browser), `edit` (reads drawn
boxes and clicks, which are untrusted). In the browser: `canvas.js`, `layers.js`, `draw.js`; `input.js`, `keys.js`,
`gestures.js`, `edit.js` and `drawing.js` from the pointer to what is sent; `class_bar.js` and `hover.js`.
"""
