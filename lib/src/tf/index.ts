import './constants';
import './identities';
import './nativeGradients';

export { tf } from './tensorflow';
export { device, deviceName, deviceWarning, type Device, type DeviceName } from './device';
export { versions } from './versions';
