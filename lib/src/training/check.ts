/** Throws a RangeError that names the caller, the option and what was expected. */
export type Expect = (valid: boolean, name: string, value: unknown, expected: string) => void;

export function expecting(caller: string): Expect {
  return (valid, name, value, expected) => {
    if (!valid) throw new RangeError(`${caller}: ${name} is ${value}; expected ${expected}`);
  };
}

interface Schedule {
  epochs: number;
  batchSize: number;
  learningRate: number;
  momentum: number;
  noise?: number;
  seed: number;
  checkpoint?: string;
}

/** What every training is asked for. */
export function checkSchedule(expect: Expect, options: Schedule): void {
  const { epochs, batchSize, learningRate, momentum, noise = 0, seed, checkpoint } = options;
  const positiveInteger = (name: string, value: number) =>
    expect(Number.isInteger(value) && value >= 1, name, value, 'an integer >= 1');
  positiveInteger('epochs', epochs);
  positiveInteger('batchSize', batchSize);
  expect(learningRate > 0 && learningRate < Infinity, 'learningRate', learningRate, 'a finite number > 0');
  expect(momentum >= 0 && momentum < 1, 'momentum', momentum, 'a number in [0, 1)');
  expect(noise >= 0 && noise < Infinity, 'noise', noise, 'a finite number >= 0');
  expect(Number.isInteger(seed), 'seed', seed, 'an integer');
  expect(checkpoint !== '', 'checkpoint', "''", 'the name of a file');
}
