// The whole page: header, line about the connection, list, and the panel of one alert.

import { useEffect, useRef } from "preact/hooks";
import { Dialog } from "./dialogs.js";
import { Header } from "./header.js";
import { List } from "./list.js";
import { Panel } from "./panel.js";
import { html } from "./parts.js";
import { Strip } from "./strip.js";
import { Toolbar } from "./toolbar.js";

/** @param {{ board: import("../board.js").Board }} properties */
export function App({ board }) {
  const { state } = board.connection.state.value;
  const isOpen = board.opened.value !== null;
  const isStale = state === "lost" || state === "old";
  const panel = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    // On a narrow screen the panel replaces the list, so the focus must follow.
    if (isOpen && matchMedia("(max-width: 860px)").matches) panel.current?.focus();
  }, [isOpen]);
  return html`
    <div class=${`page${isOpen ? " opened" : ""}`} data-state=${isStale ? "stale" : "live"}>
      <${Header} board=${board} />
      <${Strip} board=${board} />
      <main class="side">
        <${Toolbar} board=${board} />
        <${List} board=${board} />
      </main>
      ${isOpen && html`<${Panel} board=${board} ref=${panel} />`}
      <${Dialog} board=${board} />
    </div>`;
}
