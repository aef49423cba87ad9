/** Whether a process of this number exists, ours or another user's: what a dead one has left behind may be cleared away. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
