/** In place of a function that needs TensorFlow's native library, data sets, or files to write. */
export function leftOut(name) {
  return () => {
    throw new Error(`${name} is left to the local edition: clone the repository and run npm start`);
  };
}
