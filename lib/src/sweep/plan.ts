import type { SweepSettings } from './settings';
import type { GridModel } from '../grid/run';

/** In a sweep the models differ by these; alpha and epsilon are the same for all. */
export type SweepModel = Pick<GridModel, 'loss' | 'gamma' | 'threshold'>;

/** Models that are trained side by side: they share noise, seed and the order of the batches. */
export interface Shard {
  index: number;
  noise: number;
  seed: number;
  models: SweepModel[];
}

/**
 * Divides a sweep into shards of at most `modelsPerShard` models, each combination of the settings in exactly one.
 *
 * A model that diverges leaves its shard, and a shard of few models is slow per model. So models that probably live
 * equally long are put together: those that go NaN (original loss, 0 < gamma < 1) apart from the others, and threshold by
 * threshold, since the lopsided thresholds are learned, and go NaN, much sooner than the middle ones. Shards that last
 * longest come first: then the workers end at about the same time.
 */
export function plan(settings: SweepSettings, modelsPerShard: number): Shard[] {
  const models = settings.losses.flatMap((loss) =>
    settings.thresholds.flatMap((threshold) => settings.gammas.map((gamma) => ({ loss, gamma, threshold }))),
  );
  const inOrder = [...models.filter((model) => !goesNan(model)), ...models.filter(goesNan)];
  const shards = settings.seeds.flatMap((seed) =>
    settings.noises.flatMap((noise) =>
      chunks(inOrder, modelsPerShard).map((chunk) => ({ noise, seed, models: chunk })),
    ),
  );
  const lasting = (shard: Omit<Shard, 'index'>) => shard.models.filter((model) => !goesNan(model)).length;
  return shards.sort((a, b) => lasting(b) - lasting(a)).map((shard, index) => ({ index, ...shard }));
}

const goesNan = ({ loss, gamma }: SweepModel) => loss === 'original' && gamma > 0 && gamma < 1;

/** As few as possible of at most `size` items, and about equally many in each. */
function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  const start = (i: number) => Math.floor((i * items.length) / count);
  return Array.from({ length: count }, (_, i) => items.slice(start(i), start(i + 1)));
}
