import './identities';
import './nativeGradients';

export { tf } from './tensorflow';
export { device, deviceName, deviceWarning, type Device, type DeviceName } from './device';
export { compile, type Compiled, type CompileOptions, type TensorFunction } from './graph';
export { versions } from './versions';
