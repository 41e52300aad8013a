/** Starts the server as a process of its own, stops it, and starts it again at the same address. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { atEnd } from "./ends.mjs";
import { PATIENCE } from "./eventually.mjs";
import { BINARY } from "./tools.mjs";

/** Lines of the log that a server retains for the report of a failure. */
const LOG_MAX = 200;

export class Server {
  #folder = mkdtempSync(join(tmpdir(), "northgate-board-"));
  #flags;
  /** @type {import("node:child_process").ChildProcess | null} */
  #process = null;
  #port = 0;
  /** The newest lines of the log. @type {string[]} */
  log = [];

  /** @param {string[]} flags */
  constructor(flags) {
    this.#flags = flags;
  }

  /**
   * Starts a server, which ends with the test. It has no generator unless the flags have a scenario.
   * The log is printed if the test fails.
   * @param {import("node:test").TestContext} test
   * @param {{ onDisk?: boolean, flags?: string[] }} [options]
   */
  static async start(test, { onDisk = false, flags = [] } = {}) {
    const data = onDisk ? ["--data", "data"] : [];
    const generator = flags.includes("--generator-scenario") ? [] : ["--generator-interval", "off"];
    const server = new Server([...generator, ...data, ...flags]);
    atEnd(test, (hasFailed) => server.#end(hasFailed));
    await server.start();
    return server;
  }

  /** Address of the server, without a slash at its end. */
  get address() {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port() {
    return this.#port;
  }

  /** Starts the process: at any free port at first, and then at the same port again. */
  async start() {
    const flags = [...this.#flags, "--port", String(this.#port)];
    const child = spawn(BINARY, flags, {
      cwd: this.#folder,
      // Settings of the environment must not reach the server.
      env: { PATH: process.env.PATH },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    createInterface({ input: child.stderr }).on("line", (line) => {
      this.log.push(line);
      this.log.splice(0, this.log.length - LOG_MAX);
    });
    const output = createInterface({ input: child.stdout });
    const timer = AbortSignal.timeout(PATIENCE);
    const first = await Promise.race([
      once(output, "line", { signal: timer }).then(([line]) => line),
      once(child, "exit", { signal: timer }).then(([code]) => `exit code ${code}`),
    ]);
    const match = /^http:\/\/127\.0\.0\.1:(\d+)$/.exec(first);
    if (match === null) {
      throw new Error(`the server did not start: ${first}\n${this.log.join("\n")}`);
    }
    this.#port = Number(match[1]);
  }

  /** Ends the process as an operator does, and waits for its end. */
  async stop() {
    await this.#signal("SIGTERM");
  }

  /** Ends the process as a power failure does. */
  async kill() {
    await this.#signal("SIGKILL");
  }

  /** @param {NodeJS.Signals} signal */
  async #signal(signal) {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const end = once(child, "exit");
    child.kill(signal);
    await end;
  }

  /** @param {boolean} hasFailed */
  async #end(hasFailed) {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
    if (hasFailed) {
      console.error(`log of the server:\n${this.log.join("\n")}`);
    }
  }
}
