const INFINITE = ['lossError', 'gradientError', 'hardGradientError']; // what may be, and JSON has no number for it

/**
 * What the processes have printed, warnings and a line of JSON, as one table.
 *
 * @param outputs  of census.py
 * @returns {{ settings: object, versions: Record<string, string>, rows: object[] }}
 * @throws Error if one printed something else, or measured by other settings
 */
export function merge(outputs) {
  const parts = outputs.map(parse);
  const [{ settings }] = parts;
  if (parts.some((part) => JSON.stringify(part.settings) !== JSON.stringify(settings)))
    throw new Error('census: the libraries were not measured by the same settings');
  const names = [...new Set(parts.flatMap(({ versions }) => Object.keys(versions)))];
  const versionsOf = (name) => parts.map(({ versions }) => versions[name]).filter(Boolean);
  return {
    settings,
    versions: Object.fromEntries(names.map((name) => [name, [...new Set(versionsOf(name))].join(', ')])),
    rows: parts.flatMap(({ rows }) => rows),
  };
}

function parse(output) {
  const line = output.split('\n').findLast((text) => text.startsWith('{'));
  const part = line === undefined ? {} : JSON.parse(line);
  if (!part.settings || !part.versions || !part.rows?.length)
    throw new Error(`census: expected settings, versions and rows, got '${output.slice(0, 200)}'`);
  const number = (name, value) => (INFINITE.includes(name) && value === 'Infinity' ? Infinity : value);
  const withNumbers = (row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, number(name, value)]));
  return { ...part, rows: part.rows.map(withNumbers) };
}
