// In place of node:util.
export { default as isDeepStrictEqual } from 'fast-deep-equal';

export const promisify =
  (f) =>
  (...args) =>
    new Promise((resolve, reject) => f(...args, (error, value) => (error ? reject(error) : resolve(value))));
