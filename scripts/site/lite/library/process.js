// As much of Node's globals as lib/src uses.
import { Buffer } from './buffer.js';

/** What is called on Stop, which the library listens for as the signal SIGINT. */
export const stopHandlers = (globalThis.__stopHandlers ??= []);

globalThis.Buffer ??= Buffer;

globalThis.process ??= {
  env: { FOCAL_DATA_DIR: '/data/mnist' },
  stdout: { isTTY: false },
  on: (event, handler) => event === 'SIGINT' && stopHandlers.push(handler),
};

// setTimeout would wait for 4 ms; a message comes in the next turn of the event loop, in which Stop is heard too.
const { port1, port2 } = new MessageChannel();
const waiting = [];
port1.onmessage = () => waiting.shift()();
globalThis.setImmediate ??= (work) => {
  waiting.push(work);
  port2.postMessage(null);
};
