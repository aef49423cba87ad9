export { default } from 'path-browserify';
export * from 'path-browserify';
