// The board: everything that the page knows and shows. It joins the feed, the alerts, the rows, the
// view and the actions, and gives the components signals to render.

import { batch, effect, signal } from "@preact/signals";
import { Actions } from "./actions.js";
import { Alerts, SEVERITIES } from "./alerts.js";
import { Announcer } from "./announcer.js";
import { Api } from "./api.js";
import { Connection } from "./connection.js";
import { Counts } from "./counts.js";
import { Feed } from "./feed.js";
import { Resolved } from "./resolved.js";
import { RULES } from "./rules.js";
import { forgetBoard, readBoard, readChoices, SAVED_ALERTS, writeBoard, writeChoices } from "./saved.js";
import { Screen } from "./screen.js";
import { clock, ServerClock } from "./time.js";
import { Timeline } from "./timeline.js";
import { DEFAULT_VIEW, filterObject, matcher, parseView, viewParameters } from "./view.js";

/** @typedef {import("./alerts.js").Alert} Alert */
/** @typedef {import("./view.js").View} View */
/** @typedef {import("./rules.js").ActionName} ActionName */
/** @typedef {import("./actions.js").Notice} Notice */
/** @typedef {import("./saved.js").Choices} Choices */
/** @template T @typedef {import("@preact/signals").Signal<T>} Signal */

/** Time for which a message stays in the toolbar, in milliseconds. */
const NOTICE_FOR = 10_000;
/** Time between two copies of the board in the browser's storage, in milliseconds. */
const SAVE_EVERY = 30_000;
/** Time after which a saved board was shown without an error, in milliseconds. */
const SHOWN_AFTER = 1_000;
/** Time in which the event of an action usually arrives, in milliseconds. */
const SETTLED_AFTER = 500;
/** Step of the ages, in milliseconds. */
const AGE_STEP = 10_000;
/** Differences between the counts and the known alerts after which the collection is loaded again. */
const MISMATCHES_MAX = 3;
/** Time between two comparisons that found a difference, in milliseconds. */
const MISMATCH_PAUSE = 1_000;
/** Shortest time between two loads because of a difference, in milliseconds. */
const RELOAD_EVERY = 30_000;
/** Form of an alert's id. */
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Actions on more alerts than this ask first. */
const ASK_OVER = 20;

export class Board {
  #environment;
  #clock;
  #alerts = new Alerts();
  #feed;
  #savedAt = -Infinity;
  /** @type {number | null} */
  #nextTryAt = null;
  /** Number of times in a row that the counts differed from the known alerts. */
  #mismatches = 0;
  /** Time of the last load because of a difference, on the monotonic clock. */
  #reloadedAt = -Infinity;
  #noticeEndsAt = Infinity;
  /** @type {(() => void)[]} */
  #waitingForConnection = [];

  /** Seconds since the last word. */
  silence = signal(0);
  /** Seconds until the next attempt to connect; null while one is running. @type {Signal<number | null>} */
  nextTry = signal(null);
  /** Server time for ages, in steps. */
  ageTime = signal(0);
  /** @type {Signal<View>} */
  view = signal(DEFAULT_VIEW);
  /** Id of the alert in the panel. @type {Signal<string | null>} */
  opened = signal(null);
  /** @type {Signal<Notice | null>} */
  notice = signal(null);
  /** Seconds for which the action can be undone. */
  undoSeconds = signal(0);
  /** Whether there is data to show, from the server or from the browser's storage. */
  hasData = signal(false);
  /** Whether there are more active alerts than the page loads. */
  isCut = signal(false);
  /** @type {Signal<Choices>} */
  choices = signal(readChoices());
  /** The open dialog. @type {Signal<import("./ui/dialogs.js").DialogState | null>} */
  dialog = signal(null);
  /** Notes that are not sent yet, by the ids of their alerts. @type {Map<string, string>} */
  drafts = new Map();

  /** @param {URL} base @param {import("./environment.js").Environment} environment @param {string} name */
  constructor(base, environment, name) {
    this.#environment = environment;
    this.#clock = new ServerClock(environment);
    this.api = new Api(base, environment, this.#clock);
    this.name = name;
    this.announcer = new Announcer(environment);
    this.connection = new Connection(() => this.now());
    this.counts = new Counts(this.api, environment, (counts, position) => this.#compare(counts, position));
    this.timeline = new Timeline(this.api, this.#alerts, (alert, era) => this.#apply(alert, era));
    this.resolved = new Resolved(this.api, (alerts) => this.#takeOlder(alerts));
    this.actions = new Actions(this.api, environment, {
      alert: (id) => this.#alerts.get(id),
      era: () => this.#alerts.era,
      apply: (alert, era) => this.#apply(alert, era),
      changed: (ids) => this.screen.touch(ids),
      notify: (notice) => this.notify(notice),
      now: () => this.now(),
      whenConnected: () => this.#whenConnected(),
      settled: () => environment.pause(SETTLED_AFTER),
    });
    this.screen = new Screen(environment, {
      alerts: this.#alerts,
      pending: (id) => this.actions.pending(id),
      isMissed: (id) => this.connection.missed.value?.ids.has(id) ?? false,
      isOpened: (id) => id === this.opened.value,
    });
    this.#feed = new Feed(this.api, environment, {
      trying: () => { this.#nextTryAt = null; },
      loading: () => this.#alerts.beginLoad(),
      page: (alerts) => this.#takePage(alerts),
      loaded: (isComplete) => this.#endLoad(isComplete),
      event: (event, isLive) => this.#takeEvent(event, isLive),
      resumed: (isGap) => { if (isGap) this.connection.hasGap(); },
      live: () => this.#live(),
      heard: () => this.connection.heard(),
      lost: () => this.#lost(),
      pausing: (ms) => { this.#nextTryAt = environment.monotonic() + ms; },
    });
  }

  /** Starts the feed. Must be called once. @param {URLSearchParams} parameters */
  start(parameters) {
    this.navigate(parameters);
    this.#showSaved();
    effect(() => this.#updateTitle());
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
    // A copy that cannot be shown must not stop the page at every start.
    forgetBoard();
    saved.alerts.forEach((alert) => this.#apply(alert));
    this.counts.value.value = saved.counts;
    this.connection.showsSaved(saved.at);
    this.hasData.value = true;
    this.screen.flush();
    setTimeout(() => { if (this.connection.state.value.state === "old") writeBoard(saved); }, SHOWN_AFTER);
  }

  /** @param {Alert[]} alerts */
  #takePage(alerts) {
    for (const alert of alerts) {
      if (this.#alerts.get(alert.id) === undefined) this.connection.loaded(alert);
      this.#apply(alert);
    }
    this.hasData.value = true;
    this.counts.due();
  }

  /** @param {boolean} isComplete */
  #endLoad(isComplete) {
    this.screen.touch(this.#alerts.endLoad());
    this.isCut.value = !isComplete;
    this.#mismatches = 0;
    this.screen.reset();
    this.resolved.load(this.view.value);
    this.timeline.reload();
  }

  /** Takes resolved alerts that were asked for. They are not new, so they do not wait. @param {Alert[]} alerts */
  #takeOlder(alerts) {
    alerts.forEach((alert) => this.#apply(alert));
    this.screen.admit(alerts.map(({ id }) => id));
  }

  /** @param {Alert & { type: string, change?: string, by?: string, note?: string }} event @param {boolean} isLive */
  #takeEvent(event, isLive) {
    if (event.type === "alert" && !isLive) this.connection.caughtUp(event.id);
    this.#apply(event);
    this.timeline.add(event);
    this.counts.due();
    if (!isLive) return;
    if (event.type === "alert") this.announcer.raised(event);
    else if (event.change === "resolved") this.announcer.resolved();
    if (event.status === "resolved") this.resolved.last.value = event;
  }

  #live() {
    const { missed, hasChanged } = this.connection.becomesLive();
    this.#nextTryAt = null;
    this.screen.touch(missed);
    if (missed.length > 0) this.announcer.missed(missed.length);
    if (hasChanged) {
      if (missed.length === 0) this.announcer.connected();
      if (this.resolved.state.value.failure !== null) this.resolved.load(this.view.value);
      this.counts.connected();
    }
    this.#waitingForConnection.splice(0).forEach((resolve) => resolve());
  }

  #lost() {
    const at = this.connection.lost(this.#feed.silence);
    if (at === null) return;
    this.announcer.lost(clock(at));
    this.#save(at);
  }

  /** Resolves when the connection is live. @returns {Promise<void>} */
  #whenConnected() {
    if (this.connection.isLive) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForConnection.push(resolve));
  }

  tryNow() {
    this.#feed.tryNow();
  }

  /** @param {Alert} alert @param {number} [era] the load during which the alert was asked for */
  #apply(alert, era) {
    if (this.#alerts.apply(alert, era)) this.screen.touch([alert.id]);
  }

  /**
   * Compares the server's counts with the known alerts. A full store removes alerts without an
   * event; then the collection is loaded again.
   * @param {import("./counts.js").CountsByStatus} counts @param {string} position
   */
  #compare(counts, position) {
    if (position !== this.#feed.position || !this.connection.isLive || this.isCut.value) return;
    const expected = [counts.open, counts.acknowledged].flatMap((bySeverity) => Object.values(bySeverity)).reduce((sum, number) => sum + number, 0);
    if (expected === this.#alerts.active) {
      this.#mismatches = 0;
      return;
    }
    // The answer to an action can be ahead of both, so one difference alone means nothing.
    this.#mismatches += 1;
    const now = this.#environment.monotonic();
    if (this.#mismatches < MISMATCHES_MAX) {
      setTimeout(() => this.counts.due(), MISMATCH_PAUSE);
    } else if (now - this.#reloadedAt > RELOAD_EVERY) {
      // If a load does not remove the difference, more loads would not either.
      this.#reloadedAt = now;
      this.#feed.reload();
    }
  }

  /** @param {string} id */
  alert(id) {
    return this.#alerts.get(id);
  }

  /** Number of known alerts that another view would show. @param {View} view */
  count(view) {
    const matches = matcher(view);
    let number = 0;
    for (const alert of this.#alerts) if (matches(alert)) number += 1;
    return number;
  }

  // Views and the panel, which are parts of the address.

  /** Shows what an address says. @param {URLSearchParams} parameters */
  navigate(parameters) {
    const view = parseView(parameters);
    const hasChanged = JSON.stringify(view) !== JSON.stringify(this.view.value);
    batch(() => {
      const id = parameters.get("alert");
      this.opened.value = id !== null && ID.test(id) ? id : null;
      if (hasChanged) this.#setView(view);
    });
    this.timeline.open(this.opened.value);
  }

  /** @param {View} view */
  #setView(view) {
    this.view.value = view;
    this.resolved.load(view);
    this.screen.show(view);
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
    return this.connection.isCurrent;
  }

  /**
   * Performs an action, after asking for the name, for a note, or for consent to act on many.
   * @param {ActionName} action @param {string[]} ids
   */
  act(action, ids) {
    if (ids.length === 0) return;
    if (!this.canAct) {
      this.notify({ kind: "failed", text: "There is no connection. Acting waits until it is back." });
      return;
    }
    if (this.choices.value.name === "") {
      this.dialog.value = { kind: "name", then: () => this.act(action, ids) };
      return;
    }
    // The ids select exactly the alerts that the operator saw. A filter is needed only if the page
    // does not know all alerts that match.
    const isAllKnown = !this.isCut.value && this.resolved.state.value.older === null;
    const all = ids.length > 1 && !isAllKnown ? this.screen.selection.allUntil.value : null;
    const run = (note = "") => {
      const by = this.choices.value.name;
      if (ids.length > 1) this.screen.selection.clear();
      if (all === null) void this.actions.perform(action, ids, by, note);
      else void this.actions.performOnAll(action, filterObject(this.view.value), all, ids, by, note);
    };
    if (action === "note") {
      this.dialog.value = { kind: "note", ids, then: run };
      return;
    }
    const affected = ids.flatMap((id) => this.#alerts.get(id) ?? [])
      .filter(({ status }) => RULES[action].from.includes(status));
    const criticals = affected.filter(({ severity }) => severity === "critical").length;
    if (ids.length > 1 && (affected.length > ASK_OVER || criticals > 0)) {
      const others = ids.length - affected.length;
      this.dialog.value = { kind: "confirm", action, count: affected.length, criticals, others, then: () => run() };
    } else {
      run();
    }
  }

  /** @param {Notice} notice */
  notify(notice) {
    this.#noticeEndsAt = notice.kind === "waiting" ? Infinity : this.#environment.monotonic() + NOTICE_FOR;
    this.notice.value = notice;
    this.undoSeconds.value = NOTICE_FOR / 1_000;
    this.announcer.say([notice.text, notice.detail].filter(Boolean).join(" "));
  }

  undo() {
    const undo = this.notice.value?.undo;
    if (!undo || !this.canAct) return;
    this.notify({ kind: "waiting", text: "Undoing …" });
    void this.actions.undo(undo.entries, this.choices.value.name);
  }

  /** @param {Partial<Choices>} change */
  choose(change) {
    this.choices.value = { ...this.choices.value, ...change };
    writeChoices(this.choices.value);
  }

  /** Selects or deselects a row. @param {string} id @param {boolean} range */
  select(id, range = false) {
    this.screen.selection.toggle(id, range);
    this.screen.readingChanged();
  }

  /** Selects every alert that matches the view now, on the screen or not. */
  selectAll() {
    if (this.#feed.position !== null) this.screen.selection.selectAll(this.#feed.position);
  }

  /** Shows only the alerts that were raised while the connection was lost. */
  showMissed() {
    const ids = [...this.connection.missed.value?.ids ?? []];
    const times = ids.flatMap((id) => this.#alerts.get(id)?.timestamp ?? []).sort();
    const [since, last] = [times[0], times.at(-1)];
    if (since === undefined || last === undefined) return;
    const until = new Date(Date.parse(last) + 1).toISOString();
    this.show({ name: "all", q: "", conditions: [{ name: "since", value: since }, { name: "until", value: until }] });
  }

  closeMissed() {
    const ids = [...this.connection.missed.value?.ids ?? []];
    this.connection.missed.value = null;
    this.screen.touch(ids);
  }

  // The timer.

  /** Brings everything that depends on the time up to date. Called twice a second. */
  tick() {
    this.#feed.check();
    // While the connection is lost the feed asks for the server, and the counts can wait.
    if (this.connection.isCurrent) this.counts.retry();
    this.connection.silent(this.#feed.silence);
    this.screen.trim();
    if (document.hidden) return;
    const now = this.#environment.monotonic();
    batch(() => {
      this.silence.value = Math.floor(this.#feed.silence / 1_000);
      this.ageTime.value = Math.floor(this.now() / AGE_STEP) * AGE_STEP;
      this.nextTry.value = this.#nextTryAt === null ? null : Math.max(0, Math.ceil((this.#nextTryAt - now) / 1_000));
      this.#tickNotice(now);
    });
    this.screen.tick();
    if (this.connection.isLive && now - this.#savedAt > SAVE_EVERY) this.#save(this.now());
  }

  /** @param {number} now on the monotonic clock */
  #tickNotice(now) {
    const undo = this.notice.value?.undo;
    this.undoSeconds.value = undo ? Math.max(0, Math.ceil((undo.until - now) / 1_000)) : 0;
    if (now >= this.#noticeEndsAt) this.notice.value = null;
  }

  #updateTitle() {
    const name = this.name === "" ? "Northgate" : `${this.name} · Northgate`;
    const { state, since } = this.connection.state.value;
    const critical = this.counts.value.value?.open.critical ?? 0;
    if (state === "lost" && since !== null) document.title = `Lost since ${clock(since)} · ${name}`;
    else document.title = critical > 0 ? `(${critical}) ${name}` : name;
  }

  // The copy in the browser's storage.

  /** Saves the board as it is, because the page is being left. */
  leave() {
    if (this.connection.isCurrent) this.#save(this.now());
  }

  /** @param {number} at server time */
  #save(at) {
    this.#savedAt = this.#environment.monotonic();
    const active = [...this.#alerts].filter(({ status }) => status !== "resolved");
    const worst = active.map((alert) => ({ alert, rank: SEVERITIES.indexOf(alert.severity) }));
    worst.sort((a, b) => a.rank - b.rank || (a.alert.timestamp < b.alert.timestamp ? 1 : -1));
    const alerts = worst.slice(0, SAVED_ALERTS).map(({ alert }) => alert);
    writeBoard({ at, counts: this.counts.value.value, alerts });
  }
}
