/** What parseArgs of node:util has found wrong, in half a line; its own words are for programmers. */
export function parseProblem({ message }) {
  const dash = /^Option '(--[\w-]+)' argument is ambiguous/.exec(message);
  if (dash) return `${dash[1]} is followed by a dash; a negative number is written ${dash[1]}=-1`;
  return message.split('\n')[0].replace(/\. To specify.*$/, '');
}
