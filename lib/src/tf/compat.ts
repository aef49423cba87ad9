// tfjs-node 4.22 calls two functions of node:util that Node 22 deprecates and Node 23 removed. They are looked up at
// call time, so defining them before the first operation is enough. Assigned always: with `??=` Node 22 still warns.
import util from 'node:util';

const legacy = util as unknown as Record<string, (value: unknown) => boolean>;
legacy.isNullOrUndefined = (value) => value === null || value === undefined;
legacy.isArray = Array.isArray;
