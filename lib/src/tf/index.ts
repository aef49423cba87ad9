import './identities';
import './nativeGradients';

export { tf } from './tensorflow';
export { device, deviceName, type Device, type DeviceName } from './device';
export { versions } from './versions';
