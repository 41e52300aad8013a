/** Connects the browser with the server, and breaks the connection in the ways of a real network. */

import { once } from "node:events";
import { connect, createServer } from "node:net";
import { atEnd } from "./ends.mjs";

const BAD_GATEWAY = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/** @typedef {"forward" | "silent" | "bad-gateway" | "cut"} Mode */

export class Proxy {
  #listener = createServer((socket) => this.#accept(socket));
  #target;
  /** @type {Mode} */
  #mode = "forward";
  /** Both ends of each connection. @type {Set<import("node:net").Socket>} */
  #sockets = new Set();
  /** Requests that were answered 502. */
  refusals = 0;

  /** @param {{ port: number }} target */
  constructor(target) {
    this.#target = target;
  }

  /**
   * Starts a proxy in front of `server`, which ends with the test.
   * @param {import("node:test").TestContext} test
   * @param {{ port: number }} server
   */
  static async start(test, server) {
    const proxy = new Proxy(server);
    proxy.#listener.listen(0, "127.0.0.1");
    await once(proxy.#listener, "listening");
    atEnd(test, () => {
      proxy.#listener.close();
      proxy.dropAll();
    });
    return proxy;
  }

  get address() {
    const address = /** @type {import("node:net").AddressInfo} */ (this.#listener.address());
    return `http://127.0.0.1:${address.port}`;
  }

  /** Forwards all bytes, also those that waited while the proxy was silent. */
  forward() {
    this.#mode = "forward";
    for (const socket of this.#sockets) {
      socket.resume();
    }
  }

  /** Ends all connections, and each new one at once. */
  cut() {
    this.#mode = "cut";
    this.dropAll();
  }

  /** Forwards no byte any more, and ends no connection: a link that is dead. */
  silence() {
    this.#mode = "silent";
    for (const socket of this.#sockets) {
      socket.pause();
    }
  }

  /** Ends all connections, and answers each new request 502: a proxy whose server is gone. */
  answerBadGateway() {
    this.#mode = "bad-gateway";
    this.dropAll();
  }

  /** Ends the connections that are open now. */
  dropAll() {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }

  /** @param {import("node:net").Socket} browser */
  #accept(browser) {
    this.#own(browser);
    if (this.#mode === "cut") {
      browser.destroy();
    } else if (this.#mode === "bad-gateway") {
      browser.once("data", (bytes) => {
        // The browser may have opened the connection long before it sends a request.
        if (this.#mode !== "bad-gateway") {
          this.#join(browser).write(bytes);
          return;
        }
        this.refusals += 1;
        browser.end(BAD_GATEWAY);
      });
    } else {
      this.#join(browser);
    }
  }

  /** @param {import("node:net").Socket} browser */
  #join(browser) {
    const server = connect(this.#target.port, "127.0.0.1");
    this.#own(server);
    for (const [from, to] of [[browser, server], [server, browser]]) {
      // `pipe` would resume a socket that was paused here.
      from.on("data", (bytes) => to.write(bytes));
      from.on("end", () => to.end());
      from.on("close", () => to.destroy());
      if (this.#mode === "silent") {
        from.pause();
      }
    }
    return server;
  }

  /** @param {import("node:net").Socket} socket */
  #own(socket) {
    this.#sockets.add(socket);
    socket.setNoDelay();
    // Every failure is followed by "close".
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }
}
