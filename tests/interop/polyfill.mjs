// Two EventSource packages for Node, which come back by themselves and say in two ways where they were.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// `begin` is what the first request asks for: `after=…` or `last=0`. It stays in the address of later ones.
const [name, address, begin] = process.argv.slice(2);
// Packages are in the folder of the tools, which is the working directory.
const load = createRequire(`${process.cwd()}/`);

const tell = (line) => process.stdout.write(`${line}\n`);

/** `eventsource` is a module and sends Last-Event-ID; the other is a script and adds `lastEventId=` to the query. */
async function find() {
  if (name === 'event-source-polyfill') return load(name).EventSourcePolyfill;
  return (await import(pathToFileURL(load.resolve(name)))).EventSource;
}

const EventSource = await find();
const source = new EventSource(`${address}/events?types=alert&${begin}`);

source.addEventListener('resume', ({ data }) => {
  if (JSON.parse(data).outcome !== 'complete') tell('error a gap where nothing is missing');
  tell('ready');
});
source.onmessage = ({ data, lastEventId }) => {
  const event = JSON.parse(data);
  if (event.position !== lastEventId) tell(`error lastEventId is ${lastEventId} and not ${event.position}`);
  tell(`event ${event.id} ${event.position}`);
  if (event.message === 'the end') {
    source.close();
    process.exit();
  }
};
source.onerror = () => {
  if (source.readyState === 2) {
    tell('error it has given up');
    process.exit(1);
  }
  tell('answer cut');
};
