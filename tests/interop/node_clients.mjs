// Clients of Northgate in Node, which post with fetch or a keep-alive agent, and stream with `ws`
// or fetch.

import http from 'node:http';
import { createRequire } from 'node:module';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const [mode, address, after] = process.argv.slice(2);
// The packages are in the tools folder, which is the working directory.
const load = createRequire(`${process.cwd()}/`);

const tell = (line) => process.stdout.write(`${line}\n`);

let isHalted = false;
let last = after;

/** Reports one event on standard output. Returns true if it is the last event. */
function take(event) {
  if (event.type === 'resume') {
    if (event.outcome !== 'complete') tell('error the server reported a gap, but no event is missing');
    tell('ready');
  } else if (event.type === 'alert') {
    tell(`event ${event.id} ${event.position}`);
  }
  last = event.position ?? last;
  return event.message === 'the end';
}

// Posting

async function postByFetch(body, headers) {
  const answer = await fetch(`${address}/alerts`, { method: 'POST', body, headers });
  return { status: answer.status, text: await answer.text() };
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function postByAgent(body, headers) {
  return new Promise((resolve, reject) => {
    // The request has no Content-Length, so Node sends the body in chunks.
    const request = http.request(`${address}/alerts`, { agent, method: 'POST', headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (some) => (text += some));
      answer.on('end', () => resolve({ status: answer.statusCode, text }));
      answer.on('error', reject);
    });
    request.on('error', reject);
    request.write(body.slice(0, 10));
    request.end(body.slice(10));
  });
}

async function post(send) {
  process.stdin.on('end', () => (isHalted = true)).resume();
  tell('ready');
  for (let number = 0; !isHalted && number < 2000; number += 1) {
    const body = JSON.stringify({ message: `node ${mode} ${number}`, location: 'interop' });
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() };
    const deadline = Date.now() + 20_000;
    for (;;) {
      if (Date.now() > deadline) throw new Error(`no 2xx for alert ${number} within 20 s`);
      try {
        const { status, text } = await send(body, headers);
        if (status === 200) {
          tell(`acked ${JSON.parse(text).id}`);
          break;
        }
        tell(`answer ${status}`);
        if (status !== 503) throw new Error(`alert ${number} was answered ${status}: ${text}`);
      } catch (error) {
        const code = error.cause?.code ?? error.code;
        if (code === undefined) throw error;
        tell(`answer ${code}`);
      }
      await pause(20);
    }
    await pause(20);
  }
}

// Streaming

function onSocket() {
  const WebSocket = load('ws');
  return new Promise((resolve) => {
    const query = new URLSearchParams({ types: 'alert', after: last });
    const socket = new WebSocket(`${address.replace(/^http/, 'ws')}/ws?${query}`);
    let wasLast = false;
    socket.on('message', (data) => {
      if (!wasLast && take(JSON.parse(data))) {
        wasLast = true;
        socket.close();
      }
    });
    // The `close` event follows every error.
    socket.on('error', (error) => tell(`answer ${error.code}`));
    socket.on('close', (code, reason) => {
      const wait = /retry_after_ms=(\d+)/.exec(reason)?.[1];
      if (!wasLast && code !== 1006 && (code !== 1001 || !wait)) tell(`error closed with ${code} ${reason}`);
      resolve({ wasLast, wait: Math.min(Number(wait ?? 20), 5_000) });
    });
  });
}

async function byFetch() {
  const query = new URLSearchParams({ types: 'alert', after: last });
  const aborter = new AbortController();
  let rest = '';
  let data;
  try {
    const answer = await fetch(`${address}/events?${query}`, { signal: aborter.signal });
    if (answer.status !== 200) throw new Error(`/events was answered ${answer.status}`);
    for await (const some of answer.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + some).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith('data: ')) data = line.slice(6);
        if (line === '' && data !== undefined) {
          if (take(JSON.parse(data))) return { wasLast: true };
          data = undefined;
        }
      }
    }
  } catch (error) {
    const code = error.cause?.code ?? error.code;
    if (code === undefined) throw error;
    tell(`answer ${code}`);
  } finally {
    aborter.abort();
  }
  return { wasLast: false, wait: 20 };
}

async function stream(once) {
  for (;;) {
    const { wasLast, wait } = await once();
    if (wasLast) return;
    await pause(wait);
  }
}

const modes = {
  'post-fetch': () => post(postByFetch),
  'post-agent': () => post(postByAgent),
  ws: () => stream(onSocket),
  fetch: () => stream(byFetch),
};

try {
  await modes[mode]();
} catch (error) {
  tell(`error ${error.message}`.replaceAll('\n', ' '));
  process.exitCode = 1;
}
process.exit();
