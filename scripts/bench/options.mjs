import { parseArgs } from 'node:util';
import { UsageError } from '../command.mjs';
import { parseProblem } from '../parse-problem.mjs';

/** What `npm run bench -- --help` prints. */
export const usage = (suites) =>
  [
    'npm run bench -- SUITE [--out FILE] [--threads N] [--rounds N] [--steps N]',
    '',
    ...Object.entries(suites).map(([name, { title }]) => `  ${name.padEnd(12)}${title}`),
    '',
    '  --out FILE    also writes { machine, date, rows } as JSON, of each row { work, contestant, threads, processes,',
    '                models, msMin, msMedian, rssMB }',
    '  --threads N   CPU threads of every contestant (default 1); grid and grid-size have their own',
    '  --rounds N    fresh processes per contestant and work, in turn with the others (default 5)',
    '  --steps N     timed steps per process, after 5 that are not (default 20)',
  ].join('\n');

/**
 * @param suites  by name
 * @returns {{ help: true } | { suite: object, out?: string, threads: number, rounds: number, steps: number }}
 * @throws UsageError for an unknown suite or option, or a number that is not an integer >= 1
 */
export function parseOptions(args, suites) {
  const { values, positionals } = parse(args);
  if (values.help) return { help: true };
  const names = Object.keys(suites).join(', ');
  if (positionals.length !== 1)
    throw new UsageError(`expected one suite (${names}), got ${positionals.length}`);
  const [name] = positionals;
  if (!Object.hasOwn(suites, name)) throw new UsageError(`there is no suite '${name}'; expected ${names}`);
  if (values.out === '') throw new UsageError(`--out is ''; expected the name of a file`);
  const { threads, rounds, steps } = values;
  const counts = Object.entries({ threads, rounds, steps }).map(([option, text]) => {
    if (!/^[1-9]\d{0,5}$/.test(text))
      throw new UsageError(`--${option} is '${text}'; expected an integer >= 1`);
    return [option, Number(text)];
  });
  return { suite: suites[name], out: values.out, ...Object.fromEntries(counts) };
}

function parse(args) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean' },
        out: { type: 'string' },
        threads: { type: 'string', default: '1' },
        rounds: { type: 'string', default: '5' },
        steps: { type: 'string', default: '20' },
      },
    });
  } catch (error) {
    throw new UsageError(parseProblem(error));
  }
}
