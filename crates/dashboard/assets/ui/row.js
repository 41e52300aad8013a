// One row of the list.

import { useEffect } from "preact/hooks";
import { age, clockOrDate, exact } from "../time.js";
import { ActionButton, Avatar, capitalized, html, NARROW, Shape } from "./parts.js";

/** @typedef {import("../board.js").Board} Board */
/** @typedef {import("../screen.js").RowState} RowState */

/**
 * A component that reads a signal renders again only if the signal or one of its properties changed.
 * @param {{ board: Board, id: string, top: number, index: number, isSelected: boolean, isCurrent: boolean, isOpened: boolean }} properties
 */
export function Row({ board, id, top, index, isSelected, isCurrent, isOpened }) {
  useEffect(() => () => board.screen.release(id), [id]);
  const row = board.screen.row(id).value;
  if (!row) return null;
  const { alert, status, owner, isPending, isUnknown, isGone, isMissed } = row;
  const word = capitalized(alert.severity);
  const who = status === "resolved" ? alert.resolved_by : owner;
  const click = (/** @type {MouseEvent} */ event) => {
    if (event.target instanceof Element && event.target.closest("button, input, a")) return;
    // A drag that selects text is not a click.
    if (getSelection()?.toString()) return;
    // On a narrow screen there is no place for checkboxes: the shape of the severity selects.
    const isShape = event.target instanceof Element && event.target.closest(".sev") !== null;
    if (event.shiftKey) board.select(id, true);
    else if (isShape && NARROW.matches || board.screen.selection.size > 0 && matchMedia("(pointer: coarse)").matches) board.select(id);
    else board.open(id);
  };
  const classes = ["row", isPending && "pending", isUnknown && "unknown", isGone && "gone", isOpened && "is-open"];
  return html`
    <div role="row" class=${classes.filter(Boolean).join(" ")} style=${{ top: `${top}px` }} tabindex=${isCurrent ? 0 : -1}
      data-testid="alert" data-id=${id} data-severity=${alert.severity} data-s=${alert.severity} data-status=${status}
      data-revision=${alert.revision} aria-rowindex=${index} aria-selected=${isSelected} aria-current=${isOpened ? "true" : undefined}
      onClick=${click} onFocus=${() => { board.screen.current.value = id; }}>
      <div class="edge" role="presentation"></div>
      <div class="pick" role="gridcell">
        <input type="checkbox" tabindex="-1" checked=${isSelected} aria-label=${`Select ${alert.message}`}
          onClick=${(/** @type {MouseEvent} */ event) => board.select(id, event.shiftKey)} />
        ${isMissed && html`<i class="dot" title="Raised while the connection was lost"><span class="sr">Missed</span></i>`}
      </div>
      <div class="sev" role="gridcell"><${Shape} severity=${alert.severity} /><span>${word}</span></div>
      <div class="msg" role="gridcell">
        <span class="mn"><bdi class="m" dir="auto" title=${alert.message}>${alert.message.replace(/\s+/g, " ")}</bdi>
          ${alert.count > 1 && html`<span class="n" title=${`Raised ${alert.count} times`}>×${alert.count}</span>`}</span>
        <span class="loc"><span class="word">${word} · </span><bdi>${alert.location}</bdi></span>
        ${(isGone || isUnknown || status === "resolved") && html`<span class="state">${isUnknown ? "unknown" : capitalized(status)}</span>`}
      </div>
      <div class="tags" role="gridcell"><bdi>${labelsText(alert.labels)}</bdi></div>
      <div class="who" role="gridcell">${who && html`<${Person} board=${board} name=${who} />`}</div>
      <div class="age" role="gridcell"><${Age} board=${board} at=${alert.timestamp} /></div>
      <div class="acts" role="gridcell"><${RowActions} board=${board} id=${id} status=${status} /></div>
    </div>`;
}

/** @param {Record<string, string> | undefined} labels */
export function labelsText(labels) {
  return Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`).join(" ");
}

/** @param {{ board: Board, name: string }} properties */
function Person({ board, name }) {
  const isMe = name === board.choices.value.name;
  return html`<${Avatar} name=${name} /><bdi title=${name}>${isMe ? "You" : name}</bdi>`;
}

/** Age of an alert; its clock time while the board may be old. @param {{ board: Board, at: string }} properties */
export function Age({ board, at }) {
  const isStale = !board.connection.isCurrent;
  const now = Math.max(board.ageTime.value, board.now());
  const text = isStale ? clockOrDate(at, now) : age(now - Date.parse(at));
  return html`<time datetime=${at} title=${exact(at)}>${text}</time>`;
}

/**
 * Buttons of the row that is hovered or focused. Each has its own place: what is under the pointer
 * never becomes another action.
 * @param {{ board: Board, id: string, status: import("../alerts.js").Status }} properties
 */
function RowActions({ board, id, status }) {
  const button = (/** @type {import("../rules.js").ActionName} */ action) =>
    html`<${ActionButton} board=${board} id=${id} action=${action} status=${status} isInRow=${true} isIcon=${action === "note"} />`;
  return html`${status === "resolved" && button("reopen")}${button("acknowledge")}${button("resolve")}${button("note")}`;
}
