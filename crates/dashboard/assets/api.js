// Requests to the server: with a deadline, without caches, and with errors that a person can read.

/** @typedef {import("./environment.js").Environment} Environment */
/** @typedef {import("./alerts.js").Alert} Alert */

/** Time limit of a request, in milliseconds. */
const DEADLINE = 10_000;

/** An answer that is not 2xx, as `application/problem+json` if the server wrote it. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {{ type?: string, detail?: string, alert?: Alert, errors?: { detail: string }[] }} problem
   * @param {number | null} retryAfter milliseconds
   */
  constructor(status, problem, retryAfter) {
    const details = problem.errors?.map(({ detail }) => detail).join(", ");
    super(details || problem.detail || `The server answered ${status}.`);
    this.name = "Refused";
    this.status = status;
    this.type = problem.type ?? "";
    /** Current state of the alert, if the answer contains it. */
    this.alert = problem.alert;
    this.retryAfter = retryAfter;
  }

  /** Whether the request may have been executed in spite of this answer. */
  get isUnknown() {
    // A proxy that lost its connection to the server answers 502 or 504.
    return this.type.endsWith("outcome-unknown") || this.status === 502 || this.status === 504;
  }
}

/** There is no answer: the request may have been executed, or may never have arrived. */
export class NoAnswer extends Error {
  constructor() {
    super("The server does not answer.");
    this.name = "NoAnswer";
  }
}

/** The API below one base address. */
export class Api {
  #environment;
  #clock;

  /**
   * @param {URL} base address of the page, with a slash at its end
   * @param {Environment} environment
   * @param {import("./time.js").ServerClock} clock learns the server's time from every answer
   */
  constructor(base, environment, clock) {
    this.base = base;
    this.#environment = environment;
    this.#clock = clock;
  }

  /** @param {string | URL} path relative to the base @returns {URL} */
  url(path) {
    return new URL(path, this.base);
  }

  /** @param {string | URL} path @param {AbortSignal} [signal] @returns {Promise<any>} */
  get(path, signal) {
    return this.#send(this.url(path), {}, signal);
  }

  /**
   * @param {string} path
   * @param {unknown} body
   * @param {Record<string, string>} [headers]
   * @returns {Promise<any>}
   */
  post(path, body, headers = {}) {
    return this.#send(this.url(path), {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", ...headers },
    });
  }

  /** @param {URL} url @param {RequestInit} init @param {AbortSignal} [signal] */
  async #send(url, init, signal) {
    const deadline = new AbortController();
    const abort = () => deadline.abort();
    const timer = setTimeout(abort, DEADLINE);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const answer = await this.#environment.fetch(url, {
        cache: "no-store",
        ...init,
        headers: { Accept: "application/json", ...init.headers },
        signal: deadline.signal,
      });
      this.#clock.learn(answer.headers.get("Date"));
      if (answer.ok) return await answer.json();
      const isProblem = (answer.headers.get("Content-Type") ?? "").includes("json");
      const problem = isProblem ? await answer.json().catch(() => ({})) : {};
      throw new Refused(answer.status, problem, retryAfter(answer.headers.get("Retry-After")));
    } catch (error) {
      throw error instanceof Refused ? error : new NoAnswer();
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }
}

/** @param {string | null} header seconds @returns {number | null} milliseconds */
function retryAfter(header) {
  const seconds = Number.parseInt(header ?? "", 10);
  return Number.isNaN(seconds) ? null : Math.min(seconds, 300) * 1_000;
}
