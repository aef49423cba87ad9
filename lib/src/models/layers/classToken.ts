import { tf } from '../../tf';
import { seededInitializers } from './initializers';

export interface ClassTokenConfig {
  name?: string;
  seed?: number;
}

/**
 * Puts a learned class token before the others and adds a learned position to each:
 * [n, tokens, width] -> [n, 1 + tokens, width]. They start as N(0, 1e-12) and N(0, 0.02^2), as in timm.
 *
 * @see Dosovitskiy et al. 2021, eq. 1
 */
export class AddClassTokenAndPositions extends tf.layers.Layer {
  static readonly className = 'AddClassTokenAndPositions';
  private readonly config: { seed?: number };
  private classToken!: tf.LayerVariable;
  private positions!: tf.LayerVariable;

  constructor({ seed, ...layer }: ClassTokenConfig = {}) {
    super(layer);
    this.config = { seed };
  }

  override build(inputShape: tf.Shape): void {
    const [, tokens, width] = inputShape as number[];
    const start = seededInitializers(this.config.seed);
    this.classToken = this.addWeight('class_token', [1, 1, width], 'float32', start.normal(1e-6));
    this.positions = this.addWeight('positions', [1, 1 + tokens, width], 'float32', start.normal(0.02));
    super.build(inputShape);
  }

  override computeOutputShape([n, tokens, width]: number[]): tf.Shape {
    return [n, 1 + tokens, width];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x] = [inputs].flat() as tf.Tensor3D[];
      const [n, , width] = x.shape;
      const classTokens = tf.add(tf.zeros([n, 1, width]), this.classToken.read());
      return tf.add(tf.concat([classTokens, x], 1), this.positions.read());
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }
}
tf.serialization.registerClass(AddClassTokenAndPositions);

/** The first of the tokens: [n, tokens, width] -> [n, width]. */
export class TakeClassToken extends tf.layers.Layer {
  static readonly className = 'TakeClassToken';

  override computeOutputShape([n, , width]: number[]): tf.Shape {
    return [n, width];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x] = [inputs].flat() as tf.Tensor3D[];
      const [n, , width] = x.shape;
      return tf.reshape(tf.slice(x, [0, 0, 0], [n, 1, width]), [n, width]);
    });
  }
}
tf.serialization.registerClass(TakeClassToken);
