// Whether somebody reads the list. While somebody does, its rows stay in their places.

/** Time without movement after which the pointer over the list counts for nothing, in milliseconds. */
const POINTER_REST = 3_000;

export class Reading {
  #environment;
  #pointerAt = -Infinity;

  isFocused = false;
  isScrolled = false;

  /** @param {import("./environment.js").Environment} environment */
  constructor(environment) {
    this.#environment = environment;
  }

  /** @param {boolean} isOver whether the pointer moves over the list, or has left it */
  pointer(isOver) {
    this.#pointerAt = isOver ? this.#environment.monotonic() : -Infinity;
  }

  get isActive() {
    const isPointing = this.#environment.monotonic() - this.#pointerAt < POINTER_REST;
    return this.isFocused || this.isScrolled || isPointing;
  }
}
