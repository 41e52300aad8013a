// A server in memory for tests of the feed: a log of events, pages of the collection, and streams
// that can be cut at any moment.

/** Returns a random number generator with a seed (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

export class FakeServer {
  epoch = 1;
  log = [];
  /** Number of events that are no longer retained. */
  trimmed = 0;
  alerts = new Map();
  sockets = new Set();
  isAway = false;
  pageSize = 3;
  /** Called at every step of an answer, so that tests can change the server in between. */
  between = () => {};
  requests = [];

  constructor(random) {
    this.random = random;
  }

  position(offset = this.log.length) {
    return `${this.epoch}-${offset}`;
  }

  raise(fields = {}) {
    const number = this.alerts.size + 1;
    const at = time(this.log.length);
    const alert = {
      id: `${this.epoch}.${number}`, timestamp: at, message: "Fire", location: "Hall", severity: "warning", status: "open",
      count: 1, first_seen: at, last_seen: at, updated_at: at, revision: 1, ...fields,
    };
    return this.append(alert, "alert");
  }

  change(id, fields) {
    const before = this.alerts.get(id);
    const alert = { ...before, ...fields, revision: before.revision + 1, updated_at: time(this.log.length) };
    return this.append(alert, "alert_update");
  }

  append(alert, type) {
    const raisedAt = this.alerts.get(alert.id)?.raisedAt ?? this.log.length + 1;
    this.alerts.set(alert.id, { ...alert, raisedAt });
    this.log.push({ ...alert, type, position: this.position(this.log.length + 1) });
    for (const socket of this.sockets) socket.wake();
    return alert;
  }

  /** Starts again with another log and no alerts. */
  restartEmpty() {
    this.cut();
    this.epoch += 1;
    this.log = [];
    this.trimmed = 0;
    this.alerts.clear();
  }

  trim() {
    this.trimmed = this.log.length;
  }

  cut(code = 1006, reason = "") {
    for (const socket of this.sockets) socket.end(code, reason);
    this.sockets.clear();
  }

  /** Alerts that are not resolved, by id. */
  active() {
    return new Map([...this.alerts].filter(([, { status }]) => status !== "resolved").map(([id, { revision, status }]) => [id, `${revision} ${status}`]));
  }

  async fetch(url) {
    this.requests.push(url);
    await turn();
    this.between();
    if (this.isAway) throw new TypeError("fetch failed");
    const before = Number(url.searchParams.get("before")?.split("-")[1] ?? this.log.length + 1);
    const matching = [...this.alerts.values()].filter(({ status, raisedAt }) => status !== "resolved" && raisedAt < before);
    const page = matching.sort((a, b) => a.raisedAt - b.raisedAt).slice(-this.pageSize);
    const previous = matching.length > page.length ? `?before=${this.position(page[0].raisedAt)}` : null;
    const answer = { alerts: page.map(({ raisedAt, ...alert }) => alert), position: this.position(), previous };
    const headers = new Headers({ Date: new Date(0).toUTCString() });
    return { ok: true, status: 200, headers, json: async () => { await turn(); this.between(); return answer; } };
  }

  connect(url) {
    return new FakeSocket(this, url);
  }
}

const time = (number) => new Date(number * 1_000).toISOString().replace("Z", "000Z");

class FakeSocket {
  onmessage = null;
  onclose = null;
  #isOpen = true;
  #queue = [];
  #isRunning = false;

  constructor(server, url) {
    this.server = server;
    this.url = url;
    void this.#open(url.searchParams.get("after"));
  }

  async #open(after) {
    await turn();
    if (this.server.isAway) return this.end(1006);
    const [epoch, offset] = after.split("-").map(Number);
    const isGap = epoch !== this.server.epoch || offset < this.server.trimmed || offset > this.server.log.length;
    this.next = isGap ? this.server.log.length : offset;
    this.#queue.push({ type: "resume", outcome: isGap ? "gap" : "complete", position: this.server.position(this.next) });
    this.server.sockets.add(this);
    this.isNew = true;
    this.wake();
  }

  /** Sends the frames that are due, one in each turn of the event loop. */
  async wake() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#isOpen && this.next !== undefined) {
      await turn();
      if (!this.#isOpen) break;
      const frame = this.#queue.shift() ?? this.#nextFrame();
      if (frame === undefined) break;
      this.onmessage?.({ data: JSON.stringify(frame) });
      this.server.between();
    }
    this.#isRunning = false;
  }

  #nextFrame() {
    if (this.next < this.server.log.length) return this.server.log[this.next++];
    if (!this.isNew) return undefined;
    this.isNew = false;
    return { type: "live", position: this.server.position(this.next) };
  }

  live() {
    this.onmessage?.({ data: JSON.stringify({ type: "live", position: this.server.position(this.next) }) });
  }

  end(code, reason = "") {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.server.sockets.delete(this);
    const { onclose } = this;
    setImmediate(() => onclose?.({ code, reason }));
  }

  close() {
    this.#isOpen = false;
    this.server.sockets.delete(this);
  }
}
