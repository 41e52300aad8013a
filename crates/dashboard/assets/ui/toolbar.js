// The toolbar over the list: views, search and filters; or the selection; or the result of an action.

import { useEffect, useRef, useState } from "preact/hooks";
import { RULES } from "../rules.js";
import { SEVERITIES } from "../alerts.js";
import { conditionText, isFiltered, NAMES, parseCondition, STATUSES, toggleCondition, viewParameters } from "../view.js";
import { isFirstStart } from "./empty.js";
import { html, Icon, Shape } from "./parts.js";

/** @typedef {import("../board.js").Board} Board */
/** @typedef {import("../view.js").ViewName} ViewName */
/** @typedef {import("../view.js").Condition} Condition */

/** Pause after the last key before the search changes the list, in milliseconds. */
const SEARCH_AFTER = 150;

/** @param {{ board: Board }} properties */
export function Toolbar({ board }) {
  const count = board.screen.selection.ids.value.size;
  const notice = board.notice.value;
  if (isFirstStart(board) && board.screen.rows.ids.length === 0) return null;
  return html`
    <div class=${`bar${notice ? " has-notice" : ""}`}>
      ${count > 0
        ? html`<${Selected} board=${board} count=${count} />`
        : html`
          <${Views} board=${board} />
          ${notice && html`<${NoticeText} board=${board} notice=${notice} />`}
          <${Search} board=${board} isShort=${notice !== null} />`}
      <${New} board=${board} />
    </div>`;
}

/** @param {{ board: Board }} properties */
function Views({ board }) {
  const view = board.view.value;
  const counts = board.counts.value.value;
  const number = (/** @type {ViewName} */ name) => {
    if (!counts || name === "resolved" || name === "all") return null;
    return STATUSES[name].reduce((sum, status) =>
      sum + SEVERITIES.reduce((inner, severity) => inner + counts[status][severity], 0), 0);
  };
  const names = /** @type {ViewName[]} */ (Object.keys(NAMES));
  const change = (/** @type {string} */ name) => board.show({ name: /** @type {ViewName} */ (name) });
  return html`
    <nav aria-label="Status">
      ${names.map((name) => html`
        <a key=${name} href=${`?${viewParameters({ ...view, name }, null)}`} aria-current=${view.name === name ? "page" : undefined}
          onClick=${(/** @type {MouseEvent} */ event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
            event.preventDefault();
            change(name);
          }}>${NAMES[name]} ${number(name) !== null && html`<em>${number(name)}</em>`}</a>`)}
    </nav>
    <label class="views">
      <span class="sr">View</span>
      <select onChange=${(/** @type {Event} */ event) => change(/** @type {HTMLSelectElement} */ (event.target).value)}>
        ${names.map((name) => html`<option key=${name} value=${name} selected=${view.name === name}>
          ${NAMES[name]}${number(name) === null ? "" : ` ${number(name)}`}</option>`)}
      </select>
    </label>`;
}

/** @param {{ board: Board, isShort: boolean }} properties */
function Search({ board, isShort }) {
  const view = board.view.value;
  void board.screen.version.value;
  const [text, setText] = useState(view.q);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const timer = useRef(0);
  useEffect(() => {
    // Back and Forward change the search, but not while the user types.
    if (document.activeElement !== field.current) setText(view.q);
  }, [view.q]);
  const search = (/** @type {string} */ q) => {
    clearTimeout(timer.current);
    // Each key changes the address, but only the first one adds a step for Back.
    if (q !== board.view.value.q) board.show({ q }, board.view.value.q === "" ? "push" : "replace");
  };
  const input = (/** @type {string} */ value) => {
    setText(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(search, SEARCH_AFTER, value);
  };
  const keydown = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    const condition = event.key === "Enter" ? parseCondition(text) : null;
    if (condition) {
      clearTimeout(timer.current);
      setText("");
      const has = view.conditions.some(({ name, value }) => name === condition.name && value === condition.value);
      board.show({ q: "", conditions: has ? view.conditions : [...view.conditions, condition] });
    } else if (event.key === "Enter") {
      search(text);
    } else if (event.key === "Backspace" && text === "" && view.conditions.length > 0) {
      board.show({ conditions: view.conditions.slice(0, -1) });
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (text === "") field.current?.blur();
      setText("");
      search("");
    }
  };
  const isShown = !isShort || text !== "" || view.conditions.length > 0;
  return html`
    <div class=${`find${isShown ? "" : " short"}`} role="search"
      onClick=${(/** @type {MouseEvent} */ event) => { if (!(event.target instanceof Element && event.target.closest("button"))) field.current?.focus(); }}>
      <${Icon} name="search" />
      ${view.conditions.map((condition) => html`
        <span key=${`${condition.name}=${condition.value}`} class="chip">
          <bdi>${conditionText(condition)}</bdi>
          <button aria-label=${`Remove filter ${conditionText(condition)}`}
            onClick=${() => board.show({ conditions: toggleCondition(view, condition).conditions })}><${Icon} name="x" size=${14} /></button>
        </span>`)}
      <input id="search" ref=${field} aria-label="Search and filter" placeholder="Search, or label=value" value=${text}
        autocomplete="off" spellcheck=${false} maxlength="256" enterkeyhint="search"
        onInput=${(/** @type {Event} */ event) => input(/** @type {HTMLInputElement} */ (event.target).value)} onKeyDown=${keydown} />
      ${isFiltered(view) && html`<span class="matches">${board.screen.rows.matching} match</span>`}
      ${board.choices.value.keys && html`<kbd aria-hidden="true">/</kbd>`}
    </div>`;
}

/** @param {{ board: Board, count: number }} properties */
function Selected({ board, count }) {
  const ids = board.screen.selection.inOrder();
  const statuses = new Set(ids.flatMap((id) => board.alert(id)?.status ?? []));
  const all = board.screen.rows.matching;
  const left = board.screen.selection.left.value;
  const isAll = board.screen.selection.allUntil.value !== null;
  const undo = board.notice.value?.undo && board.undoSeconds.value > 0;
  const actions = /** @type {import("../rules.js").ActionName[]} */ (["acknowledge", "unacknowledge", "resolve", "reopen", "note"])
    .filter((action) => action === "note" || RULES[action].from.some((status) => statuses.has(status)))
    .filter((action) => action !== "unacknowledge" || !statuses.has("open"));
  return html`
    <div class="picked" role="group" aria-label="Selected alerts">
      <b>${isAll ? `All ${count} selected` : `${count} selected`}</b>
      ${left > 0 && html`<span class="muted">${left} left the view</span>`}
      ${actions.map((action, index) => html`
        <button key=${action} class=${`button${index === 0 ? " go" : ""}`} disabled=${!board.canAct}
          onClick=${() => board.act(action, ids)}>${RULES[action].button}</button>`)}
      ${undo && html`<button class="button" disabled=${!board.canAct} onClick=${() => board.undo()}>Undo <span class="faint">${board.undoSeconds} s</span></button>`}
      ${!isAll && all > count && html`<button class="quiet hint" onClick=${() => board.selectAll()}>Select all ${all}</button>`}
      <button class="quiet" onClick=${() => board.screen.selection.clear()}>Clear</button>
    </div>`;
}

/** @param {{ board: Board, notice: import("../actions.js").Notice }} properties */
export function NoticeText({ board, notice }) {
  const seconds = board.undoSeconds.value;
  return html`
    <div class=${`picked ${notice.kind}`}>
      <p><bdi>${notice.text}</bdi>${notice.detail && html` <bdi class="muted">${notice.detail}</bdi>`}</p>
      ${notice.undo && seconds > 0 && html`
        <button class="button" disabled=${!board.canAct} onClick=${() => board.undo()}>Undo <span class="faint">${seconds} s</span></button>`}
      <button class="icon-button" aria-label="Close this message" onClick=${() => { board.notice.value = null; }}><${Icon} name="x" /></button>
    </div>`;
}

/** @param {{ board: Board }} properties */
function New({ board }) {
  const { count, critical } = board.screen.waiting.value;
  if (count === 0) return null;
  return html`
    <button class="new" data-testid="new" onClick=${() => board.screen.revealWaiting()}>
      <i aria-hidden="true">↑</i><span>${count} new</span>
      ${critical > 0 && html`<${Shape} severity="critical" /><span class="number">${critical}<span class="sr"> critical</span></span>`}
    </button>`;
}
