export { compile, type Compiled, type CompileOptions, type TensorFunction } from './compile';
