import type { TrainingRecord } from './run';
import type { StepResult } from './step';

const COLUMNS = ['step', 'epoch', 'loss', 'accuracy', 'maxAbsLogit', 'seconds'] as const;

/** The record that is not complete yet. */
interface OpenRecord {
  steps: number;
  samples: number;
  correct: number;
  lossSum: number;
  maxAbsLogit: number;
  last: { step: number; epoch: number; seconds: number };
}

/** Gathers steps into records. */
export class Recorder {
  readonly records: TrainingRecord[] = [];
  private start = performance.now();
  private open: OpenRecord = empty({ step: 0, epoch: 0, seconds: 0 });

  add(step: number, epoch: number, result: StepResult): void {
    this.open.steps += 1;
    this.open.lossSum += result.loss;
    this.open.correct += result.correct;
    this.open.samples += result.count;
    this.open.maxAbsLogit = Math.max(this.open.maxAbsLogit, result.maxAbsLogit);
    this.open.last = { step, epoch, seconds: (performance.now() - this.start) / 1000 };
  }

  /** Ends the current record; no step, no record. */
  close(): void {
    const { steps, samples, correct, lossSum, maxAbsLogit, last } = this.open;
    if (steps === 0) return;
    const { step, epoch, seconds } = last;
    this.records.push({
      step,
      epoch,
      loss: lossSum / steps,
      accuracy: correct / samples,
      maxAbsLogit,
      seconds,
    });
    this.open = empty(last);
  }

  /** All there is to know: the complete records as rows of float64, and the open one as JSON. */
  state(): { rows: Float64Array; columns: number; open: OpenRecord } {
    const columns = COLUMNS.length;
    const rows = new Float64Array(this.records.length * columns);
    for (const [i, record] of this.records.entries())
      for (const [column, name] of COLUMNS.entries()) rows[i * columns + column] = record[name];
    return { rows, columns, open: { ...this.open } };
  }

  /** Goes on from such a state; the clock goes on from the last step. */
  restore({ rows, open }: { rows: ArrayLike<number>; open: OpenRecord }): void {
    this.records.length = 0;
    for (let start = 0; start < rows.length; start += COLUMNS.length) this.records.push(fromRow(rows, start));
    this.open = { ...open };
    this.start = performance.now() - 1000 * open.last.seconds;
  }
}

function fromRow(rows: ArrayLike<number>, start: number): TrainingRecord {
  const entries = COLUMNS.map((name, column) => [name, rows[start + column]]);
  return Object.fromEntries(entries) as Record<(typeof COLUMNS)[number], number>;
}

function empty(last: OpenRecord['last']): OpenRecord {
  return { steps: 0, samples: 0, correct: 0, lossSum: 0, maxAbsLogit: 0, last };
}
