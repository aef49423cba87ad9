// What worker.js needs of the library.
export { isTable, show } from '../../../../lib/src/display/table.ts';
export { isLeftOut } from './leftOut.js';
