/**
 * One row per work and contestant, over all its rounds, in the order in which they were first measured.
 *
 * @param measurements  [{ work, contestant, ms, rssMB }]
 * @returns {{ work, contestant, threads, msMin, msMedian, rssMB }[]} the quickest step, the median of all steps, and
 *   the largest memory
 */
export function summarize(measurements, threads) {
  const rows = [];
  for (const { work, contestant } of measurements) {
    if (rows.some((row) => row.work === work && row.contestant === contestant)) continue;
    const group = measurements.filter((other) => other.work === work && other.contestant === contestant);
    const ms = group.flatMap((measurement) => measurement.ms);
    rows.push({
      work,
      contestant,
      threads,
      msMin: toHundredths(Math.min(...ms)),
      msMedian: toHundredths(median(ms)),
      rssMB: Math.round(Math.max(...group.map(({ rssMB }) => rssMB))),
    });
  }
  return rows;
}

/** The middle value, or the mean of the two middle ones. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

const toHundredths = (ms) => Math.round(100 * ms) / 100;

/** The rows as a table in Markdown. Ratios: the first contestant's time by that of the row, at the same work. */
export function table(rows) {
  const lines = rows.map((row) => {
    const first = rows.find(({ work }) => work === row.work);
    const ratio = (key) => (row === first ? '' : (first[key] / row[key]).toFixed(2));
    const { work, contestant, msMin, msMedian, rssMB } = row;
    return [
      work,
      contestant,
      msMin.toFixed(1),
      ratio('msMin'),
      msMedian.toFixed(1),
      ratio('msMedian'),
      rssMB,
    ];
  });
  const heading = ['work', 'contestant', 'ms, minimum', 'ratio', 'ms, median', 'ratio', 'memory, MB'];
  const rule = heading.map((_, i) => (i < 2 ? '---' : '--:'));
  return [heading, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
