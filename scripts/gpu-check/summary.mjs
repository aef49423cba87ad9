/** For a person, and for an issue: what was seen, then a line for each check. */
export function summary({ date, machine, checks }) {
  const { device, card, cpu, versions, warning } = machine;
  const seen =
    device.kind === 'GPU'
      ? `GPU: ${card ?? device.name}`
      : '**No GPU was seen**: the CPU was compared with itself, which tests this command and nothing else';
  const lines = [
    `gpu-check, ${date.slice(0, 16).replace('T', ' ')} UTC`,
    seen,
    ...(warning ? [warning] : []),
    `CPU: ${cpu}; Node ${versions.node}, TensorFlow ${versions.tensorflow}, focal-loss-lab ${versions['focal-loss-lab']}`,
    '',
    '| check | | |',
    '|---|---|---|',
    ...checks.map(
      ({ title, state, text }) =>
        `| ${title} | ${state} | ${text.replaceAll('|', '\\|').replaceAll('\n', ' ')} |`,
    ),
    '',
  ];
  const count = (state) => checks.filter((check) => check.state === state).length;
  return `${lines.join('\n')}\n${count('ok')} ok, ${count('FAILED')} failed, ${count('not run')} not run`;
}
