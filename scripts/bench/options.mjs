import { UsageError } from '../command.mjs';

/** What `npm run bench` is, for runCommand. */
export const command = (suites) => ({
  name: 'bench',
  operands: 'SUITE',
  about: [
    'Times what this project computes next to what others compute. The suites:',
    '',
    ...Object.entries(suites).map(([name, { title }]) => `  ${name.padEnd(12)}${title}`),
  ].join('\n'),
  options: {
    out: [
      'FILE',
      'also writes { machine, date, rows } as JSON, of each row { work, contestant, threads, processes,\n' +
        'models, msMin, msMedian, rssMB }',
    ],
    threads: ['N', 'CPU threads of every contestant (default 1); grid and grid-size have their own'],
    rounds: ['N', 'fresh processes per contestant and work, in turn with the others (default 5)'],
    steps: ['N', 'timed steps per process, after 5 that are not (default 20)'],
  },
});

/**
 * @param suites  by name
 * @returns {{ suite: object, out?: string, threads: number, rounds: number, steps: number }}
 * @throws UsageError for an unknown suite, or a number that is not an integer >= 1
 */
export function checkOptions({ out, threads = '1', rounds = '5', steps = '20' }, operands, suites) {
  const names = Object.keys(suites).join(', ');
  if (operands.length !== 1) throw new UsageError(`expected one suite (${names}), got ${operands.length}`);
  const [name] = operands;
  if (!Object.hasOwn(suites, name)) throw new UsageError(`there is no suite '${name}'; expected ${names}`);
  if (out === '') throw new UsageError(`--out is ''; expected the name of a file`);
  const counts = Object.entries({ threads, rounds, steps }).map(([option, text]) => {
    if (!/^[1-9]\d{0,5}$/.test(text))
      throw new UsageError(`--${option} is '${text}'; expected an integer >= 1`);
    return [option, Number(text)];
  });
  return { suite: suites[name], out, ...Object.fromEntries(counts) };
}
