// In a frame of another site the browser may deny all storage: reading `localStorage` then throws, which stops Gradio's
// scripts. What they keep lasts as long as the frame instead.

/** @returns {Storage} */
function createStorage() {
  /** @type {Map<string, string>} */
  const values = new Map();
  return {
    get length() {
      return values.size;
    },
    key: (index) => [...values.keys()][index] ?? null,
    getItem: (name) => values.get(String(name)) ?? null,
    setItem: (name, value) => { values.set(String(name), String(value)); },
    removeItem: (name) => { values.delete(String(name)); },
    clear: () => values.clear(),
  };
}

for (const name of /** @type {("localStorage" | "sessionStorage")[]} */ (["localStorage", "sessionStorage"])) {
  try {
    window[name].getItem(name);
  } catch {
    Object.defineProperty(window, name, { value: createStorage(), configurable: true });
  }
}
