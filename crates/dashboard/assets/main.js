// Starts the page: creates the board, connects it with the browser, and renders it.

import { effect } from "@preact/signals";
import { render } from "preact";
import { Board } from "./board.js";
import { BROWSER } from "./environment.js";
import { App } from "./ui/app.js";
import { keepFocus } from "./ui/focus.js";
import { handleKey } from "./ui/keys.js";
import { html } from "./ui/parts.js";

/** Interval of the board's timer, in milliseconds. */
const TICK = 500;

const name = document.querySelector("meta[name=board-name]")?.getAttribute("content") ?? "";
const board = new Board(new URL(".", location.href), BROWSER, name);
const parameters = () => new URLSearchParams(location.search);

effect(() => {
  const { theme, density } = board.choices.value;
  const { dataset } = document.documentElement;
  dataset.density = density;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const isDark = theme === "dark" || theme === "system" && prefersDark;
  dataset.theme = isDark ? "dark" : "light";
  // The colours of Radix follow these classes.
  document.documentElement.classList.toggle("dark-theme", isDark);
  document.documentElement.classList.toggle("light-theme", !isDark);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => board.choose({}));

board.start(parameters());
const root = document.getElementById("board");
if (root) {
  root.textContent = "";
  render(html`<${App} board=${board} />`, root);
  keepFocus(board, root);
}

setInterval(() => board.tick(), TICK);
addEventListener("popstate", () => board.navigate(parameters()));
addEventListener("pagehide", () => board.leave());
addEventListener("online", () => board.tryNow());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) board.leave();
  else board.tick();
});
// The page opens while the server is away, if the browser allows it. Without, nothing else changes.
const offline = new URL("offline.js", import.meta.url);
navigator.serviceWorker?.register(offline, { scope: new URL(".", location.href).pathname }).catch(() => {});
document.addEventListener("keydown", (event) => handleKey(board, event));
