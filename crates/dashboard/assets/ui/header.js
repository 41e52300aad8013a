// The header: name of the board, state of the connection, counts of open alerts, and the operator.

import { SEVERITIES } from "../alerts.js";
import { clock, clockOrDate } from "../time.js";
import { toggleCondition } from "../view.js";
import { Avatar, html, Icon, Shape } from "./parts.js";

/** @typedef {import("../board.js").Board} Board */

/** @param {{ board: Board }} properties */
export function Header({ board }) {
  const name = board.choices.value.name;
  return html`
    <header>
      <h1 class="brand"><bdi>${board.name || "Northgate"}</bdi>${board.name && html` <span>Northgate</span>`}</h1>
      <${Connection} board=${board} />
      <${CountsGroup} board=${board} />
      <button class="me" aria-label=${name ? `${name}: settings` : "Settings"}
        title="Name, theme, density, keys" onClick=${() => { board.dialog.value = { kind: "choices" }; }}>
        ${name ? html`<${Avatar} name=${name} />` : html`<${Icon} name="settings" size=${18} />`}
      </button>
    </header>`;
}

/** @param {{ board: Board }} properties */
function Connection({ board }) {
  const { state, since, hasFailed } = board.connection.state.value;
  const seconds = board.silence.value;
  const texts = {
    live: ["Live", `heard ${seconds} s ago`, `${seconds} s`],
    late: ["Late", `nothing heard for ${seconds} s`, `${seconds} s`],
    lost: ["Lost", since === null ? "" : `since ${clock(since)}`, since === null ? "" : clock(since)],
    old: hasFailed
      ? ["Old", since === null ? "no answer" : `from ${clockOrDate(since, board.now())}`, ""]
      : ["Connecting", "", ""],
  };
  const [word, long, short] = texts[state];
  return html`
    <div class="connection" data-testid="connection" data-state=${state}>
      <i aria-hidden="true"></i><b>${word}</b> <span class="long">${long}</span><span class="short" aria-hidden="true">${short}</span>
    </div>`;
}

/** @param {{ board: Board }} properties */
function CountsGroup({ board }) {
  const counts = board.counts.value.value?.open;
  const { since } = board.connection.state.value;
  const view = board.view.value;
  const data = Object.fromEntries(SEVERITIES.map((severity) => [`data-${severity}`, counts?.[severity] ?? ""]));
  const isStale = !board.connection.isCurrent && since !== null;
  return html`
    <div class="counts" role="group" aria-label="Open alerts by severity" data-testid="counts" ...${data}>
      ${isStale && counts && html`<span class="as-of">at ${clockOrDate(since, board.now())}:</span>`}
      ${SEVERITIES.map((severity) => {
        const count = counts?.[severity];
        const isOn = view.conditions.some(({ name, value }) => name === "severity" && value === severity);
        return html`
          <button key=${severity} class=${`count${count ? "" : " zero"}`} data-s=${severity} aria-pressed=${isOn}
            aria-label=${`${count ?? "–"} ${severity} open: ${isOn ? "show all severities" : "show only these"}`}
            title=${isOn ? "Show all severities" : `Show only ${severity}`}
            onClick=${() => board.show(toggleCondition(view, { name: "severity", value: severity }))}>
            <${Shape} severity=${severity} /><span class="number">${count ?? "–"}</span> <small>${severity}</small>
          </button>`;
      })}
    </div>`;
}
