// The largest errors of the exact losses on whatever backend `tf` computes, in units in the last place of float32. The truth is
// the closed form in float64, which 50-digit values hold to 1e-14 (lib/test/losses/closedForm.test.ts).
// It takes tf and the losses from the caller: it runs on Node, on a bare TensorFlow.js and in a page.

/** Numbers in [0, 1) that are the same everywhere (Park and Miller). */
function* uniform(seed) {
  for (let state = seed; ;) yield (state = (state * 48271) % 2147483647) / 2147483647;
}

const take = (numbers) => numbers.next().value;

/** Signed logits: most where the results are ordinary float32 numbers, some near 0, some on the hopeless side. */
function signedLogits(count, gamma, numbers) {
  const end = 87 / (1 + gamma) + 1; // about where the gradient leaves the normal numbers
  return Float32Array.from({ length: count }, (_, i) => {
    const t = take(numbers);
    if (i % 8 === 0) return (i % 16 ? -1 : 1) * 2 ** (-30 + 37 * t);
    return -4 - t + t * (end + 5);
  });
}

const SMALLEST_NORMAL = 2 ** -126;
const errorInUlps = (found, truth) =>
  Math.abs(found - truth) / 2 ** (Math.floor(Math.log2(Math.abs(truth))) - 23);

class Worst {
  error = 0;
  at = null;
  /** Below `smallest`, a result may be flushed to 0. */
  add(found, truth, at, smallest = SMALLEST_NORMAL) {
    if (Math.abs(truth) < smallest) {
      if (Math.abs(found - truth) > smallest) this.replace(Infinity, at);
      return;
    }
    const error = errorInUlps(found, truth);
    if (!(error <= this.error)) this.replace(Number.isNaN(error) ? Infinity : error, at);
  }
  replace(error, at) {
    this.error = error;
    this.at = at();
  }
}

/**
 * The largest errors of exactSigmoidFocalLoss, unweighted, over both labels.
 * @returns loss and gradient, each with its error in ulp and where it is
 */
async function binaryErrors({ tf, losses }, { gamma, count, seed = 1 }) {
  const numbers = uniform(seed);
  const worst = { loss: new Worst(), gradient: new Worst() };
  for (const label of [1, 0]) {
    const sign = 2 * label - 1;
    const logits = signedLogits(count, gamma, numbers).map((z) => sign * z);
    const x = tf.tensor1d(logits);
    const y = tf.fill([count], label, 'int32');
    const { value, grad } = tf.valueAndGrad((x) =>
      losses.exactSigmoidFocalLoss(x, y, { alpha: null, gamma }),
    )(x, tf.onesLike(x));
    const found = [await value.data(), await grad.data()];
    tf.dispose([x, y, value, grad]);
    for (let i = 0; i < count; i++) {
      const options = { alpha: null, gamma };
      const at = () => ({ gamma, label, logit: logits[i] });
      worst.loss.add(found[0][i], losses.focalLoss(logits[i], label, options), at);
      worst.gradient.add(found[1][i], losses.focalLossGradient(logits[i], label, options), at);
    }
  }
  return worst;
}

/**
 * The largest errors of exactSoftmaxFocalLoss, unweighted: of the loss, of the derivative by the label's logit, and by the other
 * logits, where what counts is the error beyond half a unit per unit of distance to the largest of these.
 * @returns both for labels as class indices and as rows of probabilities: the examples, and so the truth, are the same
 */
async function softmaxErrors({ tf, losses }, { classes, gamma, rows, seed = 1 }) {
  const numbers = uniform(seed);
  const logits = Array.from({ length: rows }, (_, i) => {
    const gap = i % 3 === 0 ? -6 + 12 * take(numbers) : -30 + take(numbers) * (120 / (1 + gamma) + 30);
    const spread = [0.1, 1, 4, 20][i % 4];
    const offset = i % 5 === 0 ? 100 * (take(numbers) - 0.5) : 0;
    const row = Array.from({ length: classes }, (_, j) =>
      Math.fround(offset + (j === 0 ? gap : -spread * take(numbers))),
    );
    if (i % 7 === 0) row.fill(row[1], 1); // ties
    return row;
  });
  const labels = logits.map((_, i) => i % classes);
  logits.forEach((row, i) => ([row[0], row[labels[i]]] = [row[labels[i]], row[0]]));

  const x = tf.tensor2d(logits.flat(), [rows, classes]);
  const indices = tf.tensor1d(labels, 'int32');
  const forms = { indices, rows: tf.oneHot(indices, classes) };
  const kinds = [];
  for (const [form, y] of Object.entries(forms)) {
    const { value, grad } = tf.valueAndGrad((x) => losses.exactSoftmaxFocalLoss(x, y, { gamma }))(
      x,
      tf.ones([rows]),
    );
    const worst = { loss: new Worst(), gradient: new Worst(), others: new Worst() };
    kinds.push({ form, worst, loss: await value.data(), gradient: await grad.data() });
    tf.dispose([value, grad]);
  }
  tf.dispose([x, forms]);

  const smallest = classes * SMALLEST_NORMAL;
  logits.forEach((row, i) => {
    const truth = losses.multiclassFocalLoss(row, labels[i], { gamma });
    const at = () => ({ gamma, classes, label: labels[i], logits: row.slice(0, 8) });
    const largest = row.reduce((a, b, j) => (j === labels[i] ? a : Math.max(a, b)), -Infinity);
    for (const { worst, loss, gradient } of kinds) {
      worst.loss.add(loss[i], truth.loss, at, smallest);
      for (let j = 0; j < classes; j++) {
        const [found, expected] = [gradient[i * classes + j], truth.gradient[j]];
        if (j === labels[i]) worst.gradient.add(found, expected, at, smallest);
        else {
          const allowed = (largest - row[j]) / 2;
          const unit = 2 ** (Math.floor(Math.log2(Math.abs(expected))) - 23);
          const error = found - expected;
          const beyond = Math.sign(error) * Math.max(0, Math.abs(error) - allowed * unit);
          worst.others.add(expected + beyond, expected, at, smallest);
        }
      }
    }
  });
  return Object.fromEntries(kinds.map(({ form, worst }) => [form, worst]));
}

/**
 * The largest errors over several gammas, for each range of them.
 * @param ranges  the gammas by the name of their range
 * @param count  of logits per gamma and label; of rows, a number that makes about as much work
 * @returns by range { 'binary loss': { error, at }, 'softmax indices others': ..., ... }
 */
export async function largestErrors(subject, ranges, { count, classes }) {
  const rows = (size) => Math.max(100, Math.min(count / 10, Math.round(count / (4 * size))));
  const byRange = {};
  for (const [range, gammas] of Object.entries(ranges)) {
    const largest = (byRange[range] = {});
    const add = (kind, worst) => {
      for (const [part, found] of Object.entries(worst)) {
        const name = `${kind} ${part}`;
        if (!(largest[name]?.error >= found.error)) largest[name] = { ...found };
      }
    };
    for (const [i, gamma] of gammas.entries()) {
      add('binary', await binaryErrors(subject, { gamma, count, seed: 1 + i }));
      for (const size of classes) {
        const how = { classes: size, gamma, rows: rows(size), seed: 1 + i };
        for (const [form, worst] of Object.entries(await softmaxErrors(subject, how)))
          add(`softmax ${form}`, worst);
      }
    }
  }
  return byRange;
}

/** JSON in which Infinity is the word. */
export const asJson = (found) =>
  JSON.stringify(found, (_, value) => (value === Infinity ? 'Infinity' : value));
