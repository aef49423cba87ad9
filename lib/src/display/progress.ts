import { randomUUID } from 'node:crypto';
import { displayBundle, escapeHtml } from './bundle';
import { insideKernel } from './kernel';

const onTerminal = !insideKernel && process.stdout.isTTY;
/** Ten updates a second are as many as an eye follows; in a log, a line every ten seconds is enough. */
const INTERVAL_MS = insideKernel || onTerminal ? 100 : 10_000;
const BAR_WIDTH = 24;
const ERASE_LINE = '\r\x1b[K';

/**
 * One output line, updated in place: how far a long computation is, the time elapsed and the time left. In a log,
 * where no line can be replaced, it prints one now and then.
 */
export class Progress {
  private readonly id = randomUUID();
  private readonly start = performance.now();
  private first: { step: number; time: number } | undefined;
  private shown = false;
  private lastShown = -Infinity;
  private pending: NodeJS.Timeout | undefined;

  /**
   * @param total  number of steps, a positive integer
   * @param label  begins the line
   * @throws RangeError for any other total
   */
  constructor(
    private total: number,
    private readonly label = 'progress',
  ) {
    this.setTotal(total);
  }

  /**
   * Changes the number of steps, when less is left to do than was thought, or more. Shown with the next update.
   *
   * @throws RangeError unless it is a positive integer
   */
  setTotal(total: number): void {
    if (!Number.isInteger(total) || total < 1)
      throw new RangeError(`Progress: total must be a positive integer, got ${total}`);
    this.total = total;
  }

  /**
   * Shows the state, at most ten times a second; the last state before a pause is always shown.
   *
   * @param step  number of steps done, in [0, total]
   * @param note  ends the line, e.g. the loss
   * @throws RangeError if step is out of range
   */
  update(step: number, note = ''): void {
    if (!(step >= 0 && step <= this.total))
      throw new RangeError(`Progress.update: step must be in [0, ${this.total}], got ${step}`);
    clearTimeout(this.pending);
    const wait = step === this.total ? 0 : this.lastShown + INTERVAL_MS - performance.now();
    if (wait <= 0) this.draw(step, note);
    else this.pending = setTimeout(() => this.draw(step, note), wait).unref();
  }

  /** Replaces the line by a lasting one: no bar, and none of the times that differ from run to run. */
  done(summary: string): void {
    clearTimeout(this.pending);
    if (onTerminal) process.stdout.write(`${ERASE_LINE}${summary}\n`);
    else this.replaceLine({ 'text/plain': summary });
  }

  private draw(step: number, note: string): void {
    this.lastShown = performance.now();
    const filled = Math.round((BAR_WIDTH * step) / this.total);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    const state = [`${step}/${this.total}`, ...this.times(step), note]
      .filter((part) => part !== '')
      .join(' · ');
    const text = `${this.label} ${bar} ${state}`;
    if (onTerminal) {
      process.stdout.write(ERASE_LINE + text.slice(0, process.stdout.columns - 1)); // a longer one would be two lines
      return;
    }
    const html =
      '<div style="display:flex;gap:.7em;align-items:center;font-variant-numeric:tabular-nums">' +
      `<span>${escapeHtml(this.label)}</span> ` +
      `<progress max="${this.total}" value="${step}" style="width:14em"></progress> ` +
      `<span>${escapeHtml(state)}</span></div>`;
    this.replaceLine({ 'text/html': html, 'text/plain': text });
  }

  /** Elapsed; and left at the mean pace since the first update, which need not be at step 0. */
  private times(step: number): string[] {
    const time = performance.now();
    const elapsed = formatDuration(time - this.start);
    this.first ??= { step, time };
    const done = step - this.first.step;
    if (done <= 0 || step === this.total) return [elapsed];
    return [elapsed, `${formatDuration(((time - this.first.time) / done) * (this.total - step))} left`];
  }

  private replaceLine(data: { 'text/plain': string; 'text/html'?: string }): void {
    displayBundle(data, { id: this.id, update: this.shown });
    this.shown = true;
  }
}

function formatDuration(milliseconds: number): string {
  const s = Math.round(milliseconds / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
