// Stand-ins for the page, for scripts that touch it while they are loaded.

/** Returns an element that accepts whatever a script does to it at the start. */
export function fakeElement() {
  return {
    dataset: {}, style: {}, children: [],
    append() {}, addEventListener() {}, setAttribute() {}, removeAttribute() {}, toggleAttribute() {}, replaceChildren() {},
    querySelector: fakeElement, querySelectorAll: () => [],
  };
}

/** Returns the names that a script finds in the page, before the server has sent anything. */
export function fakePage() {
  return {
    element: fakeElement(),
    trigger() {},
    props: { part: "", value: "" },
    watch() {},
    live: { part: () => () => {}, answered() {} },
    document: { ...fakeElement(), createElement: fakeElement, body: fakeElement(), head: fakeElement() },
    window: { addEventListener() {} },
    location: { search: "", pathname: "/" },
    MutationObserver: class { observe() {} },
  };
}
