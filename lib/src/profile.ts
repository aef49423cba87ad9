import { show } from './display';

/** 'quick': the phenomenon, honestly reached, on two cores in minutes. 'paper': the paper's settings. */
export type Profile = 'quick' | 'paper';

/**
 * The profile in which the notebooks run: environment variable FOCAL_PROFILE, default 'quick'.
 *
 * @throws Error if it is set to anything else
 */
export function profile(): Profile {
  const value = process.env.FOCAL_PROFILE;
  if (value === undefined || value === '') return 'quick';
  if (value === 'quick' || value === 'paper') return value;
  throw new Error(
    `profile: the environment variable FOCAL_PROFILE is '${value}'; expected 'quick' or 'paper'`,
  );
}

/**
 * The settings of the active profile, frozen. Shows them with the paper's next to them.
 *
 * @throws Error if FOCAL_PROFILE is neither 'quick' nor 'paper', TypeError if the two profiles do not have the same settings
 */
export function byProfile<T extends object>(settings: { quick: T; paper: T }): Readonly<T> {
  const name = profile();
  const keys = Object.keys(settings.paper) as (keyof T & string)[];
  const difference = [...keys, ...Object.keys(settings.quick)].find(
    (key) => !(key in settings.paper && key in settings.quick),
  );
  if (difference !== undefined) throw new TypeError(`byProfile: only one profile sets '${difference}'`);

  const active = settings[name];
  show(
    keys.map((key) => ({
      setting: key,
      'this run': describe(active[key]),
      paper: describe(settings.paper[key]),
    })),
    { caption: `Profile: ${name}`, rows: keys.length },
  );
  return deepFreeze(active);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return value.map(describe).join(', ');
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

function deepFreeze<T extends object>(value: T): Readonly<T> {
  for (const child of Object.values(value))
    if (typeof child === 'object' && child !== null) deepFreeze(child);
  return Object.freeze(value);
}
