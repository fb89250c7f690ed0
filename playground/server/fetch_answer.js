// The server's answers, which arrive in pieces: one line of JSON each.

/**
 * Requests an answer; yields its pieces, the last of which says whether it failed.
 *
 * @param {object} request
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<LiveAnswer>}
 */
async function* fetchAnswer(request, signal) {
  const ANSWERS_URL = "gradio_api/live";  // relative, so that it works behind a proxy; PATH in live.py
  let last = null;
  try {
    const response = await fetch(ANSWERS_URL, { method: "POST", body: JSON.stringify(request), signal });
    const body = /** @type {ReadableStream} */ (response.body);
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const lines = (rest + read.value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield last = JSON.parse(line);
    }
  } catch (error) {
    last = null;
    if (!signal.aborted) console.warn(error);
  }
  const notice = "The server does not answer. Is it still running? Reload the page.";
  if (!last) yield { failed: true, postponed: true, notice };
}
