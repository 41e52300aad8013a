// Lines between the rows: alerts that were missed while the connection was lost, and gaps.

import { clock, clockOrDate, clockSeconds } from "../time.js";
import { html, Icon } from "./parts.js";

/** @typedef {import("../board.js").Board} Board */

/** @param {{ board: Board, top: number, index: number }} properties */
export function MissedLine({ board, top, index }) {
  const missed = board.connection.missed.value;
  if (!missed) return null;
  const count = missed.ids.size;
  const now = board.now();
  const critical = [...missed.ids].filter((id) => board.alert(id)?.severity === "critical").length;
  // A short time has the same minute at both ends.
  const isShort = missed.until - missed.from < 120_000;
  const [from, until] = isShort ? [clockSeconds(missed.from), clockSeconds(missed.until)] : [clockOrDate(missed.from, now), clock(missed.until)];
  return html`
    <div role="row" class="line" style=${{ top: `${top}px` }} aria-rowindex=${index} data-testid="missed" data-count=${count}
      data-from=${new Date(missed.from).toISOString()} data-until=${new Date(missed.until).toISOString()}>
      <div role="gridcell" aria-colspan="7">
        <i class="dot" aria-hidden="true"></i>
        <p>You missed ${count} ${count === 1 ? "alert" : "alerts"} from ${from} to ${until}${critical > 0 ? `, ${critical} critical` : ""}.
          <span class="more"> The connection was lost. ${count === 1 ? "It carries" : "They carry"} a dot.</span></p>
        <button class="quiet" onClick=${() => board.showMissed()}>Show ${count === 1 ? "it" : "them"}</button>
        <button class="icon-button" aria-label="Close this line" onClick=${() => board.closeMissed()}><${Icon} name="x" /></button>
      </div>
    </div>`;
}

/** @param {{ board: Board, top: number, index: number }} properties */
export function GapLine({ board, top, index }) {
  const gap = board.connection.gap.value;
  if (!gap) return null;
  return html`
    <div role="row" class="line" style=${{ top: `${top}px` }} aria-rowindex=${index} data-testid="gap"
      data-from=${new Date(gap.from).toISOString()} data-until=${new Date(gap.until).toISOString()}>
      <div role="gridcell" aria-colspan="7">
        <${Icon} name="unplug" />
        <p>The server no longer has the events from ${clockOrDate(gap.from, board.now())} to ${clock(gap.until)}.
          <span class="more"> The list is complete again; alerts that came and went in that time are not in it.</span></p>
        <button class="icon-button" aria-label="Close this line" onClick=${() => { board.connection.gap.value = null; }}><${Icon} name="x" /></button>
      </div>
    </div>`;
}
