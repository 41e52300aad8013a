// Texts for screen readers: two live regions that exist from the start.

/** Shortest time between two polite texts, in milliseconds. */
const POLITE_EVERY = 10_000;

/** Writes texts into the live regions. The list and the ages are never live. */
export class Announcer {
  #environment;
  #raised = 0;
  #resolved = 0;
  #politeAt = -Infinity;
  #isWaiting = false;

  /** @param {import("./environment.js").Environment} environment */
  constructor(environment) {
    this.#environment = environment;
  }

  /** @param {import("./alerts.js").Alert} alert */
  raised(alert) {
    if (alert.severity === "critical") this.#urgent(`New critical alert: ${alert.message}, ${alert.location}`);
    else this.#raised += 1;
    this.#summarize();
  }

  resolved() {
    this.#resolved += 1;
    this.#summarize();
  }

  /** @param {string} time */
  lost(time) {
    this.#urgent(`Connection lost. The board shows the state of ${time}.`);
  }

  connected() {
    this.#polite("The board is live.");
  }

  /** @param {number} count */
  missed(count) {
    this.#polite(`You missed ${count} ${count === 1 ? "alert" : "alerts"}.`);
  }

  /** Answers the operator, at once. @param {string} text */
  say(text) {
    this.#polite(text);
  }

  #summarize() {
    if (this.#isWaiting || this.#raised + this.#resolved === 0) return;
    this.#isWaiting = true;
    const pause = Math.max(0, this.#politeAt + POLITE_EVERY - this.#environment.monotonic());
    void this.#environment.pause(pause).then(() => {
      this.#isWaiting = false;
      const parts = [
        this.#raised > 0 && `${this.#raised} new ${this.#raised === 1 ? "alert" : "alerts"}`,
        this.#resolved > 0 && `${this.#resolved} resolved`,
      ].filter(Boolean);
      [this.#raised, this.#resolved] = [0, 0];
      if (parts.length > 0) this.#polite(`${parts.join(", ")}.`);
    });
  }

  /** @param {string} text */
  #polite(text) {
    this.#politeAt = this.#environment.monotonic();
    write("polite", text);
  }

  /** @param {string} text */
  #urgent(text) {
    write("assertive", text);
  }
}

/** @param {string} id @param {string} text */
function write(id, text) {
  const region = document.getElementById(id);
  if (region) region.textContent = text;
}
