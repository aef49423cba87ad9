import './nativeGradients';

export { tf } from './tensorflow';
export { device, type Device } from './device';
export { versions } from './versions';
