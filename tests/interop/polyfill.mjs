// Streams with one of two EventSource packages for Node. Both reconnect automatically, and each
// sends its last position in its own way.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// `begin` is the start in the query: `after=…` or `last=0`. Each reconnect repeats this query.
const [name, address, begin] = process.argv.slice(2);
// The packages are in the tools folder, which is the working directory.
const load = createRequire(`${process.cwd()}/`);

const tell = (line) => process.stdout.write(`${line}\n`);

// `eventsource` is an ES module and sends Last-Event-ID. The other package is a script and adds
// `lastEventId=` to the query.
async function find() {
  if (name === 'event-source-polyfill') return load(name).EventSourcePolyfill;
  return (await import(pathToFileURL(load.resolve(name)))).EventSource;
}

const EventSource = await find();
const source = new EventSource(`${address}/events?types=alert&${begin}`);

source.addEventListener('resume', ({ data }) => {
  if (JSON.parse(data).outcome !== 'complete') tell('error the server reported a gap, but no event is missing');
  tell('ready');
});
source.onmessage = ({ data, lastEventId }) => {
  const event = JSON.parse(data);
  if (event.position !== lastEventId) tell(`error lastEventId is ${lastEventId}, the position is ${event.position}`);
  tell(`event ${event.id} ${event.position}`);
  if (event.message === 'the end') {
    source.close();
    process.exit();
  }
};
source.onerror = () => {
  if (source.readyState === 2) {
    tell('error the client stopped reconnecting');
    process.exit(1);
  }
  tell('answer cut');
};
