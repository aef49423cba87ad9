import { tf } from '../../tf';
import { consume } from '../../tf/consume';
import { differentiable } from './differentiable';
import { seededInitializers } from './initializers';
import { linear } from './linear';
import { normLinear } from './normLinear';

export interface NormSelfAttentionConfig {
  name?: string;
  /** Number of heads; divides the width of the tokens. */
  heads: number;
  seed?: number;
}

/**
 * Layer normalization and multi-head self-attention, [n, tokens, width] -> [n, tokens, width]:
 *
 *   q, k, v = norm(x) W_qkv + b_qkv        norm as in NormLinear; each split into heads of width d = width / heads
 *   y = concat over heads of softmax(q k^T / sqrt d) v
 *   output = y W_out + b_out
 *
 * gamma starts as 1, weights as N(0, 0.02^2), beta and biases as 0, as in timm's vision transformers.
 *
 * @see Vaswani et al. 2017, section 3.2
 */
export class NormSelfAttention extends tf.layers.Layer {
  static readonly className = 'NormSelfAttention';
  private readonly config: { heads: number; seed?: number };
  private gamma!: tf.LayerVariable;
  private beta!: tf.LayerVariable;
  private qkvKernel!: tf.LayerVariable;
  private qkvBias!: tf.LayerVariable;
  private outKernel!: tf.LayerVariable;
  private outBias!: tf.LayerVariable;

  constructor({ heads, seed, ...layer }: NormSelfAttentionConfig) {
    super(layer);
    this.config = { heads, seed };
  }

  override build(inputShape: tf.Shape): void {
    const { heads, seed } = this.config;
    const width = inputShape[2] as number;
    if (width % heads !== 0)
      throw new RangeError(`NormSelfAttention: heads is ${heads}; expected a divisor of the width, ${width}`);
    const start = seededInitializers(seed);
    const zeros = tf.initializers.zeros();
    this.gamma = this.addWeight('gamma', [width], 'float32', tf.initializers.ones());
    this.beta = this.addWeight('beta', [width], 'float32', zeros);
    this.qkvKernel = this.addWeight('qkv_kernel', [width, 3 * width], 'float32', start.normal(0.02));
    this.qkvBias = this.addWeight('qkv_bias', [3 * width], 'float32', zeros);
    this.outKernel = this.addWeight('out_kernel', [width, width], 'float32', start.normal(0.02));
    this.outBias = this.addWeight('out_bias', [width], 'float32', zeros);
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x] = [inputs].flat() as tf.Tensor3D[];
      const norm = { gamma: this.gamma.read(), beta: this.beta.read() };
      const scale = this.scaleOfQueries(x.shape[2]);
      const qkv = normLinear(
        x,
        norm,
        tf.mul(this.qkvKernel.read(), scale),
        tf.mul(this.qkvBias.read(), scale),
      );
      return linear(attention(qkv, this.config.heads), this.outKernel.read(), this.outBias.read());
    });
  }

  /** 1 / sqrt d for the columns of q, 1 for those of k and v: to scale the weights is less work than to scale q. */
  private scaleOfQueries(width: number): tf.Tensor {
    const d = width / this.config.heads;
    return tf.concat([tf.fill([width], 1 / Math.sqrt(d)), tf.ones([2 * width])]);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }
}
tf.serialization.registerClass(NormSelfAttention);

/**
 * softmax(q k^T) v of each head, for q, k, v in qkv [n, tokens, 3 width]. With S = q k^T, P its softmax and y = P v:
 *
 *   dv = P^T dy        dP = dy v^T
 *   dS = P (dP - rowSum(dP P)) = P (dP - rowSum(dy y))
 *   dq = dS k          dk = dS^T q
 */
function attention(qkv: tf.Tensor, heads: number): tf.Tensor {
  const [n, tokens, width3] = qkv.shape;
  const width = width3 / 3;
  const d = width / heads;

  /** [n, tokens, 3 width] -> q, k, v of shape [n, heads, tokens, d]; and back */
  const split = (qkv: tf.Tensor) =>
    tf
      .split(tf.transpose(tf.reshape(qkv, [n, tokens, 3, heads, d]), [2, 0, 3, 1, 4]), 3)
      .map((part) => tf.reshape(part, [n, heads, tokens, d]));
  const join = (parts: tf.Tensor[]) =>
    tf.reshape(tf.transpose(tf.stack(parts), [1, 3, 0, 2, 4]), [n, tokens, width3]);
  /** [n, heads, tokens, d] -> [n, tokens, width]; and back */
  const joinHeads = (y: tf.Tensor) => tf.reshape(tf.transpose(y, [0, 2, 1, 3]), [n, tokens, width]);
  const splitHeads = (y: tf.Tensor) => tf.transpose(tf.reshape(y, [n, tokens, heads, d]), [0, 2, 1, 3]);

  const attend = (qkv: tf.Tensor, softmax: (x: tf.Tensor) => tf.Tensor) => {
    const [q, k, v] = split(qkv);
    const p = softmax(tf.matMul(q, k, false, true));
    const y = tf.matMul(p, v);
    return { value: joinHeads(y), kept: [q, k, v, p, y] };
  };
  return differentiable(
    {
      forward: (qkv) => attend(qkv, tf.softmax),
      gradient: (dOut, _, [q, k, v, p, y]) => {
        const dy = splitHeads(dOut);
        const rowSums = consume(tf.mul(dy, y), (dyY) => tf.sum(dyY, -1, true));
        const difference = consume(tf.matMul(dy, v, false, true), (dp) => tf.sub(dp, rowSums));
        const ds = consume(difference, (d) => tf.mul(p, d));
        const parts = [tf.matMul(ds, k), tf.matMul(ds, q, true, false), tf.matMul(p, dy, true, false)];
        return [join(parts)];
      },
      composed: (qkv) => attend(qkv, softmaxOfInputs).value,
    },
    qkv,
  );
}

/**
 * Softmax over the last axis in operations whose gradients are made of their inputs only. tf.softmax and tf.exp reuse
 * their outputs, and tfjs loses these when it differentiates a second time: the result would be silently wrong.
 */
function softmaxOfInputs(x: tf.Tensor): tf.Tensor {
  const largest = tf.tensor(tf.max(x, -1, true).arraySync()); // a constant: softmax does not depend on it
  const e = tf.add(tf.expm1(tf.sub(x, largest)), 1);
  return tf.div(e, tf.sum(e, -1, true));
}
