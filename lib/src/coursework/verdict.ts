import { displayBundle, escapeHtml } from '../display/bundle';
import { Interrupted } from '../display/breathe';

/** The MIME type under which a check leaves its points next to the text; scripts/grade.py reads it. */
const POINTS = 'application/vnd.focal-loss-lab.points+json';

/** What is wrong with an answer: a sentence for the student, which does not give the right one away. */
export class Wrong extends Error {
  override readonly name = 'Wrong';
}

/** Thrown by what the student has not written yet; `remark` says what comes first, if something does. */
export class NotAttempted extends Error {
  override readonly name = 'NotAttempted';

  constructor(readonly remark = '') {
    super('todo(): this is yours to write');
  }
}

/**
 * Stands in an exercise where the student's code goes.
 *
 * @throws always; the check of the exercise then says "not attempted"
 */
export function todo(): never {
  throw new NotAttempted();
}

/** Returns if the answer is right; throws Wrong or NotAttempted. */
export type Examination = () => void | Promise<void>;

/** What a check says about one question. */
export interface Verdict {
  question: string;
  status: 'right' | 'wrong' | 'not attempted';
  /** What is wrong, or what comes first. */
  remark: string;
}

/**
 * Examines the answers to some questions, one point each, and shows what is wrong with them. Whatever an answer does, it
 * ends in a sentence.
 *
 * @param examinations  question -> what examines its answer
 * @throws Interrupted after Stop
 */
export async function judge(examinations: Record<string, Examination>): Promise<void> {
  const verdicts: Verdict[] = [];
  for (const [question, examination] of Object.entries(examinations))
    verdicts.push({ question, ...(await outcome(examination)) });
  show(verdicts);
}

async function outcome(examination: Examination): Promise<Omit<Verdict, 'question'>> {
  try {
    await examination();
    return { status: 'right', remark: '' };
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    if (error instanceof NotAttempted) return { status: 'not attempted', remark: error.remark };
    if (error instanceof Wrong) return { status: 'wrong', remark: error.message };
    return { status: 'wrong', remark: `this answer cannot be examined: ${messageOf(error)}` };
  }
}

/** The first line of what was thrown, which in a student's code may be anything. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return text.split('\n')[0];
}

function show(verdicts: Verdict[]): void {
  const points = verdicts.filter(({ status }) => status === 'right').length;
  const marks = { right: '✓', wrong: '✗', 'not attempted': '–' };
  const lines = verdicts.map(({ question, status, remark }) => {
    const said = [status === 'not attempted' ? status : '', remark].filter(Boolean);
    return [`${marks[status]} ${question}`, ...said].join(': ');
  });
  lines.push(`${points} of ${verdicts.length} ${verdicts.length === 1 ? 'point' : 'points'}`);
  displayBundle({
    'text/html': lines.map((line) => `<div>${escapeHtml(line)}</div>`).join(''),
    'text/plain': lines.join('\n'),
    [POINTS]: { points, of: verdicts.length, verdicts },
  });
}
