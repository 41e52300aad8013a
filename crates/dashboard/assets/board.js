// The board: everything that the page knows and shows. It joins the feed, the alerts, the rows, the
// view and the actions, and gives the components signals to render.

import { batch, signal } from "@preact/signals";
import { Actions, RULES } from "./actions.js";
import { Alerts, SEVERITIES } from "./alerts.js";
import { Announcer } from "./announcer.js";
import { Api } from "./api.js";
import { Feed, LATE } from "./feed.js";
import { keyOf, ShownRows } from "./rows.js";
import { readBoard, readChoices, SAVED_ALERTS, writeBoard, writeChoices } from "./saved.js";
import { clock, ServerClock } from "./time.js";
import { Timeline } from "./timeline.js";
import { DEFAULT_VIEW, filterObject, filterParameters, isFiltered, matcher, parseView, STATUSES, viewParameters } from "./view.js";

/** @typedef {import("./alerts.js").Alert} Alert */
/** @typedef {import("./alerts.js").Severity} Severity */
/** @typedef {import("./alerts.js").Status} Status */
/** @typedef {import("./view.js").View} View */
/** @typedef {import("./actions.js").ActionName} ActionName */
/** @typedef {import("./actions.js").Notice} Notice */
/** @typedef {import("./saved.js").Choices} Choices */
/** @template T @typedef {import("@preact/signals").Signal<T>} Signal */

/** Number of alerts of each status and severity. @typedef {Record<Status, Record<Severity, number>>} Counts */

/** State of the connection, with the server's time of the last word while there is none. */
/** @typedef {{ state: "live" | "late" | "lost" | "old", since: number | null, hasFailed: boolean }} Connection */

/**
 * The data of one row on the screen.
 * @typedef {object} RowState
 * @property {Alert} alert
 * @property {Status} status the pending one, if an action has no answer yet
 * @property {string | undefined} owner
 * @property {boolean} isPending
 * @property {boolean} isUnknown whether an action got no answer
 * @property {boolean} isGone whether the alert no longer matches the view
 * @property {boolean} isMissed whether it was raised while the connection was lost
 */

/** Time without pointer movement after which the pointer no longer freezes the list. */
const POINTER_REST = 3_000;
/** Alerts of one page of resolved alerts. */
const RESOLVED_PAGE = 500;
/** Time between two requests for the counts. */
const COUNTS_EVERY = 500;
/** Time for which a message stays in the toolbar. */
const NOTICE_FOR = 10_000;
/** Time between two copies of the board in the browser's storage. */
const SAVE_EVERY = 30_000;
/** Actions on more alerts than this ask first. */
export const ASK_OVER = 20;

export class Board {
  #environment;
  #clock;
  #alerts = new Alerts();
  #feed;
  #matches = matcher(DEFAULT_VIEW);
  /** Alerts that changed since the last flush. @type {Set<string>} */
  #dirty = new Set();
  #isFlushDue = false;
  #mustReset = true;
  #readingPointer = -Infinity;
  #isListFocused = false;
  #isScrolled = false;
  /** Signals of the rows in the document. @type {Map<string, Signal<RowState | null>>} */
  #rowSignals = new Map();
  /** @type {Set<string>} */
  #missedIds = new Set();
  /** Server time of the last word before the connection was lost. @type {number | null} */
  #awaySince = null;
  /** Server time at which a gap begins, until the collection is loaded again. @type {number | null} */
  #gapSince = null;
  #areCountsDue = false;
  #areCountsLoading = false;
  #countsAt = -Infinity;
  #savedAt = -Infinity;
  /** @type {number | null} */
  #nextTryAt = null;
  #currentIndex = 0;
  /** Row from which a range is selected. @type {string | null} */
  #anchor = null;
  #noticeEndsAt = Infinity;
  #resolvedLoad = new AbortController();
  /** @type {(() => void)[]} */
  #waitingForConnection = [];

  /** @type {Signal<Connection>} */
  connection = signal({ state: "old", since: null, hasFailed: false });
  /** Seconds since the last word. */
  silence = signal(0);
  /** Seconds until the next attempt to connect; null while one is running. @type {Signal<number | null>} */
  nextTry = signal(null);
  /** @type {Signal<Counts | null>} */
  counts = signal(null);
  /** Server time for ages, in steps of ten seconds. */
  ageTime = signal(0);
  /** @type {Signal<View>} */
  view = signal(DEFAULT_VIEW);
  /** Id of the alert in the panel. @type {Signal<string | null>} */
  opened = signal(null);
  /** Rises when the rows on the screen change. */
  version = signal(0);
  /** @type {Signal<{ count: number, critical: number }>} */
  waiting = signal({ count: 0, critical: 0 });
  /** Id of the row that has the focus, or would get it. @type {Signal<string | null>} */
  current = signal(null);
  /** Notes that are not sent yet, by the ids of their alerts. @type {Map<string, string>} */
  drafts = new Map();
  /** Id of a row that the list scrolls to. @type {Signal<string | null>} */
  revealed = signal(null);
  /** @type {Signal<Set<string>>} */
  selection = signal(new Set());
  /** Position up to which "all that match" are selected. @type {Signal<{ position: string } | null>} */
  selectedAll = signal(null);
  /** Number of alerts that left the selection because they left the view. */
  deselected = signal(0);
  /** @type {Signal<Notice | null>} */
  notice = signal(null);
  /** Seconds for which the action can be undone. */
  undoSeconds = signal(0);
  /** @type {Signal<{ ids: Set<string>, from: number, until: number } | null>} */
  missed = signal(null);
  /** @type {Signal<{ from: number, until: number } | null>} */
  gap = signal(null);
  /** Whether there is data to show, from the server or from the browser's storage. */
  hasData = signal(false);
  /** Whether there are more active alerts than the page loads. */
  isCut = signal(false);
  /** Resolved alerts of the view: what is known, and whether there are older ones. @type {Signal<{ isLoading: boolean, older: URL | null, failure: string | null }>} */
  resolved = signal({ isLoading: false, older: null, failure: null });
  /** The newest resolved alert, for the empty list. @type {Signal<Alert | null>} */
  lastResolved = signal(null);
  /** @type {Signal<Choices>} */
  choices = signal(readChoices());
  /** The open dialog. @type {Signal<import("./ui/dialogs.js").DialogState | null>} */
  dialog = signal(null);

  /** @param {URL} base @param {import("./environment.js").Environment} environment @param {string} name */
  constructor(base, environment, name) {
    this.#environment = environment;
    this.#clock = new ServerClock(environment);
    this.api = new Api(base, environment, this.#clock);
    this.name = name;
    this.announcer = new Announcer(environment);
    this.timeline = new Timeline(this.api, (alert) => this.#apply(alert));
    this.actions = new Actions(this.api, environment, {
      alert: (id) => this.#alerts.get(id),
      apply: (alert) => this.#apply(alert),
      changed: (ids) => this.#touch(ids),
      notify: (notice) => this.notify(notice),
      now: () => this.now(),
      whenConnected: () => this.#whenConnected(),
    });
    this.rows = new ShownRows();
    this.#feed = new Feed(this.api, environment, {
      trying: () => { this.#nextTryAt = null; },
      loading: () => this.#alerts.beginLoad(),
      page: (alerts) => this.#takePage(alerts),
      loaded: (isComplete) => this.#endLoad(isComplete),
      event: (event, isLive) => this.#takeEvent(event, isLive),
      resumed: (isGap) => this.#resumed(isGap),
      live: () => this.#live(),
      heard: () => this.#heard(),
      lost: () => this.#lost(),
      pausing: (ms) => { this.#nextTryAt = environment.monotonic() + ms; },
    });
  }

  /** Starts the feed and the timer. Must be called once. @param {URLSearchParams} parameters */
  start(parameters) {
    this.navigate(parameters);
    this.#showSaved();
    void this.#feed.run();
  }

  /** The server's time in milliseconds. */
  now() {
    return this.#clock.now();
  }

  // Data that arrives.

  #showSaved() {
    const saved = readBoard();
    if (!saved) return;
    saved.alerts.forEach((alert) => this.#apply(alert));
    this.counts.value = saved.counts;
    this.connection.value = { state: "old", since: saved.at, hasFailed: false };
    this.hasData.value = true;
    this.#flush();
  }

  /** @param {Alert[]} alerts */
  #takePage(alerts) {
    for (const alert of alerts) {
      const isNew = this.#alerts.get(alert.id) === undefined;
      const wasAway = this.#gapSince !== null && Date.parse(alert.timestamp) >= this.#gapSince;
      if (isNew && wasAway) this.#missedIds.add(alert.id);
      this.#apply(alert);
    }
    this.hasData.value = true;
    this.#countsDue();
  }

  /** @param {boolean} isComplete */
  #endLoad(isComplete) {
    this.#touch(this.#alerts.endLoad());
    this.isCut.value = !isComplete;
    this.#mustReset = true;
    this.#loadResolved();
    this.timeline.reload();
  }

  /** @param {Alert & { type: string, change?: string, by?: string, note?: string }} event @param {boolean} isLive */
  #takeEvent(event, isLive) {
    if (event.type === "alert" && !isLive && this.#awaySince !== null) this.#missedIds.add(event.id);
    this.#apply(event);
    this.timeline.add(event);
    this.#countsDue();
    if (!isLive) return;
    if (event.type === "alert") this.announcer.raised(event);
    else if (event.change === "resolved") this.announcer.resolved();
    if (event.status === "resolved") this.lastResolved.value = event;
  }

  /** @param {boolean} isGap */
  #resumed(isGap) {
    if (!isGap) return;
    this.#gapSince = this.#awaySince ?? this.now();
  }

  #live() {
    const now = this.now();
    const away = this.#awaySince;
    batch(() => {
      if (away !== null && this.#missedIds.size > 0) {
        const earlier = this.missed.value;
        this.missed.value = {
          ids: new Set([...earlier?.ids ?? [], ...this.#missedIds]),
          from: earlier?.from ?? away,
          until: now,
        };
        this.#touch([...this.#missedIds]);
        this.announcer.missed(this.#missedIds.size);
      }
      if (this.#gapSince !== null) {
        this.gap.value = { from: this.gap.value?.from ?? this.#gapSince, until: now };
      }
      this.#missedIds.clear();
      this.#awaySince = this.#gapSince = null;
      this.#nextTryAt = null;
      if (this.connection.value.state !== "live") {
        this.announcer.connected();
        this.connection.value = { state: "live", since: null, hasFailed: false };
        this.#countsDue();
      }
    });
    this.#waitingForConnection.splice(0).forEach((resolve) => resolve());
    this.#updateTitle();
  }

  #heard() {
    if (this.connection.value.state === "late") {
      this.connection.value = { state: "live", since: null, hasFailed: false };
    }
  }

  #lost() {
    const { state, since } = this.connection.value;
    if (state === "live" || state === "late") {
      const at = this.now() - this.#feed.silence;
      this.#awaySince ??= at;
      this.connection.value = { state: "lost", since: at, hasFailed: true };
      this.announcer.lost(clock(at));
      this.#save(at);
    } else {
      this.connection.value = { state, since, hasFailed: true };
    }
    this.#updateTitle();
  }

  /** Resolves when the connection is live. @returns {Promise<void>} */
  #whenConnected() {
    if (this.connection.value.state === "live") return Promise.resolve();
    return new Promise((resolve) => this.#waitingForConnection.push(resolve));
  }

  tryNow() {
    this.#feed.tryNow();
  }

  /** @param {Alert} alert */
  #apply(alert) {
    if (this.#alerts.apply(alert)) this.#touch([alert.id]);
  }

  // Counts, which are the server's numbers.

  #countsDue() {
    this.#areCountsDue = true;
    void this.#loadCounts();
  }

  async #loadCounts() {
    if (!this.#areCountsDue || this.#areCountsLoading) return;
    this.#areCountsLoading = true;
    await this.#environment.pause(this.#countsAt + COUNTS_EVERY - this.#environment.monotonic());
    this.#areCountsDue = false;
    try {
      const { counts } = await this.api.get("alerts/summary");
      this.counts.value = counts;
      this.#updateTitle();
    } catch {
      // The next tick tries again.
      this.#areCountsDue = true;
    }
    this.#areCountsLoading = false;
    this.#countsAt = this.#environment.monotonic();
  }

  // Resolved alerts, which are loaded only for a view that shows them.

  #loadResolved() {
    this.#resolvedLoad.abort();
    this.#resolvedLoad = new AbortController();
    const isShown = STATUSES[this.view.value.name].includes("resolved");
    if (isShown) {
      const parameters = filterParameters(this.view.value);
      parameters.set("status", "resolved");
      parameters.set("limit", String(RESOLVED_PAGE));
      void this.#loadResolvedPage(this.api.url(`alerts?${parameters}`), this.#resolvedLoad.signal);
    } else {
      this.resolved.value = { isLoading: false, older: null, failure: null };
      void this.#loadLastResolved(this.#resolvedLoad.signal);
    }
  }

  /** Loads older resolved alerts of the view. */
  loadOlder() {
    const { older, isLoading } = this.resolved.value;
    if (older && !isLoading) void this.#loadResolvedPage(older, this.#resolvedLoad.signal);
  }

  /** @param {URL} url @param {AbortSignal} aborted */
  async #loadResolvedPage(url, aborted) {
    this.resolved.value = { isLoading: true, older: url, failure: null };
    try {
      /** @type {{ alerts: Alert[], previous: string | null }} */
      const page = await this.api.get(url, aborted);
      if (aborted.aborted) return;
      page.alerts.forEach((alert) => this.#apply(alert));
      // These rows are not new, so they do not wait.
      this.rows.thaw();
      this.#mustReset = true;
      this.#requestFlush();
      const older = page.previous === null ? null : new URL(page.previous, url);
      this.resolved.value = { isLoading: false, older, failure: null };
    } catch (error) {
      if (aborted.aborted) return;
      const failure = error instanceof Error ? error.message : String(error);
      this.resolved.value = { isLoading: false, older: url, failure };
    }
  }

  /** @param {AbortSignal} aborted */
  async #loadLastResolved(aborted) {
    if (this.lastResolved.value) return;
    try {
      /** @type {{ alerts: Alert[] }} */
      const page = await this.api.get("alerts?status=resolved&limit=20", aborted);
      const byTime = page.alerts.sort((a, b) => ((a.resolved_at ?? "") < (b.resolved_at ?? "") ? 1 : -1));
      this.lastResolved.value = byTime[0] ?? null;
    } catch {
      // Only a detail of the empty list is missing.
    }
  }

  // Rows.

  /** Marks alerts for the next flush. @param {Iterable<string>} ids */
  #touch(ids) {
    for (const id of ids) this.#dirty.add(id);
    if (this.#dirty.size > 0) this.#requestFlush();
  }

  #requestFlush() {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    // A hidden tab gets no animation frame, so it renders nothing, and one flush when it returns.
    requestAnimationFrame(() => this.#flush());
  }

  /** Brings the rows up to date with everything that arrived since the last flush. */
  #flush() {
    this.#isFlushDue = false;
    batch(() => {
      const { order } = this.view.value;
      this.#updateReading();
      if (this.#mustReset && !this.rows.isFrozen) {
        this.#resetRows();
        this.#updateReading();
      } else {
        for (const id of this.#dirty) {
          const alert = this.#alerts.get(id);
          this.rows.set(id, alert && this.#matches(alert) ? keyOf(alert, order) : null);
        }
      }
      for (const id of this.#dirty) {
        const row = this.#rowSignals.get(id);
        if (row) row.value = this.#rowState(id);
      }
      this.#dirty.clear();
      this.#touch(this.#alerts.trim((id) => this.#rowSignals.has(id)));
      this.#updateSelection();
      this.#updateWaiting();
      this.#updateCurrent();
      this.version.value += 1;
    });
  }

  #resetRows() {
    const { order } = this.view.value;
    const keys = [];
    for (const alert of this.#alerts) if (this.#matches(alert)) keys.push(keyOf(alert, order));
    this.rows.reset(keys);
    this.#mustReset = false;
  }

  #updateWaiting() {
    const { count, critical } = this.waiting.value;
    let criticals = 0;
    for (const id of this.rows.waiting) if (this.#alerts.get(id)?.severity === "critical") criticals += 1;
    if (count !== this.rows.waiting.size || critical !== criticals) {
      this.waiting.value = { count: this.rows.waiting.size, critical: criticals };
    }
  }

  /** Alerts that leave the view leave the selection. */
  #updateSelection() {
    const { value } = this.selection;
    const left = [...value].filter((id) => !this.rows.matches(id));
    if (left.length === 0) return;
    const rest = new Set(value);
    left.forEach((id) => rest.delete(id));
    this.selection.value = rest;
    this.deselected.value = rest.size === 0 ? 0 : this.deselected.value + left.length;
    if (rest.size === 0) this.selectedAll.value = null;
  }

  /** Moves the current row to the row that is now in its place, if its alert left the list. */
  #updateCurrent() {
    const { ids } = this.rows;
    const id = this.current.value;
    const index = id === null ? -1 : ids.indexOf(id);
    if (index >= 0) {
      this.#currentIndex = index;
    } else {
      const place = Math.min(this.#currentIndex, ids.length - 1);
      this.current.value = ids[Math.max(0, place)] ?? null;
    }
  }

  /** @param {string} id @returns {RowState | null} */
  #rowState(id) {
    const alert = this.#alerts.get(id);
    if (!alert) {
      // The server removed the alert. Its row stays until the list moves again.
      const last = this.#rowSignals.get(id)?.peek() ?? null;
      return last && { ...last, isGone: true };
    }
    const pending = this.actions.pending(id);
    const status = pending?.status ?? alert.status;
    return {
      alert,
      status,
      owner: pending ? pending.status === "acknowledged" ? pending.by : undefined : alert.acknowledged_by,
      isPending: pending !== undefined,
      isUnknown: pending?.isUnknown ?? false,
      isGone: !this.rows.matches(id),
      isMissed: this.missed.value?.ids.has(id) ?? false,
    };
  }

  /** The signal of a row that is in the document. @param {string} id */
  row(id) {
    let row = this.#rowSignals.get(id);
    if (!row) {
      row = signal(this.#rowState(id));
      this.#rowSignals.set(id, row);
    }
    return row;
  }

  /** Forgets the signal of a row that left the document. @param {string} id */
  release(id) {
    if (id !== this.opened.value) this.#rowSignals.delete(id);
  }

  /** @param {string} id */
  alert(id) {
    return this.#alerts.get(id);
  }

  /** Numbers of alerts for the empty list, if one condition or the search were not there. */
  withoutCondition() {
    const view = this.view.value;
    const count = (/** @type {View} */ other) => {
      const matches = matcher(other);
      let number = 0;
      for (const alert of this.#alerts) if (matches(alert)) number += 1;
      return number;
    };
    const parts = view.conditions.map((condition) => ({
      condition,
      count: count({ ...view, conditions: view.conditions.filter((other) => other !== condition) }),
    }));
    const all = count({ ...view, q: "", conditions: [] });
    return { all, parts, withoutSearch: view.q.trim() === "" ? null : count({ ...view, q: "" }) };
  }

  // Reading: while somebody reads the list, its rows stay in their places.

  /** @param {{ focused?: boolean, scrolled?: boolean, pointer?: boolean }} change */
  reading({ focused, scrolled, pointer }) {
    if (focused !== undefined) this.#isListFocused = focused;
    if (scrolled !== undefined) this.#isScrolled = scrolled;
    if (pointer !== undefined) this.#readingPointer = pointer ? this.#environment.monotonic() : -Infinity;
    const isReading = this.#isReading();
    if (isReading && !this.rows.isFrozen) this.#updateReading();
  }

  #isReading() {
    const pointer = this.#environment.monotonic() - this.#readingPointer < POINTER_REST;
    return this.#isListFocused || this.#isScrolled || pointer || this.selection.value.size > 0;
  }

  #updateReading() {
    if (this.#isReading()) {
      if (!this.rows.isFrozen && !this.#mustReset) this.rows.freeze();
    } else if (this.rows.isFrozen) {
      this.#thaw();
    }
  }

  #thaw() {
    this.rows.thaw();
    for (const [id, row] of this.#rowSignals) row.value = this.#rowState(id);
  }

  /** Shows the rows that wait, and scrolls to the first of them. */
  revealWaiting() {
    const waiting = new Set(this.rows.waiting);
    batch(() => {
      this.#thaw();
      this.revealed.value = this.rows.ids.find((id) => waiting.has(id)) ?? null;
      this.#flush();
    });
  }

  // Views and the panel, which are parts of the address.

  /** Shows what an address says. @param {URLSearchParams} parameters */
  navigate(parameters) {
    const view = parseView(parameters);
    const hasChanged = JSON.stringify(view) !== JSON.stringify(this.view.value);
    batch(() => {
      this.opened.value = parameters.get("alert");
      if (hasChanged) this.#setView(view);
    });
    this.timeline.open(this.opened.value);
  }

  /** @param {View} view */
  #setView(view) {
    this.view.value = view;
    this.#matches = matcher(view);
    this.selection.value = new Set();
    this.selectedAll.value = null;
    this.deselected.value = 0;
    this.#isScrolled = false;
    this.#mustReset = true;
    this.rows.thaw();
    this.#loadResolved();
    this.#flush();
  }

  /** @param {Partial<View>} change @param {"push" | "replace"} how */
  show(change, how = "push") {
    this.#go({ ...this.view.value, ...change }, this.opened.value, how);
  }

  /** Opens an alert in the panel, or closes the panel. @param {string | null} id */
  open(id) {
    if (id === this.opened.value) return;
    // One step back closes the panel, however many alerts were opened in it.
    const how = this.opened.value !== null && id !== null ? "replace" : "push";
    this.#go(this.view.value, id, how);
  }

  /** @param {View} view @param {string | null} alert @param {"push" | "replace"} how */
  #go(view, alert, how) {
    const parameters = viewParameters(view, alert);
    const query = parameters.size > 0 ? `?${parameters}` : location.pathname;
    if (how === "push") history.pushState(null, "", query);
    else history.replaceState(null, "", query);
    this.navigate(parameters);
  }

  // Acting.

  get canAct() {
    const { state } = this.connection.value;
    return state === "live" || state === "late";
  }

  /** Ids of the selected alerts, in the order of the rows. */
  selectedIds() {
    return this.rows.ids.filter((id) => this.selection.value.has(id));
  }

  /**
   * Performs an action, after asking for the name, for a note, or for consent to act on many.
   * @param {ActionName} action @param {string[]} ids
   */
  act(action, ids) {
    if (!this.canAct || ids.length === 0) return;
    if (this.choices.value.name === "") {
      this.dialog.value = { kind: "name", then: () => this.act(action, ids) };
      return;
    }
    const all = this.selectedAll.value !== null && ids.length > 1 ? this.selectedAll.value : null;
    const run = (note = "") => {
      const by = this.choices.value.name;
      if (ids.length > 1) this.clearSelection();
      if (all) void this.actions.performOnAll(action, filterObject(this.view.value), all.position, ids, by, note);
      else void this.actions.perform(action, ids, by, note);
    };
    if (action === "note") {
      this.dialog.value = { kind: "note", ids, then: run };
      return;
    }
    const affected = ids.flatMap((id) => this.#alerts.get(id) ?? [])
      .filter(({ status }) => RULES[action].from.includes(status));
    const criticals = affected.filter(({ severity }) => severity === "critical").length;
    const mustAsk = ids.length > 1 && (affected.length > ASK_OVER || criticals > 0);
    if (mustAsk) {
      this.dialog.value = { kind: "confirm", action, count: affected.length, criticals, then: () => run() };
    } else {
      run();
    }
  }

  /** @param {Notice} notice */
  notify(notice) {
    const lasts = notice.kind === "waiting" ? Infinity : NOTICE_FOR;
    this.#noticeEndsAt = this.#environment.monotonic() + lasts;
    this.notice.value = notice;
    this.undoSeconds.value = NOTICE_FOR / 1_000;
    this.announcer.say([notice.text, notice.detail].filter(Boolean).join(" "));
  }

  undo() {
    const undo = this.notice.value?.undo;
    if (!undo || !this.canAct) return;
    this.notice.value = { kind: "waiting", text: "Undoing …" };
    void this.actions.undo(undo.entries, this.choices.value.name);
  }

  /** @param {Partial<Choices>} change */
  choose(change) {
    this.choices.value = { ...this.choices.value, ...change };
    writeChoices(this.choices.value);
  }

  // Selection.

  /** Selects or deselects a row. With `range`, every row from the last one to this one. @param {string} id @param {boolean} range */
  select(id, range = false) {
    const selection = new Set(this.selection.value);
    const { ids } = this.rows;
    const [from, to] = [this.#anchor === null ? -1 : ids.indexOf(this.#anchor), ids.indexOf(id)];
    if (range && from >= 0) {
      for (const one of ids.slice(Math.min(from, to), Math.max(from, to) + 1)) {
        if (this.rows.matches(one)) selection.add(one);
      }
    } else if (!selection.delete(id) && this.rows.matches(id)) {
      selection.add(id);
    }
    this.#anchor = id;
    this.#setSelection(selection, null);
  }

  /** Selects every alert that matches the view now, on the screen or not. */
  selectAll() {
    const position = this.#feed.position;
    if (position === null) return;
    this.#setSelection(new Set(this.rows.matchingIds()), { position });
  }

  clearSelection() {
    this.#setSelection(new Set(), null);
  }

  /** @param {Set<string>} selection @param {{ position: string } | null} all */
  #setSelection(selection, all) {
    batch(() => {
      this.selection.value = selection;
      this.selectedAll.value = all;
      this.deselected.value = 0;
      this.#updateReading();
    });
  }

  // Lines over the list.

  /** Shows only the alerts that were raised while the connection was lost. */
  showMissed() {
    const times = [...this.missed.value?.ids ?? []].flatMap((id) => this.#alerts.get(id)?.timestamp ?? []).sort();
    const [first, last] = [times[0], times.at(-1)];
    if (first === undefined || last === undefined) return;
    const others = this.view.value.conditions.filter(({ name }) => name !== "since" && name !== "until");
    const until = new Date(Date.parse(last) + 1).toISOString();
    this.show({ name: "all", q: "", conditions: [...others, { name: "since", value: first }, { name: "until", value: until }] });
  }

  closeMissed() {
    const ids = [...this.missed.value?.ids ?? []];
    this.missed.value = null;
    this.#touch(ids);
  }

  // The timer.

  /** Brings everything that depends on the time up to date. Called twice a second. */
  tick() {
    this.#feed.check();
    void this.#loadCounts();
    const { state } = this.connection.value;
    if (state === "live" && this.#feed.silence >= LATE) {
      this.connection.value = { state: "late", since: null, hasFailed: false };
    }
    if (document.hidden) return;
    const now = this.#environment.monotonic();
    batch(() => {
      this.silence.value = Math.floor(this.#feed.silence / 1_000);
      this.ageTime.value = Math.floor(this.now() / 10_000) * 10_000;
      this.nextTry.value = this.#nextTryAt === null ? null : Math.max(0, Math.ceil((this.#nextTryAt - now) / 1_000));
      if (this.notice.value) this.#tickNotice(now);
    });
    if (this.#mustReset || this.rows.isFrozen && !this.#isReading()) this.#requestFlush();
    if (state === "live" && now - this.#savedAt > SAVE_EVERY) this.#save(this.now());
  }

  /** @param {number} now on the monotonic clock */
  #tickNotice(now) {
    const undo = this.notice.value?.undo;
    this.undoSeconds.value = undo ? Math.max(0, Math.ceil((undo.until - now) / 1_000)) : 0;
    if (now >= this.#noticeEndsAt) this.notice.value = null;
  }

  // The copy in the browser's storage.

  /** Saves the board as it is, because the page is being left. */
  leave() {
    if (this.canAct) this.#save(this.now());
  }

  /** @param {number} at server time */
  #save(at) {
    this.#savedAt = this.#environment.monotonic();
    const active = [...this.#alerts].filter(({ status }) => status !== "resolved");
    const worst = active.map((alert) => ({ alert, rank: SEVERITIES.indexOf(alert.severity) }));
    worst.sort((a, b) => a.rank - b.rank || (a.alert.timestamp < b.alert.timestamp ? 1 : -1));
    writeBoard({ at, counts: this.counts.value, alerts: worst.slice(0, SAVED_ALERTS).map(({ alert }) => alert) });
  }

  #updateTitle() {
    const name = this.name === "" ? "Northgate" : `${this.name} · Northgate`;
    const { state, since } = this.connection.value;
    const critical = this.counts.value?.open.critical ?? 0;
    if (state === "lost" && since !== null) document.title = `Lost since ${clock(since)} · ${name}`;
    else document.title = critical > 0 ? `(${critical}) ${name}` : name;
  }

  get isFiltered() {
    return isFiltered(this.view.value);
  }
}
