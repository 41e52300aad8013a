// The panel of one alert: its fields, its actions, and its timeline.

import { useEffect, useRef, useState } from "preact/hooks";
import { age, clock, clockOrDate, clockSeconds, exact } from "../time.js";
import { withoutRepeats } from "../timeline.js";
import { ActionButton, capitalized, copy, html, Icon, Shape } from "./parts.js";
import { labelsText } from "./row.js";
import { NoticeText } from "./toolbar.js";

/** @typedef {import("../board.js").Board} Board */
/** @typedef {import("../alerts.js").Alert} Alert */
/** @typedef {import("../timeline.js").Entry} Entry */

/** @param {{ board: Board }} properties */
export function Panel({ board }) {
  const id = board.opened.value ?? "";
  const { state } = board.timeline.loaded.value;
  const row = board.screen.row(id).value;
  const close = () => {
    board.open(null);
    document.querySelector(/** @type {any} */ (`[role=row][data-id="${CSS.escape(id)}"]`))?.focus();
  };
  return html`
    <section class="panel" id="panel" tabindex="-1" aria-label="Alert">
      <div class="tabs">
        <button class="icon-button back" aria-label="Back to the list" onClick=${close}><${Icon} name="chevron-left" size=${22} /></button>
        <h2 class="tab">Alert</h2>
        <${CopyButtons} board=${board} alert=${row?.alert} />
        <button class="icon-button close" aria-label="Close panel" onClick=${close}><${Icon} name="x" size=${18} /></button>
      </div>
      ${row
        ? html`<${Details} board=${board} id=${id} row=${row} /><${TimelineView} board=${board} />`
        : html`<div class="details"><p>${state === "missing"
          ? "There is no alert with this id. The server removes the oldest resolved alerts when its store is full."
          : state === "failed" ? board.timeline.loaded.value.reason : "Loading the alert …"}</p></div>`}
      <${PanelNotice} board=${board} />
    </section>`;
}

/** The result of an action, on a narrow screen, where the panel covers the toolbar. @param {{ board: Board }} properties */
function PanelNotice({ board }) {
  const notice = board.notice.value;
  return notice && html`<div class="panel-notice"><${NoticeText} board=${board} notice=${notice} /></div>`;
}

/** @param {{ board: Board, alert: Alert | undefined }} properties */
function CopyButtons({ board, alert }) {
  const [said, setSaid] = useState("");
  const json = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const timer = setTimeout(setSaid, 2_000, "");
    return () => clearTimeout(timer);
  }, [said]);
  if (!alert) return html`<span class="end"></span>`;
  const address = board.api.url(`?alert=${alert.id}`).href;
  const text = JSON.stringify(alert, null, 2);
  const run = async (/** @type {string} */ value, /** @type {string} */ name) => setSaid(await copy(value, json.current) ? `${name} copied` : "Not allowed here");
  return html`
    <span class="end said" role="status">${said}</span>
    <button class="icon-button" aria-label="Copy link" title="Copy link" onClick=${() => run(address, "Link")}><${Icon} name="link" size=${18} /></button>
    <button class="icon-button" aria-label="Copy JSON" title="Copy JSON" onClick=${() => run(text, "JSON")}><${Icon} name="copy" size=${18} /></button>`;
}

/** @param {{ board: Board, id: string, row: import("../screen.js").RowState }} properties */
function Details({ board, id, row }) {
  const { alert, status, owner, isUnknown, isPending } = row;
  const button = (/** @type {import("../rules.js").ActionName} */ action, isMain = false) =>
    html`<${ActionButton} board=${board} id=${id} action=${action} status=${status} isMain=${isMain} />`;
  return html`
    <div class="details" data-s=${alert.severity}>
      <div class="sev"><${Shape} severity=${alert.severity} /><span>${capitalized(alert.severity)}</span> <em><${StatusText} board=${board} row=${row} /></em></div>
      <h1 dir="auto">${alert.message}</h1>
      <p><bdi>${alert.location}</bdi></p>
      <div class="go-line" aria-busy=${isPending}>
        ${button("acknowledge", true)}${button("resolve")}${button("note")}
        ${status === "acknowledged" && button("unacknowledge")}${status === "resolved" && button("reopen")}
      </div>
      ${isUnknown && html`<p class="why">Unknown: the server did not answer. The request is sent again.</p>`}
      ${!board.canAct && html`<p class="why">Acting waits for the connection: this alert may have changed.</p>`}
      <dl class="facts">
        ${owner && html`<dt>Owner</dt><dd><bdi>${owner}</bdi>${alert.acknowledged_at && owner === alert.acknowledged_by ? ` since ${clockOrDate(alert.acknowledged_at, board.now())}` : ""}</dd>`}
        ${alert.source && html`<dt>Source</dt><dd><${Filter} board=${board} name="source" value=${alert.source} /></dd>`}
        <dt>Location</dt><dd><${Filter} board=${board} name="location" value=${alert.location} /></dd>
        <dt>Raised</dt><dd title=${alert.timestamp}>${exact(alert.timestamp)}</dd>
        ${alert.count > 1 && html`<dt>Seen</dt><dd>${alert.count} times, ${clockSeconds(alert.first_seen)} to ${clockSeconds(alert.last_seen)}</dd>`}
        ${alert.labels && html`<dt>Labels</dt><dd>${Object.entries(alert.labels).map(([name, value]) =>
          html`<${Filter} key=${name} board=${board} name=${`label.${name}`} value=${value} text=${labelsText({ [name]: value })} />`)}</dd>`}
        ${alert.url && html`<dt>Link</dt><dd><${Address} url=${alert.url} /></dd>`}
        ${alert.expires_at && status !== "resolved" && html`<dt>Expires</dt><dd>${exact(alert.expires_at)}</dd>`}
        ${alert.dedup_key && html`<dt>Key</dt><dd><bdi>${alert.dedup_key}</bdi></dd>`}
        <dt>Id</dt><dd class="id">${alert.id}</dd>
      </dl>
    </div>`;
}

/** A link, if its address is http or https. @param {{ url: string }} properties */
function Address({ url }) {
  const isSafe = /^https?:\/\//i.test(url);
  const text = url.replace(/^https?:\/\//i, "");
  return isSafe ? html`<a href=${url} target="_blank" rel="noopener noreferrer"><bdi>${text}</bdi></a>` : html`<bdi>${url}</bdi>`;
}

/** A value that filters the list. @param {{ board: Board, name: string, value: string, text?: string }} properties */
function Filter({ board, name, value, text = value }) {
  const { conditions } = board.view.value;
  const has = conditions.some((known) => known.name === name && known.value === value);
  const click = () => {
    if (!has) board.show({ conditions: [...conditions, { name, value }] });
  };
  return html`<button class="link" title="Show only alerts with this value" onClick=${click}><bdi>${text}</bdi></button> `;
}

/** @param {{ board: Board, row: import("../screen.js").RowState }} properties */
function StatusText({ board, row }) {
  const { alert, status, owner } = row;
  const { since } = board.connection.state.value;
  const now = Math.max(board.ageTime.value, board.now());
  if (status === "resolved") {
    return html`resolved${alert.resolved_by ? html` by <bdi>${alert.resolved_by}</bdi>` : ""}${alert.resolved_at ? ` at ${clockOrDate(alert.resolved_at, now)}` : ""}`;
  }
  const isStale = !board.connection.isCurrent && since !== null;
  if (isStale) return `raised ${clockOrDate(alert.timestamp, now)}, ${owner ? `${owner} had it` : "nobody had it"} at ${clock(since)}`;
  const time = age(now - Date.parse(alert.timestamp));
  if (!owner) return `open for ${time}, nobody has it`;
  return html`raised ${time} ago, ${owner === board.choices.value.name ? "you have" : html`<bdi>${owner}</bdi> has`} it`;
}

/** @param {{ board: Board }} properties */
function TimelineView({ board }) {
  const { state, entries, isComplete, isFull, older, reason } = board.timeline.loaded.value;
  const now = board.now();
  return html`
    <div class="talk" tabindex="0" role="group" aria-label="Timeline">
      ${state === "loading" && html`<p class="muted">Loading the timeline …</p>`}
      ${state === "failed" && html`<p>The timeline could not be loaded. ${reason} <button class="quiet" onClick=${() => board.timeline.reload()}>Try again</button></p>`}
      ${older !== null && html`<p><button class="quiet" onClick=${() => board.timeline.more()}>Show older events</button></p>`}
      ${isFull && html`<p class="muted">These are the newest events. The API has the older ones.</p>`}
      ${!isComplete && !isFull && older === null && html`<p class="muted">Some older events are no longer stored.</p>`}
      ${withoutRepeats(entries).map((entry) => html`
        <div key=${`${entry.at}${entry.revision}${entry.type}`} class=${`event ${entry.type}`}>
          <div><${EntryText} entry=${entry} me=${board.choices.value.name} /></div>
          <time datetime=${entry.at} title=${exact(entry.at)}>${new Date(entry.at).toDateString() === new Date(now).toDateString() ? clockSeconds(entry.at) : clockOrDate(entry.at, now)}</time>
        </div>`)}
    </div>`;
}

/** Words of the timeline, by kind of change. @type {Record<string, string>} */
const WORDS = {
  raised: "Raised",
  acknowledged: "Acknowledged",
  unacknowledged: "Unacknowledged",
  resolved: "Resolved",
  reopened: "Reopened",
  annotated: "Note",
};

/** @param {{ entry: ReturnType<typeof withoutRepeats>[number], me: string }} properties */
function EntryText({ entry, me }) {
  const { change = "", by, note, repeats = 1, since } = entry;
  const who = by && html`<bdi>${by === me ? "you" : by}</bdi>`;
  if (entry.type === "chat") return html`<p><b>${who}</b> <bdi dir="auto">${note}</bdi></p>`;
  if (change === "repeated") return `Seen again${repeats > 1 ? `, ${repeats} times since ${clockSeconds(since ?? entry.at)}` : ""}`;
  return html`<b>${WORDS[change] ?? capitalized(change)}</b>${who && html` by ${who}`}${note && html`: <bdi dir="auto">${note}</bdi>`}`;
}
