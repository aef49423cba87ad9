import { displayBundle, escapeHtml } from './bundle';

/** A warning that nobody overlooks: a framed box in the notebook, a line that begins with WARNING elsewhere. */
export function notice(message: string): void {
  const style = 'border:2px solid #B00020;border-left-width:10px;padding:.6em 1em;font-weight:bold';
  displayBundle({
    'text/html': `<div role="alert" style="${style}">⚠ ${escapeHtml(message)}</div>`,
    'text/plain': `WARNING: ${message}`,
  });
}
