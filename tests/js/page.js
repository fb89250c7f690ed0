// Stand-ins for the page, for scripts that touch it while they are loaded.

/** Returns an element that accepts whatever a script does to it at the start. */
export function fakeElement() {
  return {
    dataset: {}, style: {}, children: [], classList: { add() {}, remove() {}, toggle() {} },
    getBoundingClientRect: () => ({ left: 0, top: 0 }), setPointerCapture() {},
    append() {}, addEventListener() {}, replaceChildren() {},
    setAttribute() {}, removeAttribute() {}, toggleAttribute() {},
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
    live: { part: () => () => {}, receiveAnswer() {} },
    document: {
      ...fakeElement(), createElement: fakeElement, dispatchEvent() {}, body: fakeElement(), head: fakeElement(),
    },
    window: { addEventListener() {} },
    location: { search: "", pathname: "/" },
    MutationObserver: class { observe() {} },
    ResizeObserver: class { observe() {} },
    IntersectionObserver: class { observe() {} },
    matchMedia: () => ({ matches: false }),
    requestAnimationFrame: () => 1,
  };
}

/** A clock that only moves when told to, in place of the page's timers. */
export class FakeClock {
  #now = 0;
  #nextId = 1;
  #timers = new Map();

  /** What scripts find in place of the page's functions. */
  globals = {
    setTimeout: (callback, delay = 0, ...values) => {
      this.#timers.set(this.#nextId, { at: this.#now + delay, run: () => callback(...values) });
      return this.#nextId++;
    },
    clearTimeout: (id) => { this.#timers.delete(id); },
    performance: { now: () => this.#now },
    Date: { now: () => this.#now },
  };

  /** Moves the clock by some milliseconds; what becomes due runs in order, with the promises that follow from it. */
  async wait(ms) {
    const end = this.#now + ms;
    for (;;) {
      for (let i = 0; i < 30; i++) await Promise.resolve();
      const [next] = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!next) break;
      const [id, { at, run }] = next;
      this.#timers.delete(id);
      this.#now = at;
      run();
    }
    this.#now = end;
  }
}
