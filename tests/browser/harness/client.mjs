/** Sends requests to the server as another operator or another system does. */

/**
 * @typedef {object} Alert
 * @property {string} id
 * @property {string} timestamp
 * @property {string} message
 * @property {string} location
 * @property {"info" | "warning" | "error" | "critical"} severity
 * @property {"open" | "acknowledged" | "resolved"} status
 * @property {number} count
 * @property {number} revision
 * @property {string} [acknowledged_by]
 * @property {string} [resolved_by]
 * @property {{ by: string, note: string }[]} [notes]
 */

/** Severities, the worst first. */
export const SEVERITIES = ["critical", "error", "warning", "info"];

export class Client {
  #server;

  /** @param {{ address: string }} server */
  constructor(server) {
    this.#server = server;
  }

  /**
   * Raises an alert, or repeats one.
   * @param {Record<string, unknown>} [fields]
   * @returns {Promise<Alert>}
   */
  raise(fields = {}) {
    return this.#send("/alerts", { message: "Pump 2 is warm", location: "Hall B", ...fields });
  }

  /**
   * Raises some alerts one after another, with severities in turn.
   * @param {number} count
   * @param {Record<string, unknown>} [fields]
   */
  async raiseMany(count, fields = {}) {
    const alerts = [];
    for (let index = 0; index < count; index += 1) {
      const severity = SEVERITIES[index % SEVERITIES.length];
      alerts.push(await this.raise({ message: `Alert number ${index}`, severity, ...fields }));
    }
    return alerts;
  }

  /**
   * @param {string} id
   * @param {"acknowledge" | "unacknowledge" | "resolve" | "reopen" | "notes"} action
   * @param {string} by
   * @param {string} [note]
   * @returns {Promise<Alert>}
   */
  act(id, action, by, note) {
    return this.#send(`/alerts/${id}/${action}`, note === undefined ? { by } : { by, note });
  }

  /** @param {string} id @returns {Promise<Alert>} */
  alert(id) {
    return this.#send(`/alerts/${id}`);
  }

  /**
   * Returns all alerts that a query selects, in the order of the board: the worst first, then the
   * newest.
   * @param {string} [query]
   * @returns {Promise<Alert[]>}
   */
  async alerts(query = "status=open,acknowledged") {
    const all = [];
    for (let next = `?${query}&limit=1000`; next; ) {
      const page = await this.#send(`/alerts${next}`);
      all.push(...page.alerts);
      next = page.previous;
    }
    const rank = (/** @type {Alert} */ { severity }) => SEVERITIES.indexOf(severity);
    return all.sort((a, b) => rank(a) - rank(b) || (a.timestamp < b.timestamp ? 1 : -1));
  }

  /** Returns the number of open alerts of each severity. @returns {Promise<Record<string, number>>} */
  async openCounts() {
    return (await this.#send("/alerts/summary")).counts.open;
  }

  /**
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<any>}
   */
  async #send(path, body) {
    // A connection that stays open would not survive a restart of the server.
    const headers = { Connection: "close", "Content-Type": "application/json" };
    const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(this.#server.address + path, init);
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`${path} was answered ${answer.status}: ${text}`);
    }
    return JSON.parse(text);
  }
}
