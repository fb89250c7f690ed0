import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./programs.js";

/** A window whose browser denies what is named. */
function frame(denied) {
  const store = { getItem: () => null };
  const window = {};
  for (const name of ["localStorage", "sessionStorage"]) {
    const get = () => {
      if (denied.includes(name)) throw new Error("Access is denied for this document.");
      return store;
    };
    Object.defineProperty(window, name, { get, configurable: true });
  }
  return window;
}

test("where storage is denied, values last as long as the frame", () => {
  const window = frame(["localStorage"]);
  load(["components/storage.js"], [], { window });
  const { localStorage: local, sessionStorage: session } = window;
  local.setItem("theme", 1);
  assert.deepEqual([local.getItem("theme"), local.length, local.key(0), local.key(1)], ["1", 1, "theme", null]);
  local.removeItem("theme");
  assert.equal(local.getItem("theme"), null);
  assert.equal(session.setItem, undefined);  // the browser's own
});
