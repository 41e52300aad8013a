// Dialogs: the name, a note, consent to act on many alerts, choices, and the keys.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { RULES } from "../rules.js";
import { returnFocus } from "./focus.js";
import { html } from "./parts.js";

/** @typedef {import("../board.js").Board} Board */

/**
 * @typedef {{ kind: "name", then: () => void }
 *   | { kind: "note", ids: string[], then: (note: string) => void }
 *   | { kind: "confirm", action: import("../rules.js").ActionName, count: number, criticals: number, others: number, then: () => void }
 *   | { kind: "choices" }
 *   | { kind: "help" }} DialogState
 */

/** Limits of the API, in characters. */
const NAME_MAX = 128;
const NOTE_MAX = 1_024;

/** @param {{ board: Board }} properties */
export function Dialog({ board }) {
  const state = board.dialog.value;
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const isOpen = state !== null;
  useLayoutEffect(() => {
    if (!isOpen) return undefined;
    const before = document.activeElement;
    return () => {
      if (before) returnFocus(before);
    };
  }, [isOpen]);
  useLayoutEffect(() => {
    // The browser closes a dialog by itself on Escape, and another one may follow in its place.
    if (state !== null && !element.current?.open) element.current?.showModal();
    const first = element.current?.querySelector("[data-focus]");
    if (first instanceof HTMLElement) first.focus({ preventScroll: true });
  }, [state]);
  if (!state) return null;
  const close = () => { board.dialog.value = null; };
  // The event comes later than the closing. Another dialog may be open by then.
  const closed = () => { if (!element.current?.open) close(); };
  const titles = { name: "Who are you?", note: "Add note", confirm: "Are you sure?", choices: "Settings", help: "Keys" };
  return html`
    <dialog ref=${element} aria-label=${titles[state.kind]} onCancel=${close} onClose=${closed}
      onClick=${(/** @type {MouseEvent} */ event) => { if (event.target === element.current) close(); }}>
      <div class="dialog">
        ${state.kind === "name" && html`<${NameForm} board=${board} state=${state} close=${close} />`}
        ${state.kind === "note" && html`<${NoteForm} board=${board} state=${state} close=${close} />`}
        ${state.kind === "confirm" && html`<${Confirm} board=${board} state=${state} close=${close} />`}
        ${state.kind === "choices" && html`<${ChoicesForm} board=${board} close=${close} />`}
        ${state.kind === "help" && html`<${Help} board=${board} close=${close} />`}
      </div>
    </dialog>`;
}

/** @param {Event} event @param {string} name */
function fieldOf(event, name) {
  event.preventDefault();
  const value = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get(name);
  return String(value ?? "").trim();
}

/** @param {{ board: Board, state: { then: () => void }, close: () => void }} properties */
function NameForm({ board, state, close }) {
  const submit = (/** @type {Event} */ event) => {
    const name = fieldOf(event, "name");
    if (name === "") return;
    board.choose({ name });
    close();
    state.then();
  };
  return html`
    <form onSubmit=${submit}>
      <h2>Who are you?</h2>
      <p>Your team sees this name beside everything that you do. The browser remembers it.</p>
      <label for="name">Your name</label>
      <input id="name" name="name" required maxlength=${NAME_MAX} autocomplete="name" data-focus value=${board.choices.value.name} />
      <p class="buttons"><button class="button go">Continue</button><button type="button" class="button" onClick=${close}>Cancel</button></p>
    </form>`;
}

/** @param {{ board: Board, state: { ids: string[], then: (note: string) => void }, close: () => void }} properties */
function NoteForm({ board, state, close }) {
  const key = state.ids.join();
  const [text, setText] = useState(board.drafts.get(key) ?? "");
  const write = (/** @type {string} */ value) => {
    setText(value);
    board.drafts.set(key, value);
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (text.trim() === "" || !board.canAct) return;
    board.drafts.delete(key);
    close();
    state.then(text.trim());
  };
  const [first] = state.ids;
  const name = state.ids.length === 1 && first !== undefined ? board.alert(first)?.message : `${state.ids.length} alerts`;
  return html`
    <form onSubmit=${submit}>
      <h2>Add note</h2>
      <p class="cut"><bdi>${name}</bdi></p>
      <label for="note">Note</label>
      <textarea id="note" rows="3" required maxlength=${NOTE_MAX} data-focus value=${text} dir="auto"
        onInput=${(/** @type {Event} */ event) => write(/** @type {HTMLTextAreaElement} */ (event.target).value)}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event); }}></textarea>
      ${!board.canAct && html`<p>The note waits for the connection. The text stays here.</p>`}
      <p>Ctrl+Enter saves.</p>
      <p class="buttons"><button class="button go" disabled=${!board.canAct}>Save note</button><button type="button" class="button" onClick=${close}>Cancel</button></p>
    </form>`;
}

/** @param {{ board: Board, state: { action: import("../rules.js").ActionName, count: number, criticals: number, others: number, then: () => void }, close: () => void }} properties */
function Confirm({ board, state, close }) {
  const { action, count, criticals, others } = state;
  const name = RULES[action].button;
  const agree = () => {
    close();
    state.then();
  };
  return html`
    <h2>${name} ${count} ${count === 1 ? "alert" : "alerts"}?</h2>
    <p>${criticals === 0 ? "None of them is critical." : criticals === 1 ? html`<b>One of them is critical.</b>` : html`<b>${criticals} of them are critical.</b>`}</p>
    ${others > 0 && html`<p>${others === 1 ? "One selected alert stays as it is" : `${others} selected alerts stay as they are`}: the action does not apply.</p>`}
    <p class="buttons"><button class="button go" data-focus disabled=${!board.canAct} onClick=${agree}>${name} ${count}</button>
      <button class="button" onClick=${close}>Cancel</button></p>`;
}

/** @param {{ board: Board, close: () => void }} properties */
function ChoicesForm({ board, close }) {
  const { name, theme, density, keys } = board.choices.value;
  /** @param {string} group @param {[string, string][]} values @param {string} chosen @param {(value: any) => void} choose */
  const choice = (group, values, chosen, choose) => html`
    <fieldset><legend>${group}</legend>
      ${values.map(([value, text]) => html`
        <label key=${value}><input type="radio" name=${group} checked=${chosen === value} onChange=${() => choose(value)} /> ${text}</label>`)}
    </fieldset>`;
  return html`
    <form onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); close(); }}>
      <h2>Settings</h2>
      <label for="name">Your name</label>
      <input id="name" maxlength=${NAME_MAX} autocomplete="name" value=${name}
        onInput=${(/** @type {Event} */ event) => board.choose({ name: /** @type {HTMLInputElement} */ (event.target).value.trim() })} />
      ${choice("Theme", [["system", "System"], ["light", "Light"], ["dark", "Dark"]], theme, (value) => board.choose({ theme: value }))}
      ${choice("Rows", [["comfortable", "Comfortable"], ["compact", "Compact"]], density, (value) => board.choose({ density: value }))}
      ${choice("Single keys", [["on", "Act on the list"], ["off", "Off"]], keys ? "on" : "off", (value) => board.choose({ keys: value === "on" }))}
      <p class="buttons"><button class="button go">Done</button>
        <button type="button" class="button" onClick=${() => { board.dialog.value = { kind: "help" }; }}>Show the keys</button></p>
    </form>`;
}

/** Keys and what they do. */
const KEYS = [
  ["j, k", "next row, previous row"],
  ["Enter", "open the alert"],
  ["a", "acknowledge"],
  ["r", "resolve"],
  ["o", "reopen"],
  ["c", "write a note"],
  ["x", "select; Shift with a click selects a range"],
  ["z", "undo, for ten seconds"],
  ["/", "search"],
  ["Escape", "go back: close, clear the selection, leave the search"],
  ["?", "show this list"],
];

/** @param {{ board: Board, close: () => void }} properties */
function Help({ board, close }) {
  return html`
    <h2>Keys</h2>
    <p>${board.choices.value.keys ? "They act on the selected alerts, or on the focused row." : "Single keys are switched off. Switch them on in the settings."}</p>
    <dl class="keys">${KEYS.map(([key, text]) => html`<dt><kbd>${key}</kbd></dt><dd>${text}</dd>`)}</dl>
    <p class="buttons"><button class="button go" data-focus onClick=${close}>Close</button></p>`;
}
