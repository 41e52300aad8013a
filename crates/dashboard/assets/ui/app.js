// The whole page: header, line about the connection, list, and the panel of one alert.

import { useEffect } from "preact/hooks";
import { Dialog } from "./dialogs.js";
import { focusList, focusRow } from "./focus.js";
import { Header } from "./header.js";
import { List } from "./list.js";
import { Panel } from "./panel.js";
import { html, NARROW } from "./parts.js";
import { Strip } from "./strip.js";
import { Toolbar } from "./toolbar.js";

/** @param {{ board: import("../board.js").Board }} properties */
export function App({ board }) {
  const isOpen = board.opened.value !== null;
  const isStale = !board.connection.isCurrent;
  useEffect(() => {
    // On a narrow screen the panel replaces the list, so the focus must follow.
    if (isOpen && NARROW.matches) {
      document.getElementById("panel")?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  }, [isOpen]);
  const skip = (/** @type {Event} */ event) => {
    event.preventDefault();
    const id = board.screen.current.value;
    if (id === null) focusList();
    else focusRow(board, id);
  };
  return html`
    <div class=${`page${isOpen ? " opened" : ""}`} data-state=${isStale ? "stale" : "live"}>
      <a class="skip" href="#list" onClick=${skip}>Skip to the alerts</a>
      <${Header} board=${board} />
      <${Strip} board=${board} />
      <main>
        <div class="side">
          <${Toolbar} board=${board} />
          <${List} board=${board} />
        </div>
        ${isOpen && html`<${Panel} board=${board} />`}
      </main>
      <${Dialog} board=${board} />
    </div>`;
}
