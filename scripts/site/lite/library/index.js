// The library as the browser edition has it: lib/src with the modules that bundle.mjs exchanges.
import './process.js';

export * from '../../../../lib/src/index.ts';
export * as forKernel from './forKernel.js';
