// The numbers in the computation graphs of notebooks/02-nan-gradient.ipynb.
import { focalLossGradient } from '../losses/closedForm';
import { roundTo, type Precision } from '../precision';
import { naiveFocalLossGradient } from '../precision/chainRule';
import { exactFocalLossSteps } from '../precision/exactSteps';
import { tf } from '../tf';

/** What the sliders of a graph can be set to; label 1, no alpha. */
export const LOGITS = Array.from({ length: 41 }, (_, i) => i);
export const GAMMAS = Array.from({ length: 11 }, (_, i) => i / 10);
export const PRECISIONS: readonly Precision[] = ['float64', 'float32', 'float16', 'bfloat16'];

export interface GraphSetting {
  precision: Precision;
  gamma: number;
  logit: number;
}

/** One setting, the value of each node and edge there, and the true gradient. */
export interface GraphState<Name extends string> extends GraphSetting {
  values: Record<Name, number>;
  trueGradient: number;
}

type Columns<Name extends string> = Record<Name, tf.Tensor>;

/** In float32 TensorFlow computes the values, in the other formats our emulation. */
function states<Name extends string>(
  inTensorFlow: (x: tf.Tensor, gamma: number) => Columns<Name>,
  emulated: (logit: number, gamma: number, precision: Precision) => Record<Name, number>,
): GraphState<Name>[] {
  return PRECISIONS.flatMap((precision) =>
    GAMMAS.flatMap((gamma) => {
      const float32 = precision === 'float32' ? rowsOf((x) => inTensorFlow(x, gamma)) : null;
      return LOGITS.map((logit, i) => ({
        ...{ precision, gamma, logit },
        values: float32?.[i] ?? emulated(logit, gamma, precision),
        trueGradient: focalLossGradient(logit, 1, { alpha: -1, gamma }),
      }));
    }),
  );
}

function rowsOf<Name extends string>(compute: (x: tf.Tensor) => Columns<Name>): Record<Name, number>[] {
  return tf.tidy(() => {
    const columns = Object.entries<tf.Tensor>(compute(tf.tensor1d(LOGITS))).map(
      ([name, tensor]) => [name, tensor.dataSync()] as const,
    );
    return LOGITS.map(
      (_, i) => Object.fromEntries(columns.map(([name, data]) => [name, data[i]])) as Record<Name, number>,
    );
  });
}

export type TextbookValue =
  | 'p' | 'q' | 'ce' | 'pByX' | 'ceByX'
  | 'w' | 'loss' | 'wByQ' | 'byQ' | 'byP' | 'throughP' | 'throughCe' | 'gradient'; // prettier-ignore

/**
 * The textbook loss at label 1, forward, and its derivative by the chain rule, backward from dFL/dFL = 1:
 *
 *   p = sigma(x),  q = 1 - p,  w = q^gamma,  ce = log(1 + e^-x),  FL = w ce
 *
 *   byQ = ce wByQ                  wByQ = gamma q^(gamma - 1)
 *   byP = -byQ
 *   throughP = byP pByX            pByX = p (1 - p)
 *   throughCe = w ceByX            ceByX = p - 1
 *   gradient = throughP + throughCe
 */
export function textbookStates(): GraphState<TextbookValue>[] {
  return states<TextbookValue>(
    (x, gamma) => {
      const p = tf.sigmoid(x);
      const q = tf.sub(1, p);
      const w = tf.pow(q, gamma);
      const ce = tf.log1p(tf.exp(tf.neg(x)));
      const loss = tf.mul(w, ce);
      const wByQ = tf.mul(gamma, tf.pow(q, tf.sub(gamma, 1)));
      const byQ = tf.mul(ce, wByQ);
      const byP = tf.neg(byQ);
      const pByX = tf.mul(p, tf.sub(1, p));
      const throughP = tf.mul(byP, pByX);
      const ceByX = tf.sub(p, 1);
      const throughCe = tf.mul(w, ceByX);
      const gradient = tf.add(throughP, throughCe);
      return { p, q, ce, pByX, ceByX, w, loss, wByQ, byQ, byP, throughP, throughCe, gradient };
    },
    (logit, gamma, precision) => {
      const step = naiveFocalLossGradient(logit, 1, { alpha: -1, gamma, precision });
      const byQ = roundTo(step.crossEntropy * step.singularFactor, precision);
      return {
        ...{ p: step.p, q: step.base, ce: step.crossEntropy, w: step.modulatingFactor, loss: step.loss },
        ...{
          wByQ: step.singularFactor,
          byQ,
          byP: -byQ,
          pByX: step.pByLogit,
          ceByX: step.crossEntropyByLogit,
        },
        ...{ throughP: step.throughModulatingFactor, throughCe: step.throughCrossEntropy },
        gradient: step.gradient,
      };
    },
  );
}

export type ExactValue = 'e' | 'q' | 's' | 'r' | 'w' | 'loss' | 'bracket' | 'product' | 'gradient';

/**
 * The exact form at label 1, forward, and its derivative as a formula of its own:
 *
 *   e = e^-x,  q = e / (1 + e) = sigma(-x),  s = log(1 + e) = softplus(-x),  w = q^gamma,  FL = w s
 *
 *   gradient = -w q (1 + gamma r)       r = s / e = p s / q
 */
export function exactStates(): GraphState<ExactValue>[] {
  return states<ExactValue>(
    (x, gamma) => {
      const e = tf.exp(tf.neg(x));
      const q = tf.div(e, tf.add(1, e));
      const s = tf.log1p(e);
      const w = tf.pow(q, gamma);
      const loss = tf.mul(w, s);
      const r = tf.div(s, e);
      const bracket = tf.add(1, tf.mul(gamma, r));
      const product = tf.mul(q, bracket);
      const gradient = tf.neg(tf.mul(w, product));
      return { e, q, s, r, w, loss, bracket, product, gradient };
    },
    (logit, gamma, precision) => {
      const { modulatingFactor: w, ...steps } = exactFocalLossSteps(logit, 1, { gamma, precision });
      return { ...steps, w };
    },
  );
}
