import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/**
 * The folder for a user's own results and downloads of one kind: `data`/cache/`name`, or, where `data` is somebody else's,
 * as on a JupyterHub, ~/.cache/focal-loss-lab/`name` (XDG_CACHE_HOME instead of ~/.cache). It need not exist.
 *
 * @param data  the clone's folder of that name
 */
export function cacheFolder(data: string, name: string): string {
  return mayWrite(data) ? path.join(data, 'cache', name) : path.join(userCache(), name);
}

/** What this user's processes share, whatever clone they belong to. */
export const userCache = () =>
  path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'focal-loss-lab');

function mayWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
