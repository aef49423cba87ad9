const KEY = ['work', 'contestant', 'threads', 'processes', 'models'];

/**
 * One row per work and contestant, over all its rounds, in the order in which they were first measured. Contestants of one
 * name differ in their threads, processes or models.
 *
 * @param measurements  [{ work, contestant, threads, processes, models, ms, rssMB }]
 * @returns {{ work, contestant, threads, processes, models, msMin, msMedian, rssMB }[]} the quickest step, the median of
 *   all steps, and the largest memory
 */
export function summarize(measurements) {
  const groups = new Map();
  for (const measurement of measurements) {
    const key = JSON.stringify(KEY.map((name) => measurement[name]));
    groups.set(key, [...(groups.get(key) ?? []), measurement]);
  }
  return [...groups.values()].map((group) => {
    const ms = group.flatMap((measurement) => measurement.ms);
    return {
      ...Object.fromEntries(KEY.map((name) => [name, group[0][name]])),
      msMin: toHundredths(Math.min(...ms)),
      msMedian: toHundredths(median(ms)),
      rssMB: Math.round(Math.max(...group.map(({ rssMB }) => rssMB))),
    };
  });
}

/** The middle value, or the mean of the two middle ones. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

const toHundredths = (ms) => Math.round(100 * ms) / 100;

/**
 * The rows as a table in Markdown. Ratios: the first contestant's time by that of the row, at the same work. Of threads,
 * processes and models those are shown in which the contestants differ.
 */
export function table(rows) {
  const differing = ['models', 'processes', 'threads'].filter((key) =>
    rows.some((row) => row[key] !== rows[0][key]),
  );
  const lines = rows.map((row) => {
    const first = rows.find(({ work }) => work === row.work);
    const ratio = (key) => (row === first ? '' : (first[key] / row[key]).toFixed(2));
    const { work, contestant, msMin, msMedian, rssMB } = row;
    return [
      work,
      contestant,
      ...differing.map((key) => row[key]),
      msMin.toFixed(1),
      ratio('msMin'),
      msMedian.toFixed(1),
      ratio('msMedian'),
      rssMB,
    ];
  });
  const heading = [
    'work',
    'contestant',
    ...differing,
    'ms, minimum',
    'ratio',
    'ms, median',
    'ratio',
    'memory, MB',
  ];
  const rule = heading.map((_, i) => (i < 2 ? '---' : '--:'));
  return [heading, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
