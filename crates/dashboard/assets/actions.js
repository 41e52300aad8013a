// Actions of the operator: pending states over the server's state, retries, conflicts, and undo.

import { NoAnswer, Refused } from "./api.js";
import { randomId } from "./random.js";
import { isStillMine, markOf, nameOf, RULES, stateWords, undoEntry } from "./rules.js";
import { clockOrDate, Elapsed } from "./time.js";

/** @typedef {import("./alerts.js").Alert} Alert */
/** @typedef {import("./alerts.js").Status} Status */
/** @typedef {import("./rules.js").ActionName} ActionName */
/** @typedef {import("./rules.js").Rule} Rule */
/** @typedef {import("./rules.js").UndoEntry} UndoEntry */
/** Time for which an action can be undone, in milliseconds. */
const UNDO_FOR = 10_000;
/** Time for which an action without an answer is sent again, in milliseconds. */
const RETRY_FOR = 300_000;
/** Alerts in one bulk request, the limit of the API. */
const BULK_MAX = 1_000;
/** Attempts to undo the action on one alert whose revision rises meanwhile. */
const UNDO_ATTEMPTS = 8;
/** Requests of one undo at the same time. */
const UNDO_REQUESTS = 4;
/** Difference of clocks that is tolerated to decide whether an event is new, in milliseconds. */
const CLOCK_SLACK = 5_000;

/**
 * A message in the toolbar about an action.
 * @typedef {object} Notice
 * @property {string} text
 * @property {string} [detail]
 * @property {"done" | "failed" | "waiting"} kind
 * @property {{ entries: UndoEntry[], until: number }} [undo] `until` on the monotonic clock
 */

/**
 * The board, as the actions see it.
 * @typedef {object} Host
 * @property {(id: string) => Alert | undefined} alert
 * @property {() => number} era number of the current load
 * @property {(alert: Alert, era: number) => void} apply takes an alert of an answer to a request of that load
 * @property {(ids: string[]) => void} changed the pending states of these alerts changed
 * @property {(notice: Notice) => void} notify
 * @property {() => number} now the server's time in milliseconds
 * @property {() => Promise<void>} whenConnected
 * @property {() => Promise<void>} settled resolves when the events up to now have probably arrived
 */

/** @typedef {{ status: Status, by: string, isUnknown: boolean }} Pending */

export class Actions {
  #api;
  #environment;
  #host;
  /** Pending states by alert. @type {Map<string, Pending>} */
  #pending = new Map();
  /** The last request of each alert that has one, so that two actions keep their order. @type {Map<string, Promise<void>>} */
  #tails = new Map();

  /** @param {import("./api.js").Api} api @param {import("./environment.js").Environment} environment @param {Host} host */
  constructor(api, environment, host) {
    this.#api = api;
    this.#environment = environment;
    this.#host = host;
  }

  /** @param {string} id @returns {Pending | undefined} */
  pending(id) {
    return this.#pending.get(id);
  }

  /**
   * Performs an action on the alerts with these ids.
   * @param {ActionName} action @param {string[]} ids @param {string} by @param {string} note
   */
  async perform(action, ids, by, note) {
    const [first] = ids;
    if (first === undefined) return;
    if (ids.length === 1) {
      await this.#inTurn(first, () => this.#one(action, first, by, note));
    } else {
      await this.#many(action, by, note, ids, chunks(ids).map((ids) => ({ ids })));
    }
  }

  /**
   * Performs an action on every alert that matches a filter and was raised at or before a position.
   * @param {ActionName} action @param {Record<string, unknown>} filter @param {string} position
   * @param {string[]} ids the alerts of the filter that the page knows
   * @param {string} by @param {string} note
   */
  async performOnAll(action, filter, position, ids, by, note) {
    await this.#many(action, by, note, ids, [{ filter: { ...filter, as_of: position } }]);
  }

  /** Runs the requests of one alert one after another. @param {string} id @param {() => Promise<void>} run */
  async #inTurn(id, run) {
    const turn = (this.#tails.get(id) ?? Promise.resolve()).then(run);
    this.#tails.set(id, turn);
    await turn;
    if (this.#tails.get(id) === turn) this.#tails.delete(id);
  }

  /** @param {ActionName} action @param {string} id @param {string} by @param {string} note */
  async #one(action, id, by, note) {
    const rule = RULES[action];
    const before = this.#host.alert(id);
    const started = this.#host.now();
    const pending = this.#lay(rule, [id], by);
    try {
      const body = note === "" ? { by } : { by, note };
      const era = this.#host.era();
      const { answer } = await this.#send(`alerts/${id}/${rule.path}`, body, [id], nameOf(before));
      this.#host.apply(answer, era);
      this.#host.notify(this.#judge(action, before, answer, by, started));
    } catch (error) {
      const state = error instanceof Refused ? error.alert : undefined;
      this.#host.notify(await this.#failure(rule, id, state, error));
    } finally {
      this.#lift(pending);
    }
  }

  /**
   * Compares an answer with the request: it may be somebody else who was first.
   * @param {ActionName} action @param {Alert | undefined} before @param {Alert} after
   * @param {string} by @param {number} started
   * @returns {Notice}
   */
  #judge(action, before, after, by, started) {
    const rule = RULES[action];
    const name = nameOf(after);
    if (action === "note") return { kind: "done", text: `Added a note to ${name}.` };
    const mark = markOf(after);
    if (!mark && before?.revision === after.revision) return { kind: "failed", text: `${name} is ${after.status} already.` };
    const isNew = Date.parse(mark?.at ?? after.updated_at) >= started - CLOCK_SLACK;
    if (mark && (mark.by !== by || !isNew)) {
      return { kind: "failed", text: this.#firstWas(after, by) };
    }
    const entry = undoEntry(action, before, after, by);
    return {
      kind: "done",
      text: `${rule.done} ${name}.`,
      ...entry && { undo: { entries: [entry], until: this.#environment.monotonic() + UNDO_FOR } },
    };
  }

  /** States who was first and when. @param {Alert} alert @param {string} by */
  #firstWas(alert, by) {
    const mark = markOf(alert);
    const who = mark?.by === by ? "You" : mark?.by ?? "Nobody";
    const when = mark ? clockOrDate(mark.at, this.#host.now()) : "";
    return alert.status === "acknowledged"
      ? `${who} ${who === "You" ? "have" : "has"} had ${nameOf(alert)} since ${when}.`
      : `${nameOf(alert)} was resolved by ${who} at ${when}.`;
  }

  /**
   * @param {ActionName} action @param {string} by @param {string} note @param {string[]} ids
   * @param {Record<string, unknown>[]} selections members of the requests that select alerts
   */
  async #many(action, by, note, ids, selections) {
    const rule = RULES[action];
    const started = this.#host.now();
    const before = new Map(ids.map((id) => [id, this.#host.alert(id)]));
    const pending = this.#lay(rule, ids, by);
    /** @type {{ id: string, outcome: string, error?: { detail: string, alert?: Alert } }[]} */
    const results = [];
    let failure = null;
    try {
      for (let queue = selections; queue.length > 0;) {
        const [selection, ...others] = queue;
        const body = { action: rule.bulk, by, ...note !== "" && { note }, ...selection };
        const { answer, isRepeated } = await this.#send("alerts/actions", body, ids, `${ids.length} alerts`);
        if (isRepeated) await this.#host.settled();
        for (const result of answer.results) {
          // The first request had no answer, and may be the one that changed the alert.
          const isMine = isRepeated && result.outcome === "unchanged" && this.#isNew(result.id, by, started);
          results.push(isMine ? { ...result, outcome: "changed" } : result);
        }
        const filter = /** @type {any} */ (selection)?.filter;
        queue = answer.rest && filter ? [{ filter: { ...filter, ...answer.rest } }, ...others] : others;
      }
    } catch (error) {
      failure = error;
    }
    const changed = results.filter(({ outcome }) => outcome === "changed").map(({ id }) => id);
    const other = results.find(({ outcome }) => outcome !== "changed");
    const detail = failure
      ? message(failure)
      : other && await this.#whyNot(other, by);
    this.#lift(pending);
    const entries = changed.flatMap((id) => undoEntry(action, before.get(id), before.get(id) ?? { id }, by) ?? []);
    const count = results.length === changed.length && !failure
      ? `${changed.length}`
      : `${changed.length} of ${Math.max(results.length, ids.length)}`;
    this.#host.notify({
      kind: failure ? "failed" : "done",
      text: `${rule.done} ${count} ${changed.length === 1 && count === "1" ? "alert" : "alerts"}.`,
      ...detail && { detail },
      ...entries.length > 0 && { undo: { entries, until: this.#environment.monotonic() + UNDO_FOR } },
    });
  }

  /** Whether an alert got its status from this operator since a time. @param {string} id @param {string} by @param {number} since */
  #isNew(id, by, since) {
    const alert = this.#host.alert(id);
    const mark = alert && markOf(alert);
    return mark?.by === by && Date.parse(mark.at) >= since - CLOCK_SLACK;
  }

  /** @param {{ id: string, outcome: string, error?: { detail: string } }} result @param {string} by */
  async #whyNot({ id, outcome, error }, by) {
    const alert = await this.#current(id);
    if (outcome === "unchanged" && alert && markOf(alert)) return this.#firstWas(alert, by);
    return alert ? `${nameOf(alert)}: ${error?.detail ?? "it was so already."}` : error?.detail;
  }

  /** Reads an alert, or returns the one that the page knows if there is no answer. @param {string} id */
  async #current(id) {
    const era = this.#host.era();
    try {
      const alert = await this.#api.get(`alerts/${id}`);
      this.#host.apply(alert, era);
      return alert;
    } catch {
      return this.#host.alert(id);
    }
  }

  /**
   * Sends a request until there is an answer. Every attempt has the same key, so the server
   * performs the action once.
   * @param {string} path @param {Record<string, unknown>} body @param {string[]} ids @param {string} name
   */
  async #send(path, body, ids, name) {
    const isBulk = path === "alerts/actions";
    // The API has no keys for bulk actions: sending them again is safe, except for notes.
    /** @type {Record<string, string>} */
    const headers = isBulk ? {} : { "Idempotency-Key": randomId() };
    const time = new Elapsed(this.#environment);
    for (let pause = 1_000, attempts = 1; ; pause = Math.min(pause * 2, 15_000), attempts += 1) {
      try {
        return { answer: await this.#api.post(path, body, headers), isRepeated: attempts > 1 };
      } catch (error) {
        const isUnknown = error instanceof NoAnswer || error instanceof Refused && error.isUnknown;
        const isBusy = error instanceof Refused && error.status === 503;
        const mustStop = isBulk && body.action === "annotate" && isUnknown;
        if (!isUnknown && !isBusy || time.ms > RETRY_FOR || mustStop) throw error;
        this.#doubt(ids);
        this.#host.notify({
          kind: "waiting",
          text: `Unknown whether ${name} changed.`,
          detail: `${message(error)} The request is sent again.`,
        });
        await this.#environment.pause(error instanceof Refused && error.retryAfter || pause);
        await this.#host.whenConnected();
        // By now somebody else may have worked on the alert.
        if (time.ms > RETRY_FOR) throw error;
      }
    }
  }

  /**
   * Describes a refused action on one alert by the state that is the reason.
   * @param {Rule} rule @param {string} id @param {Partial<Alert> | undefined} state @param {unknown} error
   * @returns {Promise<Notice>}
   */
  async #failure(rule, id, state, error) {
    const not = `Not ${rule === RULES.note ? "noted" : rule.done.toLowerCase()}: `;
    if (state === undefined) return { kind: "failed", text: not + message(error) };
    const alert = await this.#current(id);
    return { kind: "failed", text: `${not}${alert ? stateWords(alert) : message(error)}.` };
  }

  /** Lays pending states over alerts. @param {Rule} rule @param {string[]} ids @param {string} by */
  #lay({ from, to }, ids, by) {
    /** @type {Map<string, Pending>} */
    const laid = new Map();
    for (const id of ids) {
      const status = this.#host.alert(id)?.status;
      if (to === null || status === undefined || !from.includes(status)) continue;
      const pending = { status: to, by, isUnknown: false };
      laid.set(id, pending);
      this.#pending.set(id, pending);
    }
    this.#host.changed([...laid.keys()]);
    return laid;
  }

  /** Marks the pending states of alerts as unknown. @param {string[]} ids */
  #doubt(ids) {
    for (const id of ids) {
      const pending = this.#pending.get(id);
      if (pending) pending.isUnknown = true;
    }
    this.#host.changed(ids);
  }

  /** Removes pending states, unless a later action replaced them. @param {Map<string, Pending>} laid */
  #lift(laid) {
    for (const [id, pending] of laid) {
      if (this.#pending.get(id) === pending) this.#pending.delete(id);
    }
    this.#host.changed([...laid.keys()]);
  }

  /** Undoes an action. @param {UndoEntry[]} entries @param {string} by */
  async undo(entries, by) {
    const queue = [...entries];
    /** @type {string[]} */
    const reasons = [];
    const run = async () => {
      for (let entry = queue.shift(); entry; entry = queue.shift()) {
        const { id } = entry;
        const undone = entry;
        await this.#inTurn(id, async () => {
          const reason = await this.#undoOne(undone, by);
          if (reason !== null) reasons.push(reason);
        });
      }
    };
    await Promise.all(Array.from({ length: UNDO_REQUESTS }, run));
    const done = entries.length - reasons.length;
    const [reason = ""] = reasons;
    if (reasons.length === 0) {
      const text = entries.length === 1 ? `Undone: ${nameOf(this.#host.alert(entries[0]?.id ?? ""))}.` : `Undone for ${done} alerts.`;
      const detail = lostOwners(entries);
      this.#host.notify({ kind: "done", text, ...detail !== "" && { detail } });
    } else if (entries.length === 1) {
      this.#host.notify({ kind: "failed", text: `Not undone: ${reason}` });
    } else {
      this.#host.notify({ kind: "failed", text: `Undone for ${done} of ${entries.length} alerts.`, detail: `Not undone: ${reason}` });
    }
  }

  /** Acknowledges an alert again that was mine before it was resolved. @param {Alert} alert @param {string} by @param {string} key */
  async #takeBack(alert, by, key) {
    const era = this.#host.era();
    const headers = { "Idempotency-Key": `${key}-again`, "If-Match": `"${alert.revision}"` };
    try {
      this.#host.apply(await this.#api.post(`alerts/${alert.id}/acknowledge`, { by }, headers), era);
      return null;
    } catch (error) {
      return `it is open again, but not acknowledged: ${message(error)}`;
    }
  }

  /**
   * Undoes the action on one alert, if its status and its owner are still those of the action.
   * Returns the reason if it was not undone.
   * @param {UndoEntry} entry @param {string} by @returns {Promise<string | null>}
   */
  async #undoOne(entry, by) {
    const key = randomId();
    let alert = this.#host.alert(entry.id);
    // The page may not have received the event of its own action yet.
    if (!alert || !isStillMine(entry, alert)) alert = await this.#current(entry.id);
    for (let attempt = 0; attempt < UNDO_ATTEMPTS; attempt += 1) {
      if (!alert) return "the alert was removed";
      if (!isStillMine(entry, alert)) {
        const wasUndone = attempt > 0 && alert.status === RULES[entry.action].to;
        return wasUndone ? null : stateWords(alert);
      }
      const era = this.#host.era();
      try {
        const answer = await this.#api.post(
          `alerts/${entry.id}/${RULES[entry.action].path}`,
          { by },
          { "Idempotency-Key": `${key}-${attempt}`, "If-Match": `"${alert.revision}"` },
        );
        this.#host.apply(answer, era);
        return entry.action === "reopen" && entry.wasMine ? await this.#takeBack(answer, by, key) : null;
      } catch (error) {
        const isConflict = error instanceof Refused && (error.status === 412 || error.status === 409);
        const isUnknown = error instanceof NoAnswer || error instanceof Refused && error.isUnknown;
        if (!isConflict && !isUnknown) return message(error);
        if (isUnknown) {
          await this.#environment.pause(1_000);
          await this.#host.whenConnected();
        }
        alert = await this.#current(entry.id);
      }
    }
    return "the alert changes too often";
  }
}

/**
 * States which owners an undone resolution has lost: nobody can acknowledge in another name.
 * @param {UndoEntry[]} entries
 */
function lostOwners(entries) {
  const owners = entries.flatMap(({ formerOwner }) => formerOwner ?? []);
  const [owner] = owners;
  if (owner === undefined) return "";
  return entries.length === 1 ? `It is open now; ${owner} had it.` : `${owners.length} of them had another owner and are open now.`;
}

/** @param {unknown} error */
function message(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {string[]} ids */
function chunks(ids) {
  return Array.from({ length: Math.ceil(ids.length / BULK_MAX) }, (_, index) =>
    ids.slice(index * BULK_MAX, (index + 1) * BULK_MAX));
}
