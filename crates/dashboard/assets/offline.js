// The service worker: keeps a copy of the page, so that it opens while the server is away. It never
// touches requests to the API. Browsers run it only on pages from https or localhost.

const worker = /** @type {any} */ (self);
/** Address of the page: two folders above this file. */
const PAGE = new URL("../../", worker.location.href);
/** Cache of this version of the page. */
const CACHE = `northgate ${worker.location.pathname}`;
/** Statuses with which a proxy says that the server is away. */
const AWAY = [502, 503, 504];
/** The headers of a request do not change the copy that answers it. */
const ANY = { ignoreVary: true };
/** Time that a page may take before its copy is shown instead, in milliseconds. */
const PATIENCE = 4_000;

worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(install()));
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== PAGE.origin) return;
  if (event.request.mode === "navigate" && url.pathname === PAGE.pathname) event.respondWith(page(event.request));
  else if (url.pathname.startsWith(`${PAGE.pathname}assets/`)) event.respondWith(asset(event.request));
});

async function install() {
  const cache = await caches.open(CACHE);
  const answer = await fetch(PAGE, { headers: { Accept: "text/html" }, cache: "no-cache" });
  // A proxy can answer with a page of its own, which must never become the copy.
  const isPage = answer.ok && !answer.redirected && (answer.headers.get("Content-Type") ?? "").startsWith("text/html");
  const text = await answer.clone().text();
  if (!isPage || !text.includes("name=\"board-name\"")) throw new Error(`the answer ${answer.status} is not the board`);
  const files = Array.from(text.matchAll(/(?:href|src)="(assets\/[^"]+)"/g), ([, path = ""]) => new URL(path, PAGE).href);
  await cache.addAll([...new Set(files)]);
  await cache.put(PAGE.href, answer);
  await worker.skipWaiting();
}

async function activate() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("northgate ") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/** The page from the server; its copy if the server is away. @param {Request} request */
async function page(request) {
  try {
    const answer = await Promise.race([
      fetch(request),
      new Promise((/** @type {(answer: Response) => void} */ _, reject) => setTimeout(reject, PATIENCE, new Error("no answer"))),
    ]);
    if (!AWAY.includes(answer.status)) return answer;
    return await caches.match(PAGE.href, ANY) ?? answer;
  } catch (error) {
    const copy = await caches.match(PAGE.href, ANY);
    if (copy) return copy;
    throw error;
  }
}

/** A file, whose address contains its version. @param {Request} request */
async function asset(request) {
  return await caches.match(request, ANY) ?? await fetch(request);
}
