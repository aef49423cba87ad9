// The figures on the focal losses of other libraries in notebooks/09-census.ipynb.
import type { VegaLiteSpec } from '../display';
import type { Census, CensusRow, CensusSettings } from '../results';
import { SAFE_COLOR, soonToLate } from './style';

/** Colors of the labels (Okabe-Ito); their shapes differ too. */
const LABELS = { domain: ['label 1', 'label 0'], range: ['#0072B2', '#E69F00'] };

/** 'Keras 3.15.1 (logits, XLA)' */
const nameOf = ({ library, version, variant }: CensusRow) =>
  [library, version, variant && `(${variant})`].filter(Boolean).join(' ');

/** The first fault of a row, as a logit with its sign, and of which answers it is; null if there is none. */
export function firstFault({ label, easyFaultAt, easyFault, hardFaultAt, hardFault }: CensusRow) {
  const easySign = label === 1 ? 1 : -1;
  const faults = [
    { size: easyFaultAt, logit: easySign * (easyFaultAt ?? 0), what: easyFault, side: 'right' },
    { size: hardFaultAt, logit: -easySign * (hardFaultAt ?? 0), what: hardFault, side: 'wrong' },
  ].filter(({ size }) => size !== null);
  if (faults.length === 0) return null;
  return faults.reduce((first, next) => (Math.abs(next.logit) < Math.abs(first.logit) ? next : first));
}

/** Whether a package brings it, and no newer version of the library was measured. */
function isCurrent(row: CensusRow, rows: readonly CensusRow[]): boolean {
  if (row.source === 'formula') return false;
  const newer = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true }) > 0;
  return !rows.some(
    ({ library, version }) =>
      library === row.library && version !== null && newer(version, row.version ?? ''),
  );
}

/** Six digits are right. */
const SHARP = 5e-6;
/** Off by as much, it is another function. */
const DIFFERENT = 0.1;

const percent = (x: number) => `${Number((100 * x).toPrecision(2))} %`;

/** The rows of one number format. */
function rowsOf({ rows }: Census, dtype: CensusRow['dtype'], caller: string): CensusRow[] {
  const own = rows.filter((row) => row.dtype === dtype);
  if (own.length === 0) throw new RangeError(`${caller}: there is no row of ${dtype}`);
  return own;
}

/** Names of the implementations, library by library, those with the earliest fault first; equal ones in the order of the census. */
function inOrderOfFaults(rows: readonly CensusRow[]): string[] {
  const faultsOf = (own: readonly CensusRow[]) => {
    const sizes = own.map((row) => Math.abs(firstFault(row)?.logit ?? Infinity));
    return { first: Math.min(...sizes), faults: sizes.filter(Number.isFinite).length };
  };
  const earlierFirst = <Item extends ReturnType<typeof faultsOf>>(items: Item[]) =>
    items.sort((a, b) => (a.first === b.first ? b.faults - a.faults : a.first < b.first ? -1 : 1));
  const grouped = <Key extends string>(own: readonly CensusRow[], keyOf: (row: CensusRow) => Key) =>
    earlierFirst(
      [...new Set(own.map(keyOf))].map((key) => {
        const members = own.filter((row) => keyOf(row) === key);
        return { key, members, ...faultsOf(members) };
      }),
    );
  return grouped(rows, ({ library }) => library).flatMap(({ members }) =>
    grouped(members, nameOf).map(({ key }) => key),
  );
}

/**
 * The first logit whose loss or gradient is not finite, implementation by implementation, for each gamma and label. A ring
 * stands for none.
 *
 * @throws RangeError if nothing was measured in this dtype
 */
export function censusFaults(census: Census, dtype: CensusRow['dtype'] = 'float32'): VegaLiteSpec {
  const rows = rowsOf(census, dtype, 'censusFaults');
  const { date, largestLogit } = census.settings;
  const cells = rows.map((row) => {
    const fault = firstFault(row);
    return {
      implementation: nameOf(row),
      gamma: row.gamma,
      label: `label ${row.label}`,
      size: fault && Math.abs(fault.logit),
      text: fault ? `${fault.side === 'right' ? '✓' : '✗'} ${Math.abs(fault.logit).toFixed(2)}` : '○',
      what: fault ? `${fault.what}, the prediction being ${fault.side}` : `none to ${largestLogit}`,
      framework: row.framework,
    };
  });
  const implementations = inOrderOfFaults(rows);
  const early = Math.min(...cells.map((cell) => cell.size ?? largestLogit));
  const { color, ink } = soonToLate('size', [early, 8 * early]);
  const encoding = {
    y: {
      field: 'implementation',
      type: 'nominal',
      sort: implementations,
      title: null,
      axis: { labelLimit: 400, ticks: false, domain: false },
    },
    x: {
      field: 'gamma',
      type: 'ordinal',
      title: 'gamma',
      axis: { orient: 'top', ticks: false, domain: false },
    },
  };
  const tooltip = ['implementation', 'gamma', 'label', 'text', 'what', 'framework'].map((field) => ({
    field,
    title: field === 'text' ? 'first at |logit|' : field,
  }));
  return {
    title: {
      text: inLines(faultsInWords(rows)),
      subtitle: [
        `First |logit| with a loss or gradient that is not finite, in ${dtype}, on the CPU, ${date}.`,
        `✓: at a right prediction, ✗: at a wrong one. ○: none to ±${largestLogit.toLocaleString('en')}.`,
        'Counted in the title: libraries, in their newest version.',
      ],
    },
    data: { values: cells },
    facet: { column: { field: 'label', type: 'nominal', title: null, sort: LABELS.domain } },
    spec: {
      width: { step: 52 },
      height: { step: 20 },
      layer: [
        {
          transform: [{ filter: 'datum.size === null' }],
          mark: { type: 'rect', stroke: 'white', strokeWidth: 2, color: SAFE_COLOR },
          encoding: { ...encoding, tooltip },
        },
        {
          transform: [{ filter: 'datum.size !== null' }],
          mark: { type: 'rect', stroke: 'white', strokeWidth: 2 },
          encoding: {
            ...encoding,
            tooltip,
            color,
          },
        },
        {
          mark: { type: 'text', fontSize: 10.5 },
          encoding: {
            ...encoding,
            tooltip,
            text: { field: 'text' },
            color: ink,
          },
        },
      ],
    },
  };
}

/** A title that is wider than a page is broken at its semicolons. */
const inLines = (title: string): string[] => title.split(/(?<=;) /);

/** '6 of 9 libraries go NaN at a gamma below 1, from logit 14.56 on; 1 of them at gamma 0 too, 2 at gamma 2' */
function faultsInWords(rows: readonly CensusRow[]): string {
  const current = rows.filter((row) => isCurrent(row, rows));
  const count = (found: readonly CensusRow[]) => new Set(found.map(({ library }) => library)).size;
  const faulty = current.filter((row) => firstFault(row) !== null);
  const total = count(current);
  if (faulty.length === 0) return `None of ${total} libraries goes NaN`;
  const below = faulty.filter(({ gamma }) => gamma < 1);
  const first = Math.min(...below.map((row) => Math.abs(firstFault(row)?.logit ?? Infinity)));
  const at = (own: number) => count(faulty.filter(({ gamma }) => gamma === own));
  const found = count(below);
  const nan = below.every((row) => firstFault(row)?.what?.includes('NaN')) ? 'NaN' : 'NaN or infinite';
  const beyond = [...new Set(faulty.map(({ gamma }) => gamma).filter((gamma) => gamma >= 1))];
  return (
    `${found} of ${total} libraries ${found === 1 ? 'goes' : 'go'} ${nan} at a gamma below 1, ` +
    `from |logit| ${first.toFixed(1)} on; ${at(0)} at gamma 0 too` +
    beyond.map((gamma) => `, ${at(gamma)} at gamma ${gamma}`).join('')
  );
}

/**
 * Largest relative errors of loss and gradient in the ordinary range of logits, in float32, implementation by
 * implementation.
 *
 * @throws RangeError if nothing was measured at this gamma
 */
export function censusErrors(census: Census, { gamma }: { gamma: number }): VegaLiteSpec {
  const rows = rowsOf(census, 'float32', 'censusErrors').filter((row) => row.gamma === gamma);
  if (rows.length === 0)
    throw new RangeError(
      `censusErrors: nothing was measured at gamma ${gamma}; expected one of ${census.settings.gammas.join(', ')}`,
    );
  const { near, date } = census.settings;
  // Of a label with another loss than the focal one, as in varifocal loss, there is no error.
  const points = rows.flatMap((row) =>
    (['loss', 'gradient'] as const).flatMap((part) => {
      const error = row[`${part}Error`];
      const point = { implementation: nameOf(row), label: `label ${row.label}`, part };
      return error === null ? [] : [{ ...point, error }];
    }),
  );
  const worst = (name: string) =>
    Math.max(...points.filter(({ implementation }) => implementation === name).map(({ error }) => error));
  const implementations = [...new Set(points.map(({ implementation }) => implementation))];
  implementations.sort((a, b) => worst(b) - worst(a));

  const current = rows.filter((row) => isCurrent(row, rows));
  const libraries = [...new Set(current.map(({ library }) => library))];
  const errorOf = (name: string) =>
    Math.max(
      ...current
        .filter(({ library }) => library === name)
        .flatMap(({ lossError, gradientError }) => [lossError ?? 0, gradientError ?? 0]),
    );
  const sharp = libraries.filter((library) => errorOf(library) < SHARP);
  const different = libraries.filter((library) => errorOf(library) > DIFFERENT);
  const others = libraries.map(errorOf).filter((error) => error >= SHARP && error <= DIFFERENT);
  const color = {
    field: 'label',
    type: 'nominal',
    title: null,
    scale: LABELS,
  };
  return {
    title: {
      text: inLines(
        sharp.length === libraries.length
          ? `All of ${libraries.length} libraries keep six digits`
          : `${sharp.length} of ${libraries.length} libraries ${sharp.length === 1 ? 'keeps' : 'keep'} six digits; the others are off by up to ${percent(Math.max(0, ...others))}` +
              (different.length > 0 ? `, ${different.join(', ')} by more` : ''),
      ),
      subtitle: [
        `Largest relative error of loss and gradient for |logit| up to ${near}, gamma ${gamma}, float32, on the CPU, ${date}.`,
        'Dashed: 2^-24, which rounding the exact value to float32 may cost already.',
      ],
    },
    hconcat: (['loss', 'gradient'] as const).map((part, column) => ({
      width: 210,
      height: { step: 19 },
      layer: [
        {
          data: { values: [{ rounding: 2 ** -24 }] },
          mark: { type: 'rule', color: '#888888', strokeDash: [3, 3] },
          encoding: { x: { field: 'rounding', type: 'quantitative' } },
        },
        {
          data: { values: points.filter((point) => point.part === part) },
          mark: { type: 'point', filled: true, size: 70, opacity: 0.9, tooltip: true },
          encoding: {
            x: {
              field: 'error',
              type: 'quantitative',
              title: `relative error of the ${part}`,
              scale: { type: 'log', domain: [1e-8, 1], clamp: true },
              axis: { format: '.0e', tickCount: 8, labelSeparation: 8 },
            },
            y: {
              field: 'implementation',
              type: 'nominal',
              sort: implementations,
              title: null,
              axis: { grid: true, labels: column === 0, ticks: false, labelLimit: 400 },
            },
            color,
            shape: { ...color, scale: { domain: LABELS.domain, range: ['circle', 'diamond'] } },
          },
        },
      ],
    })),
  };
}

/** Whether those that a network should learn from have their gradient, in words; of several rows the worst. */
export function wrongAnswers(rows: readonly CensusRow[], { wrong, farHard }: CensusSettings): string {
  if (rows.some(({ hardFaultAt }) => hardFaultAt !== null && hardFaultAt <= farHard)) return 'NaN in the end';
  const errors = rows.flatMap(({ hardGradientError }) => hardGradientError ?? []);
  if (errors.length === 0) return 'not compared';
  const worst = Math.max(...errors);
  if (worst <= wrong) return 'right';
  return worst > 0.99 ? 'lost in the end' : `off by up to ${percent(worst)}`;
}
