import { displayBundle } from './bundle';

/**
 * Checks a notebook's claims against the numbers it has just computed, and lists them.
 *
 * @param claims  sentence -> whether it holds
 * @throws Error naming the claims that do not hold, which fails the notebook; TypeError if there is no claim or a value
 *   is not a boolean (a comparison was forgotten)
 */
export function check(claims: Record<string, boolean>): void {
  const entries = Object.entries(claims);
  if (entries.length === 0) throw new TypeError('check: expected at least one claim');
  for (const [claim, holds] of entries)
    if (typeof holds !== 'boolean')
      throw new TypeError(`check: '${claim}' must be true or false, got ${String(holds)}`);

  displayBundle({
    'text/plain': entries.map(([claim, holds]) => `${holds ? '✓' : '✗'} ${claim}`).join('\n'),
  });
  const broken = entries.filter(([, holds]) => !holds).map(([claim]) => claim);
  if (broken.length > 0) throw new Error(`does not hold: ${broken.join('; ')}`);
}
