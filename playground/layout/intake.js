// Brings the visitor's pictures: chosen, dropped, pasted, or taken with the camera (`camera.js`, part of the same
// program). They are sent one after another, in the order in which they come, also those that come meanwhile; what
// fails is named at the end, and the others stay. Names of files only ever go through textContent.
const MAX_NAMED = 5;
const LONGEST_NAME = 60;  // characters of a name in a sentence
const ZONES = ".layout > .middle, #my-pictures-panel";  // where files can be dropped

/** @param {string} name */
const part = (name) => /** @type {HTMLElement} */ (element.querySelector(`.intake-${name}`));
const [said, progress, fileField] = [part("said"), part("progress"), part("files")];
const STOPPED = "Your pictures are being deleted: those that were still on their way are not added.";
/** @type {Delivery | null} */
let delivery = null;  // the upload in progress

/**
 * What became of the files so far.
 *
 * @typedef {{saved: number, unsaved: number, scaled: number, failed: string[], error: string}} Outcome
 */

/**
 * Files on their way; `at` is the index of the one that is being sent, `began` is what was on show before the first.
 * `stopped` if the visitor deletes all pictures meanwhile.
 *
 * @typedef {{files: File[], at: number, began: Record<string, string>, outcome: Outcome, stopped: boolean}} Delivery
 */

/**
 * Returns why none of these files can be taken, "" if they can.
 *
 * @param {number} count
 * @param {number} most
 */
function refusal(count, most) {
  return count > most ? `${count.toLocaleString("en")} pictures are too many at once: choose at most ${most}.` : "";
}

/**
 * Returns why a file is not sent at all, "" if it is.
 *
 * @param {{type: string, size: number}} file
 * @param {number} mostBytes
 */
function reasonToSkip({ type, size }, mostBytes) {
  if (type && !type.startsWith("image/")) return "is not a picture";
  const mb = 1024 * 1024;
  return size > mostBytes ? `has ${Math.ceil(size / mb)} MB, more than the ${Math.floor(mostBytes / mb)} allowed` : "";
}

/**
 * Returns what became of the files as sentences.
 *
 * @param {Outcome} outcome
 * @param {number} side the longer side of scaled pictures, px
 */
function describeOutcome({ saved, unsaved, scaled, failed, error }, side) {
  const sentences = [];
  if (saved) sentences.push(`Added ${saved} picture${saved === 1 ? "" : "s"} to My pictures.`);
  if (unsaved) {
    sentences.push("The picture is shown but not saved: allow cookies for this page to keep pictures.");
  }
  if (scaled) sentences.push(`${scaled === 1 ? "1 was" : `${scaled} were`} scaled down to ${side} px.`);
  if (failed.length) {
    const more = failed.length > MAX_NAMED ? ` and ${failed.length - MAX_NAMED} more` : "";
    sentences.push(`Not added: ${failed.slice(0, MAX_NAMED).join("; ")}${more}.`);
  }
  return [...sentences, error].filter(Boolean).join(" ");
}

/** @param {string} name */
const shortenName = (name) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);

/** @param {string} text */
function say(text) {
  said.textContent = text;
  said.hidden = !text;
}

/** @param {FileList | File[] | null | undefined} list */
async function bring(list) {
  const files = [...list ?? []];
  if (!files.length) return;
  const refused = refusal(files.length, props.max_files);
  if (delivery?.stopped) {
    say("Please wait until the upload before this one has stopped.");
    return;
  }
  if (delivery) {
    if (refused) delivery.outcome.error ||= refused;
    else delivery.files.push(...files);
    showProgress(delivery);
    return;
  }
  if (refused) {
    say(refused);
    return;
  }
  const outcome = { saved: 0, unsaved: 0, scaled: 0, failed: [], error: "" };
  delivery = { files, at: 0, began: findOnShow(), outcome, stopped: false };
  progress.hidden = false;
  try {
    await sendAll(delivery);
  } finally {
    delivery = null;
    progress.hidden = true;
  }
}

/** @param {Delivery} delivery */
function showProgress({ files, at }) {
  say(`${at + 1} of ${files.length}`);
  progress.setAttribute("max", String(files.length));
  progress.setAttribute("value", String(at));
}

/** @param {Delivery} current */
async function sendAll(current) {
  const { files, outcome } = current;
  /** @type {{pixels_key: string | null, path: string, name: string} | null} */
  let shown = null;  // the first picture that was taken
  let album = "";  // in which it is
  for (; current.at < files.length; current.at++) {
    showProgress(current);
    const file = files[current.at];
    const skipped = reasonToSkip(file, props.max_bytes);
    const answer = skipped ? null : await send(file, album, current);
    if (current.stopped) {
      say(STOPPED);
      return;
    }
    if (answer?.stop) {
      outcome.error = answer.error;
      break;
    }
    if (!answer || answer.error) {
      const lost = answer ? "cannot be opened" : "did not arrive: upload it again";
      outcome.failed.push(`${shortenName(file.name)} ${skipped || lost}`);
      outcome.error ||= answer?.error ?? "";  // what to do, of the first one
      continue;
    }
    album = answer.album;
    outcome[answer.pixels_key === null ? "unsaved" : "saved"]++;
    outcome.scaled += Number(answer.scaled);
    shown ??= { pixels_key: answer.pixels_key, path: answer.path, name: file.name };
  }
  say(describeOutcome(outcome, props.max_side));
  if (!shown) return;
  const isFree = document.dispatchEvent(new Event("picture-arrives", { cancelable: true }));
  const stays = document.body.dataset.step === current.began.step;  // the server may not know of another one yet
  trigger("upload", { ...shown, began: isFree && stays ? current.began : null });
}

/**
 * Returns what is on show, as `PageState.choices` has it; the step is the one that the visitor has chosen last.
 *
 * @returns {Record<string, string>}
 */
function findOnShow() {
  const { onShow = "{}", step } = document.body.dataset;
  return { ...JSON.parse(onShow), step };
}

/** Returns a name for an upload, the only one under which the server takes it: see `data/intake.py`. */
function randomName() {
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Sends a file to the server and returns its answer, null if it does not arrive or is not wanted any more.
 *
 * @param {File} file
 * @param {string} album in which those before it are
 * @param {Delivery} current to which it belongs
 * @returns {Promise<(IntakeAnswer & { path: string }) | null>}
 */
async function send(file, album, current) {
  try {
    const { path } = await upload(new File([file], randomName(), { type: file.type }));
    const answer = current.stopped ? null : await server.take({ path, name: file.name, album });
    return answer && { ...answer, path };
  } catch {
    return null;
  }
}

/** @param {EventTarget | null} target */
const zoneOf = (target) => (target instanceof Element ? target.closest(ZONES) : null);

/** @param {DragEvent} event */
const bringsFiles = (event) => Boolean(event.dataTransfer?.types.includes("Files"));

/** @param {Element | null} zone */
function markZone(zone) {
  for (const each of document.querySelectorAll(".intake-over")) each.classList.toggle("intake-over", each === zone);
  zone?.classList.add("intake-over");
}

/**
 * Elsewhere on the page a dropped file would replace the page itself.
 *
 * @param {DragEvent} event
 */
function onDragOver(event) {
  if (!bringsFiles(event) || !event.dataTransfer) return;
  event.preventDefault();
  const zone = zoneOf(event.target);
  event.dataTransfer.dropEffect = zone ? "copy" : "none";
  markZone(zone);
}

/** @param {DragEvent} event */
function onDrop(event) {
  if (!bringsFiles(event)) return;
  event.preventDefault();
  markZone(null);
  if (zoneOf(event.target)) bring(event.dataTransfer?.files);
}

/** @param {ClipboardEvent} event */
function onPaste(event) {
  const field = event.target instanceof Element && event.target.closest("input, textarea, [contenteditable]");
  const files = [...event.clipboardData?.files ?? []].filter(({ type }) => type.startsWith("image/"));
  if (field || !files.length) return;
  event.preventDefault();
  bring(files);
}

part("choose").addEventListener("click", () => fileField.click());
fileField.addEventListener("change", () => {
  const field = /** @type {HTMLInputElement} */ (fileField);
  bring([...field.files ?? []]);
  field.value = "";  // so that the same file can be chosen again
});
if (!document.body.dataset.embed) {  // in a frame there is no place to tell what becomes of pictures
  document.addEventListener("dragover", onDragOver);
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) markZone(null); });
  document.addEventListener("drop", onDrop);
  document.addEventListener("paste", onPaste);
}
document.addEventListener("pictures-deleted", () => { if (delivery) delivery.stopped = true; });
