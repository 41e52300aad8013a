// The list: a grid of which only the visible rows are in the document.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Empty } from "./empty.js";
import { GapLine, MissedLine } from "./lines.js";
import { html, NARROW } from "./parts.js";
import { Row } from "./row.js";

/** @typedef {import("../board.js").Board} Board */

/** Heights in pixels, the same as in board.css. */
const HEIGHTS = { comfortable: 40, compact: 28, narrow: 56, line: 30, wideLine: 48, head: 28 };
/** Rows above and below the visible ones that are in the document. */
const OVERSCAN = 6;
/** Distance from the end at which older rows are loaded, in pixels. */
const LOAD_AT = 600;

/** @param {{ board: Board }} properties */
export function List({ board }) {
  // The rows are not signals, so this component renders when their version rises.
  void board.screen.version.value;
  const scroller = useRef(/** @type {HTMLElement | null} */ (null));
  const [height, setHeight] = useState(900);
  const [top, setTop] = useState(0);
  const [isNarrow, setNarrow] = useState(NARROW.matches);
  const anchor = useRef(/** @type {{ id: string, delta: number } | null} */ (null));

  const { ids } = board.screen.rows;
  const view = board.view.value;
  const missed = board.connection.missed.value;
  const gap = board.connection.gap.value;
  const rowHeight = HEIGHTS[isNarrow ? "narrow" : board.choices.value.density];
  const lineHeight = isNarrow ? HEIGHTS.wideLine : HEIGHTS.line;
  const lines = Number(missed !== null) + Number(gap !== null);
  const since = Math.min(missed?.from ?? Infinity, gap?.from ?? Infinity);
  const lineIndex = view.order === "severity" ? 0 : firstOlder(board, ids, since);
  const linesHeight = lines * lineHeight;
  const offsetOf = (/** @type {number} */ index) => index * rowHeight + (index >= lineIndex ? linesHeight : 0);
  const total = ids.length * rowHeight + linesHeight;

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    const change = () => setNarrow(NARROW.matches);
    NARROW.addEventListener("change", change);
    return () => {
      observer.disconnect();
      NARROW.removeEventListener("change", change);
    };
  }, []);

  // Another view starts at its top.
  useLayoutEffect(() => {
    if (scroller.current) scroller.current.scrollTop = 0;
    anchor.current = null;
  }, [view]);

  // Rows that are inserted above move the scroll position in the same frame.
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element || !anchor.current) return;
    const index = ids.indexOf(anchor.current.id);
    const wanted = index < 0 ? null : offsetOf(index) + anchor.current.delta;
    if (wanted !== null && wanted !== element.scrollTop) element.scrollTop = wanted;
  }, [ids, rowHeight, linesHeight, lineIndex]);

  // The row that somebody asked to see.
  useLayoutEffect(() => {
    const element = scroller.current;
    const id = board.screen.revealed.value;
    if (!element || id === null) return;
    board.screen.revealed.value = null;
    const index = ids.indexOf(id);
    if (index >= 0) scrollTo(element, offsetOf(index) - (index === lineIndex ? linesHeight : 0), rowHeight);
    element.focus({ preventScroll: true });
  }, [board.screen.revealed.value]);

  useEffect(() => {
    if (board.resolved.state.value.older && top + height > total - LOAD_AT) board.resolved.more();
  }, [top, height, total, board.resolved.state.value.older]);

  const isEmpty = !board.hasData.value || ids.length === 0;
  useLayoutEffect(() => {
    if (!isEmpty) return;
    // Without rows nobody reads, and nothing else reports that.
    board.screen.reading.isScrolled = board.screen.reading.isFocused = false;
  }, [isEmpty]);

  const scroll = () => {
    const element = scroller.current;
    if (!element) return;
    const first = Math.min(ids.length - 1, Math.max(0, Math.floor((element.scrollTop - linesHeight) / rowHeight)));
    const id = ids[first];
    const isScrolled = element.scrollTop > 0;
    anchor.current = isScrolled && id !== undefined ? { id, delta: element.scrollTop - offsetOf(first) } : null;
    setTop(element.scrollTop);
    board.screen.reading.isScrolled = isScrolled;
    board.screen.readingChanged();
  };

  if (isEmpty) {
    return html`
      <div class="list" id="list" ref=${scroller} tabindex="-1">
        ${lines > 0 && html`<div role="grid" class="lone" aria-label="Notices"><${MissedLine} board=${board} top=${0} index=${1} />
          <${GapLine} board=${board} top=${missed ? lineHeight : 0} index=${2} /></div>`}
        <${Empty} board=${board} />
      </div>`;
  }

  const start = Math.max(0, Math.floor((top - linesHeight) / rowHeight) - OVERSCAN);
  const end = Math.min(ids.length, Math.ceil((top + height) / rowHeight) + OVERSCAN);
  const shown = ids.slice(start, end).map((id, index) => ({ id, index: start + index }));
  // The focused row stays in the document outside the window too, or its focus would be lost.
  const current = board.screen.current.value;
  const currentIndex = current === null ? -1 : ids.indexOf(current);
  if (current !== null && currentIndex >= 0 && (currentIndex < start || currentIndex >= end)) {
    shown.push({ id: current, index: currentIndex });
  }
  const linesTop = lineIndex * rowHeight;
  const isKnown = !board.resolved.state.value.older;
  const selection = board.screen.selection.ids.value;
  return html`
    <div id="list" class=${`list${selection.size > 0 ? " picking" : ""}${board.screen.isSettling.value ? " settling" : ""}`} ref=${scroller} tabindex="-1" onScroll=${scroll}
      onPointerMove=${() => { board.screen.reading.pointer(true); board.screen.readingChanged(); }} onPointerLeave=${() => board.screen.reading.pointer(false)}>
      <div role="grid" aria-label="Alerts" aria-multiselectable="true" data-testid="alerts"
        aria-rowcount=${isKnown ? ids.length + lines + 1 : -1}
        onFocusIn=${(/** @type {FocusEvent} */ event) => focused(board, event, true)}
        onFocusOut=${(/** @type {FocusEvent} */ event) => focused(board, event, false)}>
        <${Head} board=${board} />
        <div role="rowgroup" class="rows" style=${{ height: `${total}px` }}>
          <${MissedLine} board=${board} top=${linesTop} index=${lineIndex + 2} />
          <${GapLine} board=${board} top=${linesTop + (missed ? lineHeight : 0)} index=${lineIndex + 2 + Number(missed !== null)} />
          ${shown.map(({ id, index }) => html`
            <${Row} key=${id} id=${id} board=${board} top=${offsetOf(index)} index=${index + 2 + (index >= lineIndex ? lines : 0)}
              isSelected=${selection.has(id)} isCurrent=${id === current || currentIndex < 0 && index === 0} isOpened=${id === board.opened.value} />`)}
        </div>
      </div>
      <${Foot} board=${board} />
    </div>`;
}

/** @param {Board} board @param {FocusEvent} event @param {boolean} isIn */
function focused(board, event, isIn) {
  const grid = /** @type {Element} */ (event.currentTarget);
  const to = isIn ? event.target : event.relatedTarget;
  board.screen.reading.isFocused = to instanceof Element && grid.contains(to);
  board.screen.readingChanged();
}

/** @param {Board} board @param {string[]} ids @param {number} since */
function firstOlder(board, ids, since) {
  const index = ids.findIndex((id) => Date.parse(board.alert(id)?.timestamp ?? "") < since);
  return index < 0 ? ids.length : index;
}

/** Scrolls as little as possible to make a row visible. @param {HTMLElement} element @param {number} offset @param {number} height */
export function scrollTo(element, offset, height) {
  const above = offset < element.scrollTop;
  const below = offset + height + HEIGHTS.head > element.scrollTop + element.clientHeight;
  if (above) element.scrollTop = offset;
  else if (below) element.scrollTop = offset + height + HEIGHTS.head - element.clientHeight;
}

/** @param {{ board: Board }} properties */
function Head({ board }) {
  const { order } = board.view.value;
  const isStale = !board.connection.isCurrent;
  return html`
    <div role="row" class="head" aria-rowindex="1">
      <div role="presentation"></div>
      <div role="columnheader"><span class="sr">Selected</span></div>
      <div role="columnheader" class="sev-head" aria-sort=${order === "severity" ? "descending" : "none"}>
        <button class=${order === "severity" ? "on" : ""} onClick=${() => board.show({ order: "severity" })}>Severity${order === "severity" ? " ↓" : ""}</button></div>
      <div role="columnheader" class="message-head">Alert</div>
      <div role="columnheader" class="tags">Labels</div>
      <div role="columnheader" class="who">Owner</div>
      <div role="columnheader" class="age" aria-sort=${order === "time" ? "descending" : "none"}>
        <button class=${order === "time" ? "on" : ""} onClick=${() => board.show({ order: "time" })}>${isStale ? "Raised" : "Age"}${order === "time" ? " ↓" : ""}</button></div>
    </div>`;
}

/** @param {{ board: Board }} properties */
function Foot({ board }) {
  const { isLoading, older, failure } = board.resolved.state.value;
  if (board.isCut.value) {
    return html`<p class="foot">There are more active alerts than this page loads. It shows the newest 20,000; search and the API find all of them.</p>`;
  }
  if (failure) {
    return html`<p class="foot">Older alerts could not be loaded. ${failure} <button class="quiet" onClick=${() => board.resolved.more()}>Try again</button></p>`;
  }
  if (isLoading) return html`<p class="foot">Loading resolved alerts …</p>`;
  if (older) return html`<p class="foot"><button class="quiet" onClick=${() => board.resolved.more()}>Load older alerts</button></p>`;
  return null;
}
