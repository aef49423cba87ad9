// In place of danfojs-node, which is a file of its own: it is large, and few need it. As with require, it is there at once.
import * as tf from './tensorflow.js';

const request = new XMLHttpRequest();
request.open('GET', new URL('danfojs.js', import.meta.url), false);
request.send();
if (request.status !== 200) throw new Error(`danfojs.js: the server answered ${request.status}`);

const exports = {};
new Function('require', 'exports', request.responseText)(() => tf, exports); // it requires TensorFlow.js alone
export const { DataFrame } = exports;
