import { notice } from '../display';
import { deviceName, deviceWarning } from '../tf';

let warned = false;

/**
 * Before the first step of a training: warns once in a process if there is something wrong with the device, and tells
 * why the first step takes long.
 *
 * @param say  puts a note on the progress line
 * @returns the end of the line that remains, ', on the CPU (AMD EPYC)': numbers repeat on one device, and not on another
 */
export function announceDevice(say: (note: string) => void): string {
  const warning = warned ? null : deviceWarning();
  warned = true;
  if (warning !== null) notice(warning);
  const { kind, name } = deviceName();
  if (kind === 'GPU') say('the first step compiles kernels for the GPU, which takes some seconds');
  return `, on the ${kind} (${name})`;
}
