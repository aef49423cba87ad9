// A set-up that cannot go on ends with one line for the person in front of it: what is wrong, and what to do.

/** Its message is that line. */
export class SetupFailure extends Error {}

/** Ctrl-C, or a polite kill. */
export class Interrupted extends Error {
  /** @param remark  what the person should know of what was interrupted */
  constructor(signal, remark) {
    super(signal);
    this.signal = signal;
    this.remark = remark;
  }
}

const proxyHint = () =>
  ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy']
    .filter((name) => process.env[name])
    .map((name) => ` (and the proxy that ${name} names)`)[0] ?? '';

// What pip, npm, compilers and Node itself write when the cause lies outside the project; the first match counts.
const CAUSES = [
  {
    text: /No space left on device|ENOSPC|Disk quota exceeded|EDQUOT/,
    advice: () =>
      `the disk is full: free some space (the temporary folder ${process.env.TMPDIR ?? '/tmp'} counts too)`,
  },
  {
    text: /CERTIFICATE_VERIFY_FAILED|SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT|unable to get local issuer/,
    advice: () =>
      'the registry’s certificate was not accepted: behind a company proxy, name its certificate in PIP_CERT and NODE_EXTRA_CA_CERTS',
  },
  {
    text: /name resolution|Name or service not known|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|Connection refused|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|Network is unreachable|NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError/,
    advice: () => `no connection to the package registry: check the network${proxyHint()}`,
  },
  {
    // pip says only this where it cannot reach the registry at all and does not try again
    text: /ResolutionImpossible|No matching distribution found|npm error code (ETARGET|E404)/,
    advice: () =>
      'the package registry does not offer a version that is needed: check the network, and which registry pip or npm is set to',
  },
  {
    text: /Permission denied|EACCES|EPERM|EROFS|Read-only file system/,
    advice: () => 'writing was refused: use a clone in a folder that belongs to you',
  },
  {
    text: /MemoryError|[Cc]annot allocate memory|std::bad_alloc|Killed signal|heap out of memory/,
    advice: () => 'the machine ran out of memory: close other programs',
  },
];

/** What to do about an error text, as the end of a sentence; undefined where the text names no cause we know. */
export const adviceFor = (text) => CAUSES.find((cause) => cause.text.test(text))?.advice();
