// Exercise 6: an experiment of one's own. Its plan, record and conclusion are checked for being complete and consistent; no
// outcome is better than another.
import { kindOf } from './ask';
import { judge, NotAttempted, Wrong } from './verdict';

const FEWEST_SEEDS = 3;
const FEWEST_WORDS = 4;

/** What is settled before anything is run. */
export interface ExperimentPlan {
  question: string;
  /** The quantity that each run gives, one number, and what stands for a run in which the event does not happen. */
  metric: string;
  /** The one setting in which the conditions differ. */
  factor: string;
  /** Name of the condition -> its settings. */
  conditions: Record<string, Record<string, unknown>>;
  seeds: number[];
  /** The mean of the metric is larger in the first of these conditions than in the second, by more than `by`. */
  prediction: { larger: string; smaller: string; by: number };
  /** Why that is expected. */
  reason: string;
  /** When a run ends. */
  stopping: string;
}

/** The result of one run. */
export interface ExperimentRow {
  condition: string;
  seed: number;
  value: number;
}

/** What follows from the results. */
export interface ExperimentConclusion {
  /** Mean of the metric in the condition predicted to be larger, minus that in the other. */
  difference: number;
  /**
   * 'supported' if with EVERY seed the difference is more than `by`, 'refuted' if with none, 'undecided' otherwise.
   */
  verdict: 'supported' | 'refuted' | 'undecided';
  /** What the experiment cannot show. */
  limits: string;
}

/** Checks 6.1: the plan. */
export function plan(answer: unknown): Promise<void> {
  return judge({ '6.1 the plan': () => void examinePlan(answer) });
}

/** Checks 6.2: one row for each condition and seed of the plan. */
export function results(planned: unknown, rows: unknown): Promise<void> {
  return judge({ '6.2 the record': () => void examineRows(examinePlan(planned), rows) });
}

/** Checks 6.3: whether the conclusion follows from the record, by the rule of the plan. */
export function conclusion(planned: unknown, rows: unknown, concluded: unknown): Promise<void> {
  return judge({
    '6.3 the conclusion': () => {
      const plan = examinePlan(planned);
      const values = examineRows(plan, rows);
      if (concluded === undefined) throw new NotAttempted();
      const given = record(concluded, 'the conclusion');
      const { difference, verdict } = given;
      if (typeof difference !== 'number' || Number.isNaN(difference))
        throw new Wrong(`difference is ${kindOf(difference)}; expected a number`);
      if (!['supported', 'refuted', 'undecided'].includes(verdict as string))
        throw new Wrong("verdict has to be 'supported', 'refuted' or 'undecided'");
      sentence(given.limits, 'limits');

      const { prediction, seeds } = plan;
      const { larger, smaller, by } = prediction;
      const differences = seeds.map((seed) => values(larger, seed) - values(smaller, seed));
      const mean = differences.reduce((sum, value) => sum + value, 0) / seeds.length;
      const scale = Math.max(...differences.map(Math.abs));
      if (Math.abs(difference - mean) > 1e-3 * scale)
        throw new Wrong(
          Math.abs(difference + mean) <= 1e-3 * scale
            ? `difference has the wrong sign: it is that of '${larger}' minus '${smaller}'`
            : 'difference is not the difference of the two means in the record',
        );
      const kept = differences.filter((value) => value > by).length;
      const follows = kept === seeds.length ? 'supported' : kept === 0 ? 'refuted' : 'undecided';
      if (verdict !== follows)
        throw new Wrong(
          `'${String(verdict)}' does not follow from the record: in how many seeds is the difference above ${by}?`,
        );
    },
  });
}

function examinePlan(answer: unknown): ExperimentPlan {
  if (answer === undefined) throw new NotAttempted();
  const given = record(answer, 'the plan');
  const { factor, conditions, seeds, prediction } = given as Partial<ExperimentPlan>;
  if (isEmpty(given)) throw new NotAttempted();
  for (const name of ['question', 'metric', 'reason', 'stopping']) sentence(given[name], name);
  const names = examineConditions(conditions, factor);
  if (!Array.isArray(seeds) || !seeds.every(Number.isInteger) || new Set(seeds).size !== seeds.length)
    throw new Wrong('seeds have to be different integers');
  if (seeds.length < FEWEST_SEEDS)
    throw new Wrong(
      `${seeds.length} seeds cannot show how much comes of chance: take at least ${FEWEST_SEEDS}`,
    );
  const { larger, smaller, by } = record(prediction, 'prediction');
  for (const [key, name] of Object.entries({ larger, smaller }))
    if (!names.includes(name as string))
      throw new Wrong(`prediction.${key} is not one of the conditions (${names.join(', ')})`);
  if (larger === smaller) throw new Wrong('the prediction compares a condition with itself');
  if (typeof by !== 'number' || !(by >= 0 && by < Infinity))
    throw new Wrong(
      'prediction.by has to be a number, at least 0: a difference smaller than that would not matter',
    );
  return given as unknown as ExperimentPlan;
}

/** As the student finds it: no text, no conditions, no seeds. */
function isEmpty({ question, conditions, seeds }: Record<string, unknown>): boolean {
  const nothing = (value: unknown) => typeof value === 'object' && Object.keys(value ?? {}).length === 0;
  return question === '' && nothing(conditions) && nothing(seeds);
}

function examineConditions(conditions: unknown, factor: unknown): string[] {
  const given = record(conditions, 'conditions');
  const names = Object.keys(given);
  if (names.length < 2) throw new Wrong('there have to be at least two conditions to compare');
  const settings = names.map((name) => record(given[name], `the settings of '${name}'`));
  const keys = Object.keys(settings[0]);
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  for (const [i, other] of settings.entries())
    if (!same(Object.keys(other).sort(), [...keys].sort()))
      throw new Wrong(`'${names[0]}' and '${names[i]}' do not have the same settings`);
  if (typeof factor !== 'string' || !keys.includes(factor))
    throw new Wrong(`factor has to be the name of one of the settings (${keys.join(', ')})`);
  const varies = keys.find(
    (key) => key !== factor && settings.some((other) => !same(other[key], settings[0][key])),
  );
  if (varies !== undefined)
    throw new Wrong(
      `'${varies}' differs as well as '${factor}': which of them will the difference come from?`,
    );
  const values = settings.map((other) => JSON.stringify(other[factor]));
  if (new Set(values).size < values.length) throw new Wrong(`two conditions have the same '${factor}'`);
  return names;
}

/** @returns the value of a condition and seed */
function examineRows(plan: ExperimentPlan, rows: unknown): (condition: string, seed: number) => number {
  if (rows === undefined) throw new NotAttempted();
  if (!Array.isArray(rows)) throw new Wrong(`the record is ${kindOf(rows)}; expected an array of rows`);
  if (rows.length === 0) throw new NotAttempted();
  const names = Object.keys(plan.conditions);
  const values = new Map<string, number>();
  for (const [i, row] of rows.entries()) {
    const { condition, seed, value } = record(row, `row ${i}`);
    if (!names.includes(condition as string) || !plan.seeds.includes(seed as number))
      throw new Wrong(
        `row ${i} is of condition '${String(condition)}' and seed ${String(seed)}, which were not planned`,
      );
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw new Wrong(
        `the value of row ${i} is ${kindOf(value)}; expected a finite number. What stands, by the plan, for a run in which nothing happened?`,
      );
    const key = JSON.stringify([condition, seed]);
    if (values.has(key)) throw new Wrong(`'${String(condition)}' with seed ${String(seed)} is there twice`);
    values.set(key, value);
  }
  for (const condition of names)
    for (const seed of plan.seeds)
      if (!values.has(JSON.stringify([condition, seed])))
        throw new Wrong(`'${condition}' with seed ${seed} is missing; a run may not be left out`);
  return (condition, seed) => values.get(JSON.stringify([condition, seed])) as number;
}

function record(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Wrong(`${name} is ${kindOf(value)}; expected an object`);
  return value as Record<string, unknown>;
}

function sentence(value: unknown, name: string): void {
  if (typeof value !== 'string' || value.trim().split(/\s+/).length < FEWEST_WORDS)
    throw new Wrong(`${name} has to be a sentence`);
}
