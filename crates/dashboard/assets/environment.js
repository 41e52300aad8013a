// The parts of the browser that the logic of the page uses. Tests pass their own.

/**
 * @typedef {object} Environment
 * @property {(url: URL, init?: RequestInit) => Promise<Response>} fetch
 * @property {(url: URL) => WebSocket} connect
 * @property {() => number} wall milliseconds since 1970, as the computer believes
 * @property {() => number} monotonic milliseconds since some moment, never set back
 * @property {() => number} random 0 to 1
 * @property {(ms: number, signal?: AbortSignal) => Promise<void>} pause resolves after a time, or when the signal is aborted
 */

/** @type {Environment} */
export const BROWSER = {
  fetch: (url, init) => fetch(url, init),
  connect: (url) => new WebSocket(url),
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  random: () => Math.random(),
  pause: (ms, signal) => new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  }),
};
