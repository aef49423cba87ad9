// What the commands of package.json have in common: how their options are read, what --help prints, how a failure is
// told, and the exit codes: 0, 1 failed, 2 a command line that asks for what there is not, 130 stopped by Ctrl-C.
// Those in Python have the same from command.py.
import { parseArgs } from 'node:util';
import { Interrupted, SetupFailure } from './setup/failure.mjs';
import { exitCodeOf } from './setup/processes.mjs';

/** The command line asks for something that there is not. */
export class UsageError extends Error {}

/** What an option says, as a whole number of at most nine digits; throws UsageError. */
export function wholeNumber(option, text) {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${option}: '${text}' is not a whole number`);
  return Number(text);
}

/** The same, from 1 on. */
export function positiveInteger(option, text) {
  const value = wholeNumber(option, text);
  if (value < 1) throw new UsageError(`--${option}: ${value}; expected an integer >= 1`);
  return value;
}

/** What an option says, as a number; throws UsageError. */
export function numberOf(option, text) {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new UsageError(`--${option}: '${text}' is not a number`);
  return value;
}

/** The same, above 0. */
export function positiveNumber(option, text) {
  const value = numberOf(option, text);
  if (value <= 0) throw new UsageError(`--${option}: ${text}; expected a number > 0`);
  return value;
}

/** The items of a list with commas, none of them twice, each as `read` has it; throws UsageError. */
export function distinct(option, text, read) {
  const items = text.split(',').map(read);
  if (new Set(items).size < items.length) throw new UsageError(`--${option}: one of them is there twice`);
  return items;
}

/** What --help says of an option: a text, which may be empty, and the default, '' where there is none. */
export function described(text, byDefault) {
  return [text, byDefault && `default ${byDefault}`].filter(Boolean).join('; ');
}

/** The name of a table; throws UsageError. */
export function csvFile(option, text) {
  if (!text.endsWith('.csv')) throw new UsageError(`--${option}: '${text}' does not end with .csv`);
  return text;
}

/** What the command was for has failed, and its message says all that there is to say. */
export class Failure extends Error {}

/**
 * Runs a command to its end; where it cannot go on, one line says why.
 *
 * @param command  name: in package.json; operands: as the help shows them, absent where there are none; about: what it
 *   does, in lines; options: by name [what it takes or '' for a flag, what is said of it]; call: how it is called
 * @param main  gets the options by their names, as text or true, and the operands
 */
export async function runCommand(command, main) {
  const { name } = command;
  try {
    const { values, positionals } = parseArguments(process.argv.slice(2), command);
    if (values.help) console.log(helpOf(command));
    else await main(values, positionals);
  } catch (error) {
    process.exitCode = exitCode(error);
    if (error instanceof UsageError) console.error(`[${name}] ${error.message}; --help shows what there is`);
    else if (error instanceof Interrupted) console.error(`[${name}] ${error.remark ?? 'interrupted'}`);
    else if (error instanceof Failure || error instanceof SetupFailure)
      console.error(`[${name}] ${error.message}`);
    else throw error;
  }
}

function exitCode(error) {
  if (error instanceof Interrupted) return exitCodeOf(error.signal);
  return error instanceof UsageError ? 2 : 1;
}

/**
 * @returns {{ values: object, positionals: string[] }}
 * @throws UsageError
 */
export function parseArguments(args, { operands, options = {} }) {
  const types = Object.entries(options).map(([name, [value]]) => [
    name,
    { type: value ? 'string' : 'boolean' },
  ]);
  try {
    return parseArgs({
      args,
      allowPositionals: operands !== undefined,
      options: { ...Object.fromEntries(types), help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new UsageError(inOurWords(error.message));
  }
}

/** What parseArgs has found wrong, in half a line; its own words are for programmers. */
function inOurWords(message) {
  const dash = /^Option '(--[\w-]+)' argument is ambiguous/.exec(message);
  if (dash) return `${dash[1]} is followed by a dash; a negative number is written ${dash[1]}=-1`;
  return message
    .split('\n')[0]
    .replace(/\. To specify.*$/, '')
    .replace(/\. This command does not take.*$/, '');
}

function helpOf({ name, call = callOf(name), operands, about, options = {} }) {
  const shown = Object.entries({ ...options, help: ['', 'this text'] }).map(([option, [value, text]]) => [
    `--${option} ${value}`.trim(),
    text,
  ]);
  const width = Math.max(...shown.map(([left]) => left.length)) + 2;
  const lines = shown.map(
    ([left, text]) => `  ${left.padEnd(width)}${text.replaceAll('\n', `\n${' '.repeat(width + 2)}`)}`,
  );
  const usage = [call, operands, Object.keys(options).length ? '[OPTION...]' : ''].filter(Boolean).join(' ');
  return `${usage}\n\n${about.trim()}\n\n${lines.join('\n')}`;
}

const callOf = (name) => (name === 'test' ? 'npm test --' : `npm run ${name} --`);
