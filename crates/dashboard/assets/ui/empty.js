// What the list shows when it has no rows. Each reason has its own words.

import { useRef, useState } from "preact/hooks";
import { totalOf } from "../counts.js";
import { clockOrDate } from "../time.js";
import { conditionText, isFiltered, NAMES } from "../view.js";
import { copy, html } from "./parts.js";

/** @typedef {import("../board.js").Board} Board */

/** Whether no alert was ever raised, or none is stored. @param {Board} board */
export function isFirstStart(board) {
  const counts = board.counts.value.value;
  return counts !== null && totalOf(counts) === 0 && !isFiltered(board.view.value);
}

/** @param {{ board: Board }} properties */
export function Empty({ board }) {
  const { state, hasFailed } = board.connection.state.value;
  const counts = board.counts.value.value;
  if (!board.hasData.value && hasFailed) return html`<${NoServer} board=${board} />`;
  if (!board.hasData.value || counts === null || board.resolved.state.value.isLoading) {
    return html`<section class="empty quiet-state" aria-busy="true"><p>Loading alerts …</p></section>`;
  }
  if (board.resolved.state.value.failure !== null) return html`<${NotLoaded} board=${board} reason=${board.resolved.state.value.failure} />`;
  if (isFiltered(board.view.value)) return html`<${Hidden} board=${board} />`;
  if (isFirstStart(board)) return html`<${First} board=${board} isLive=${state === "live"} />`;
  return html`<${Clear} board=${board} />`;
}

/** @param {{ board: Board, reason: string }} properties */
function NotLoaded({ board, reason }) {
  return html`
    <section class="empty">
      <h2>The resolved alerts could not be loaded</h2>
      <p>${reason}</p>
      <p class="buttons"><button class="button" onClick=${() => board.resolved.load(board.view.value)}>Try again</button></p>
    </section>`;
}

/** @param {{ board: Board }} properties */
function NoServer({ board }) {
  return html`
    <section class="empty">
      <h2>The server does not answer</h2>
      <p>The page tries again by itself. Check that Northgate runs at <b>${board.api.base.host}</b>, and that this computer reaches it:</p>
      <${Command} text=${`curl ${board.api.url("health/ready")}`} />
    </section>`;
}

/** @param {{ board: Board, isLive: boolean }} properties */
function First({ board, isLive }) {
  const command = `curl ${board.api.url("alerts")} \\\n  -H 'Content-Type: application/json' \\\n  -d '{"message":"Pump 2 is warm","location":"Hall B"}'`;
  return html`
    <section class="empty">
      <h2>No alert has been raised yet</h2>
      <p>${isLive ? "The board is live and waiting. Raise the first alert, and it appears here within a second." : "The board waits for its connection."}</p>
      <dl>
        <dt>From a shell</dt><dd><${Command} text=${command} /></dd>
        <dt>From a program</dt><dd>Send one request, as <a href="docs">the API</a> describes it.</dd>
      </dl>
    </section>`;
}

/** @param {{ text: string }} properties */
function Command({ text }) {
  const [answer, setAnswer] = useState("Copy");
  const code = useRef(/** @type {HTMLElement | null} */ (null));
  const click = async () => setAnswer(await copy(text, code.current) ? "Copied" : "Selected");
  return html`<div class="code"><pre ref=${code} tabindex="0" aria-label="Command">${text}</pre><button class="button" onClick=${click}>${answer}</button></div>`;
}

/** @param {{ board: Board }} properties */
function Clear({ board }) {
  const { name } = board.view.value;
  const last = board.resolved.last.value;
  const titles = {
    active: "All clear",
    open: "Nothing is open",
    acknowledged: "Nobody has an alert",
    resolved: "No alert is resolved",
    all: "No alerts",
  };
  const texts = {
    active: "No alert is open or acknowledged.",
    open: "Every active alert has an owner.",
    acknowledged: "No alert is acknowledged.",
    resolved: "The server has no resolved alerts.",
    all: "The server has no alerts.",
  };
  return html`
    <section class="empty clear">
      <h2>${titles[name]}</h2>
      <p>${texts[name]}</p>
      ${name !== "resolved" && last && html`
        <p class="last">Last resolved: <button class="link" onClick=${() => board.open(last.id)}><bdi>${last.message}</bdi></button>,
          <bdi> ${last.location}</bdi>, by <bdi>${last.resolved_by}</bdi> at ${clockOrDate(last.resolved_at ?? last.updated_at, board.now())}.</p>`}
    </section>`;
}

/** @param {{ board: Board }} properties */
function Hidden({ board }) {
  const view = board.view.value;
  // The numbers come from the rows, which are not signals.
  void board.screen.version.value;
  const all = board.count({ ...view, q: "", conditions: [] });
  const search = view.q.trim();
  const names = view.conditions.map((condition) => conditionText(condition));
  const noun = view.name === "all" ? "alert" : `${NAMES[view.name].toLowerCase()} alert`;
  const wanted = [...names, ...search === "" ? [] : [`“${search}”`]];
  const options = view.conditions.map((condition) => {
    const conditions = view.conditions.filter((other) => other !== condition);
    return { text: conditionText(condition), change: { conditions } };
  });
  /** @type {{ text: string, change: Partial<import("../view.js").View> }[]} */
  const removals = search === "" ? options : [{ text: `“${search}”`, change: { q: "" } }, ...options];
  const clear = () => board.show({ q: "", conditions: [] });
  return html`
    <section class="empty">
      <h2>No ${noun} has <bdi>${wanted.join(" and ")}</bdi></h2>
      <p>${all} ${noun}${all === 1 ? " does" : "s do"} not match.
        ${removals.length > 1 && removals.map(({ text, change }) => ` Without ${text} it would be ${board.count({ ...view, ...change })}.`)}</p>
      ${view.conditions.some(({ name }) => name === "location" || name === "source" || name.startsWith("label."))
        && html`<p>A location, a source and a label must be equal to the filter. The search finds beginnings of words.</p>`}
      <p class="buttons">
        ${removals.map(({ text, change }) => html`<button key=${text} class="button" onClick=${() => board.show(change)}>Remove <bdi>${text}</bdi></button>`)}
        ${removals.length > 1 && html`<button class="button" onClick=${clear}>Remove ${removals.length === 2 ? "both" : "all"}</button>`}
      </p>
    </section>`;
}
