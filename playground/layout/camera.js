// Takes a picture with the camera. It is asked for when the button is pressed, not before; the stream ends when the
// dialog closes, and only a picture that the visitor uses leaves the browser.
const dialog = /** @type {HTMLDialogElement} */ (element.querySelector(".intake-dialog"));
const video = /** @type {HTMLVideoElement} */ (dialog.querySelector("video"));
const still = /** @type {HTMLCanvasElement} */ (dialog.querySelector("canvas"));
/** @param {string} name */
const control = (name) => /** @type {HTMLButtonElement} */ (dialog.querySelector(`[data-do="${name}"]`));
/** @type {MediaStream | null} */
let stream = null;
let isOpening = false;  // the browser has been asked for the camera
let shots = 0;

/**
 * Returns why there is no camera, as a sentence.
 *
 * @param {string} name of the browser's error, "" if the browser has no camera interface here
 * @param {boolean} framed the page is inside another one
 */
function explainNoCamera(name, framed) {
  if (name === "") return "The camera works only over HTTPS or on this machine: upload a picture instead.";
  if (name === "NotFoundError" || name === "OverconstrainedError") {
    return "No camera was found: connect one, or upload a picture instead.";
  }
  if (name !== "NotAllowedError" && name !== "SecurityError") {
    return "The camera cannot be started: close other programs that use it, or upload a picture instead.";
  }
  return framed
    ? "The camera is not allowed inside this frame: open the page in its own tab, or upload a picture instead."
    : "The camera was not allowed: allow it in the browser's settings for this page, or upload a picture instead.";
}

async function openCamera() {
  if (isOpening || stream) return;  // a second stream would never be stopped
  isOpening = true;
  say("");
  stream = await askForCamera();
  isOpening = false;
  if (!stream) return;
  if (!element.checkVisibility()) {  // the step has been left meanwhile: a dialog in it would block the page, unseen
    stopCamera();
    return;
  }
  video.srcObject = stream;
  showStill(false);
  dialog.showModal();
  video.play().catch(() => {});  // closed before the first frame
}

/** Returns the camera's stream; null if there is none, which is explained. */
async function askForCamera() {
  try {
    if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "");
    return await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1080 } }, audio: false,
    });
  } catch (error) {
    const name = error instanceof DOMException && navigator.mediaDevices ? error.name : "";
    say(explainNoCamera(name, window.self !== window.top));
    return null;
  }
}

/** @param {boolean} taken */
function showStill(taken) {
  still.hidden = control("use").hidden = control("discard").hidden = !taken;
  video.hidden = control("take").hidden = taken;
  control(taken ? "use" : "take").focus();
}

function takeStill() {
  if (!video.videoWidth) return;  // no frame has arrived yet
  [still.width, still.height] = [video.videoWidth, video.videoHeight];
  still.getContext("2d")?.drawImage(video, 0, 0);
  showStill(true);
}

function useStill() {
  still.toBlob((blob) => {
    if (blob) bring([new File([blob], `camera ${++shots}.jpg`, { type: blob.type })]);
  }, "image/jpeg", 0.92);
  dialog.close();  // at once: pressed twice, the button would bring the picture twice
}

/** Closes the dialog when its step is left, as by the browser's back button. */
function closeUnseen() {
  if (dialog.open && !dialog.checkVisibility()) dialog.close();
}

function stopCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  video.srcObject = stream = null;
  still.width = still.height = 0;
}

/** @type {HTMLElement} */ (element.querySelector(".intake-camera")).addEventListener("click", openCamera);
control("take").addEventListener("click", takeStill);
control("use").addEventListener("click", useStill);
control("discard").addEventListener("click", () => showStill(false));
control("close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", stopCamera);
new ResizeObserver(closeUnseen).observe(dialog);
