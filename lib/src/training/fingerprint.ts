import { createHash } from 'node:crypto';
import { tf, versions } from '../tf';
import type { Loss } from './step';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** What makes a run this run and no other; the keys are the words in which a difference is told. */
export type Fingerprint = Record<string, Json>;

export interface Difference {
  name: string;
  there: string;
  here: string;
}

/** As many of the samples are compared, evenly spaced. */
const SAMPLES = 64;
/**
 * Where losses are compared. Near logit 16.6, 1 - p_t is one rounding error or none, which depends on the device; 20 and 30
 * are past that on all.
 */
const PROBES = [-30, -20, -4, -2, -1, -0.5, 0.5, 1, 2, 4, 20, 30].flatMap((logit) =>
  [0, 1].map((label) => ({ logit, label })),
);
/** Devices differ by rounding, losses by more. */
const LOSS_TOLERANCE = { relative: 1e-3, absolute: 1e-30 };

/**
 * Settings, data, model and loss of a run. A loss is a function: it is known by its value and its gradients at some logits
 * of both labels. Initial weights are not part of it, nor is what computes (device, version of TensorFlow).
 */
export function fingerprint(
  model: tf.LayersModel,
  { images, labels, loss }: { images: tf.Tensor; labels: tf.Tensor; loss: Loss },
  settings: Record<string, number>,
): Fingerprint {
  return {
    'version of focal-loss-lab': versions()['focal-loss-lab'],
    'shape of images': shapeText(images.shape),
    'shape of labels': shapeText(labels.shape),
    ...settings,
    'SHA-256 of some images': checksumOfSamples(images),
    'SHA-256 of their labels': checksumOfSamples(labels),
    loss: behavior(loss, labels.shape.slice(1)),
    model: architecture(model),
    'shape of weight': model.weights.map(({ shape }) => shapeText(shape)),
  };
}

/** The first difference, in the order of the keys; undefined if there is none. */
export function firstDifference(there: Fingerprint, here: Fingerprint): Difference | undefined {
  return differenceAt([], there, here);
}

function differenceAt(
  path: string[],
  there: Json | undefined,
  here: Json | undefined,
): Difference | undefined {
  if (isObject(there) && isObject(here)) {
    for (const key of new Set([...Object.keys(there), ...Object.keys(here)])) {
      const difference = differenceAt([...path, key], there[key], here[key]);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  if (path[0] === 'loss' ? isClose(Number(there), Number(here)) : there === here) return undefined;
  const text = (value: Json | undefined) =>
    typeof value === 'string' ? value : JSON.stringify(value ?? 'none');
  return { name: path.join(' '), there: text(there), here: text(here) };
}

const isObject = (value: Json | undefined): value is Record<string, Json> =>
  typeof value === 'object' && value !== null;

const isClose = (a: number, b: number) =>
  Object.is(a, b) ||
  Math.abs(a - b) <= LOSS_TOLERANCE.absolute + LOSS_TOLERANCE.relative * Math.max(Math.abs(a), Math.abs(b));

const shapeText = (shape: (number | null)[]) => `[${shape.join(', ')}]`;

/** SHA-256 of up to 64 samples, evenly spaced. */
export function checksumOfSamples(values: tf.Tensor): string {
  const samples = values.shape[0];
  const count = Math.min(samples, SAMPLES);
  const indices = Array.from({ length: count }, (_, i) => Math.floor((i * samples) / count));
  const chosen = tf.tidy(() => tf.gather(values, tf.tensor1d(indices, 'int32')).dataSync());
  return createHash('sha256')
    .update(new Uint8Array(chosen.buffer, chosen.byteOffset, chosen.byteLength))
    .digest('hex');
}

/** Mean loss of a batch with one logit and label per sample, and the gradient with respect to each sample's logits. */
function behavior(loss: Loss, labelShape: number[]): Record<string, string> {
  const [value, ...gradients] = tf.tidy(() => {
    const batch = (values: number[]) =>
      tf.add(tf.zeros([values.length, ...labelShape]), tf.reshape(values, [-1, ...labelShape.map(() => 1)]));
    const labels = batch(PROBES.map(({ label }) => label));
    const logits = batch(PROBES.map(({ logit }) => logit));
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => loss(x, labels))(logits);
    return [...value.dataSync(), ...tf.sum(tf.reshape(grad, [PROBES.length, -1]), 1).dataSync()];
  });
  const text = (number: number) => number.toPrecision(6); // unlike JSON's numbers, also NaN and Infinity
  return {
    ...Object.fromEntries(
      PROBES.map(({ logit, label }, i) => [`gradient at logit ${logit}, label ${label}`, text(gradients[i])]),
    ),
    'mean at some logits': text(value),
  };
}

/** Layers, their settings and connections; without names, which tfjs numbers through, and without initializers. */
function architecture(model: tf.LayersModel): Json {
  const config = model.getConfig();
  const numbers = new Map<unknown, string>();
  JSON.stringify(config, (key, value: unknown) => {
    if (key === 'name' && !numbers.has(value)) numbers.set(value, `#${numbers.size}`);
    return value;
  });
  const json = JSON.stringify(config, (key, value: unknown) =>
    /initializer$|^seed$/i.test(key) ? undefined : (numbers.get(value) ?? value),
  );
  return JSON.parse(json) as Json;
}
