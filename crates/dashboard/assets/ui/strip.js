// The line under the header while there is no connection. It takes its own place and covers nothing.

import { clockOrDate, clockSeconds, duration } from "../time.js";
import { html, Icon } from "./parts.js";

/** @param {{ board: import("../board.js").Board }} properties */
export function Strip({ board }) {
  const { state, since, hasFailed } = board.connection.state.value;
  if (state !== "lost" && !(state === "old" && hasFailed)) return null;
  const next = board.nextTry.value;
  const now = board.now();
  // `silence` rises once a second, also while the page tries to connect.
  void board.silence.value;
  const away = since === null ? "" : duration(now - since);
  const at = since === null ? "" : state === "lost" && now - since < 43_200_000 ? clockSeconds(since) : clockOrDate(since, now);
  const title = since === null
    ? "The server does not answer."
    : state === "lost" ? `No connection since ${at}, ${away} ago.` : `The server does not answer. This is the board of ${at}, ${away} ago.`;
  return html`
    <section class="strip" aria-label="Connection">
      <${Icon} name="unplug" size=${18} />
      <p><b>${title}</b>${" "}
        ${since !== null && html`<span class="more">${state === "lost" && "This is the board as it was then; what came later is not shown. You cannot act until it is back. "}</span>`}
        ${since === null && html`<span class="more">Check that the server runs at ${location.host}. </span>`}
        ${next === null ? "Trying now." : `Next try in ${next} s.`}</p>
      <button class="button" disabled=${next === null} onClick=${() => board.tryNow()}>Try now</button>
    </section>`;
}
