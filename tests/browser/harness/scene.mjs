/** Prepares what most tests need: a server, a client of it, and its board in a page. */

import { Board } from "./board.mjs";
import { openPage } from "./browser.mjs";
import { Client } from "./client.mjs";
import { Server } from "./server.mjs";

/**
 * Starts a server, and lets `prepare` raise alerts before the page opens.
 * @param {import("node:test").TestContext} test
 * @param {{ onDisk?: boolean, flags?: string[], path?: string, prepare?: (client: Client) => Promise<unknown> }
 *   & import("./browser.mjs").PageOptions} [options]
 */
export async function openBoard(test, options = {}) {
  const server = await Server.start(test, options);
  const client = new Client(server);
  await options.prepare?.(client);
  const board = await anotherBoard(test, server, options);
  return { server, client, board };
}

/**
 * Opens the board of a server in another page, with storage of its own.
 * @param {import("node:test").TestContext} test
 * @param {{ address: string }} server
 * @param {{ path?: string } & import("./browser.mjs").PageOptions} [options]
 */
export async function anotherBoard(test, server, options = {}) {
  return await new Board(await openPage(test, options)).open(server, options.path);
}
