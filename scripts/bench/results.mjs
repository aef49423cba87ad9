const KEY = ['work', 'contestant', 'threads', 'processes', 'models'];

/**
 * One row per work and contestant, over all its rounds, in the order in which they were first measured. Contestants of one
 * name differ in their threads, processes or models.
 *
 * @param measurements  [{ work, contestant, threads, processes, models, ms, cpuMs, rssMB }], cpuMs where it was measured
 * @returns {{ work, contestant, threads, processes, models, msMin, msMedian, cpuMsMin, cpuMsMedian, msMedians, rssMB }[]} the
 *   quickest step, the median of all steps, both in CPU time, too, the median of each round, and the largest memory
 */
export function summarize(measurements) {
  const groups = new Map();
  for (const measurement of measurements) {
    const key = JSON.stringify(KEY.map((name) => measurement[name]));
    groups.set(key, [...(groups.get(key) ?? []), measurement]);
  }
  return [...groups.values()].map((group) => {
    const ms = group.flatMap((measurement) => measurement.ms);
    const cpuMs = group.flatMap((measurement) => measurement.cpuMs ?? []);
    return {
      ...Object.fromEntries(KEY.map((name) => [name, group[0][name]])),
      msMin: toHundredths(Math.min(...ms)),
      msMedian: toHundredths(median(ms)),
      msMedians: group.map((measurement) => toHundredths(median(measurement.ms))),
      ...(cpuMs.length > 0 && {
        cpuMsMin: toHundredths(Math.min(...cpuMs)),
        cpuMsMedian: toHundredths(median(cpuMs)),
      }),
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
 * processes and models those are shown in which the contestants differ; CPU time where it was measured. "Rounds" are the
 * medians of the quickest and the slowest round.
 */
export function table(rows) {
  const differing = ['models', 'processes', 'threads'].filter((key) =>
    rows.some((row) => row[key] !== rows[0][key]),
  );
  const measures = [
    ['ms, minimum', 'msMin'],
    ['ms, median', 'msMedian'],
    ['CPU ms, minimum', 'cpuMsMin'],
    ['CPU ms, median', 'cpuMsMedian'],
  ].filter(([, key]) => rows.some((row) => row[key] !== undefined));
  const lines = rows.map((row) => {
    const first = rows.find(({ work }) => work === row.work);
    const ratio = (key) => (row === first ? '' : (first[key] / row[key]).toFixed(2));
    return [
      row.work,
      row.contestant,
      ...differing.map((key) => row[key]),
      ...measures.flatMap(([, key]) => [row[key].toFixed(1), ratio(key)]),
      `${Math.min(...row.msMedians).toFixed(1)} to ${Math.max(...row.msMedians).toFixed(1)}`,
      row.rssMB,
    ];
  });
  const heading = [
    'work',
    'contestant',
    ...differing,
    ...measures.flatMap(([title]) => [title, 'ratio']),
    'rounds',
    'memory, MB',
  ];
  const rule = heading.map((_, i) => (i < 2 ? '---' : '--:'));
  return [heading, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
