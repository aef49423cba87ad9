import type { TrainingRecord } from './run';
import type { StepResult } from './step';

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

  /** All there is to know: the complete records, and the open one. */
  state(): { records: readonly TrainingRecord[]; open: OpenRecord } {
    return { records: this.records, open: { ...this.open } };
  }

  /** Goes on from such a state; the clock goes on from the last step. */
  restore({ records, open }: ReturnType<Recorder['state']>): void {
    this.records.length = 0;
    for (const record of records) this.records.push(record);
    this.open = { ...open };
    this.start = performance.now() - 1000 * open.last.seconds;
  }
}

function empty(last: OpenRecord['last']): OpenRecord {
  return { steps: 0, samples: 0, correct: 0, lossSum: 0, maxAbsLogit: 0, last };
}
