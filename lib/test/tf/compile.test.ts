import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile, exactSigmoidFocalLoss, sigmoidFocalLoss, tf } from 'focal-loss-lab';
import type { TensorFunction } from 'focal-loss-lab/dist/tf';
import { attribute, backend, rawOp } from 'focal-loss-lab/dist/tf/rawOps';

/** Tensors that TensorFlow holds, whatever JavaScript counts. */
const handles = () => (backend.binding as unknown as { getNumOfTensors(): number }).getNumOfTensors();

/** Calls a compiled function three times; the third call runs the graph. */
function thirdCall(f: TensorFunction, inputs: () => tf.Tensor[]): number[][] {
  const compiled = compile(f);
  try {
    return tf.tidy(() => {
      for (let call = 0; call < 2; call++) compiled(...inputs());
      return [compiled(...inputs())].flat().map((each) => Array.from(each.dataSync()));
    });
  } finally {
    compiled.dispose();
  }
}

/** What f is called with, each time. */
function counted<F extends TensorFunction>(f: F) {
  const calls = { count: 0 };
  const counting = ((...inputs: tf.Tensor[]) => {
    calls.count++;
    return f(...inputs);
  }) as F;
  return { counting, calls };
}

const x = tf.tensor2d([1, -2, 3, 0.5, 7, -0.25], [2, 3]);
const w = tf.tensor2d([0.1, 0.2, -0.3], [3, 1]);

describe('a compiled function', () => {
  test('gives the results of the function, a tensor or a list, and of its gradient', () => {
    const loss = (v: tf.Tensor) => tf.mean(tf.square(tf.matMul(x, v as tf.Tensor2D)));
    const gradient = (a: tf.Tensor, v: tf.Tensor) =>
      tf.grad((u) => tf.mean(tf.square(tf.matMul(a as tf.Tensor2D, u as tf.Tensor2D))))(v);
    const expected = tf.tidy(() => Array.from(tf.grad(loss)(w).dataSync()));
    assert.deepEqual(
      thirdCall(gradient, () => [x, w]),
      [expected],
    );
    const both = thirdCall(
      (a, v) => [tf.add(a, 1), tf.neg(v)],
      () => [x, w],
    );
    assert.deepEqual(
      both,
      tf.tidy(() => [tf.add(x, 1), tf.neg(w)].map((each) => Array.from(each.dataSync()))),
    );
  });

  test('is not called any more from the third call on, and again for each shape and dtype', () => {
    const { counting, calls } = counted((a) => tf.mul(a, 2));
    const compiled = compile(counting);
    const results = tf.tidy(() =>
      [x, x, x, x, w, w, w].map((input) => {
        assert.deepEqual(compiled(input).dataSync(), tf.mul(input, 2).dataSync());
        return calls.count;
      }),
    );
    assert.deepEqual(results, [1, 2, 2, 2, 3, 4, 4]);
    compiled.dispose();
  });

  test('takes the values of each call, not those of the recording', () => {
    const inputs = [1, 2, 3].map((value) => tf.scalar(value));
    const compiled = compile((a) => tf.mul(a, 10));
    const results = tf.tidy(() => inputs.map((input) => compiled(input).dataSync()[0]));
    assert.deepEqual(results, [10, 20, 30]);
    compiled.dispose();
  });

  test('tells the same tensor given twice from two of one shape', () => {
    const [one, two] = [tf.scalar(1), tf.scalar(2)];
    const compiled = compile((a, b) => tf.sub(a, b));
    tf.tidy(() => {
      for (let call = 0; call < 3; call++) assert.equal(compiled(one, one).dataSync()[0], 0);
      for (let call = 0; call < 3; call++) assert.equal(compiled(one, two).dataSync()[0], -1);
    });
    compiled.dispose();
  });

  test('may return an argument, and the same tensor twice, as tensors of their own', () => {
    const compiled = compile((a) => [a, a, tf.neg(a)]);
    for (let call = 0; call < 4; call++) {
      const results = compiled(x) as tf.Tensor[];
      assert.deepEqual(
        results.slice(0, 2).map((each) => each.dataSync()),
        [x.dataSync(), x.dataSync()],
      );
      assert.equal(new Set(results).size, 3);
      results[0].dispose();
      assert.deepEqual(results[1].dataSync(), x.dataSync());
      tf.dispose(results);
      assert.ok(!x.isDisposed);
    }
    compiled.dispose();
  });

  test('may return what it makes without an operation', () => {
    assert.deepEqual(thirdCall((a) => [tf.neg(a), tf.zeros([3]), tf.scalar(5)], () => [tf.scalar(1)]), [[-1], [0, 0, 0], [5]]); // prettier-ignore
  });

  test('that is disposed while it is recorded keeps nothing', () => {
    const compiled = compile((a) => {
      if (++calls === 2) compiled.dispose();
      return tf.neg(a);
    });
    let calls = 0;
    tf.tidy(() => {
      for (let call = 0; call < 2; call++) assert.equal(compiled(tf.scalar(1)).dataSync()[0], -1);
      assert.throws(() => compiled(tf.scalar(1)), /has been disposed/);
    });
  });

  test('makes a scalar from outside a constant', () => {
    const two = tf.scalar(2);
    assert.deepEqual(thirdCall((a) => tf.mul(a, two), () => [tf.scalar(3)]), [[6]]); // prettier-ignore
    two.add(0).dispose(); // sent to TensorFlow, it is one, too
    assert.deepEqual(thirdCall((a) => tf.mul(a, two), () => [tf.scalar(3)]), [[6]]); // prettier-ignore
  });

  test('runs the operations on a variable of TensorFlow in the recorded order', () => {
    const dtype = attribute.dtype('dtype', 'float32');
    const handle = tf.keep(
      rawOp(
        'VarHandleOp',
        [
          attribute.text('container', ''),
          attribute.text('shared_name', 'v'),
          dtype,
          attribute.shape('shape', []),
        ],
        [],
      ),
    );
    const add = (value: tf.Tensor) =>
      backend.executeMultipleOutputs('AssignAddVariableOp', [dtype], [handle, value], 0);
    backend.executeMultipleOutputs('AssignVariableOp', [dtype], [handle, tf.scalar(0)], 0);
    const compiled = compile((by) => {
      const before = rawOp('ReadVariableOp', [dtype], [handle]).add(0);
      add(by);
      add(by);
      return [before, rawOp('ReadVariableOp', [dtype], [handle]).add(0)];
    });
    const seen = tf.tidy(() =>
      [1, 1, 1, 1].flatMap((by) =>
        (compiled(tf.scalar(by), handle) as tf.Tensor[]).map((each) => each.dataSync()[0]),
      ),
    );
    assert.deepEqual(seen, [0, 2, 2, 4, 4, 6, 6, 8]);
    compiled.dispose();
    handle.dispose();
  });

  test('stays as it is with eager: true', () => {
    const { counting, calls } = counted((a) => tf.mul(a, 2));
    const compiled = compile(counting, { eager: true });
    tf.tidy(() => [x, x, x, x].map((input) => compiled(input)));
    assert.equal(calls.count, 4);
  });

  test('inside another is a part of it', () => {
    const inner = compile((a) => tf.mul(a, 2));
    assert.deepEqual(thirdCall((a) => tf.add(inner(a), 1), () => [tf.scalar(3)]), [[7]]); // prettier-ignore
  });
});

describe('memory', () => {
  test('stays flat over 1,000 calls, and every call but its results is freed', () => {
    const compiled = compile((a) => [tf.mean(tf.square(a)), tf.neg(a)]);
    const call = () => tf.dispose(compiled(x));
    for (let i = 0; i < 3; i++) call();
    const before = [tf.memory().numTensors, handles()];
    for (let i = 0; i < 1000; i++) call();
    assert.deepEqual([tf.memory().numTensors, handles()], before);
    compiled.dispose();
  });

  test('of an eager function, too', () => {
    const compiled = compile((a) => tf.mean(tf.square(a)), { eager: true });
    const before = tf.memory().numTensors;
    for (let i = 0; i < 5; i++) compiled(x).dispose();
    assert.equal(tf.memory().numTensors, before);
  });

  test('of 200 functions made and disposed grows by less than a megabyte each', () => {
    const once = (i: number) => thirdCall((a) => tf.mul(a, i), () => [x]); // prettier-ignore
    once(-1);
    const [tensors, bytes] = [tf.memory().numTensors, process.memoryUsage().rss];
    for (let i = 0; i < 200; i++) once(i);
    assert.equal(tf.memory().numTensors, tensors);
    assert.ok(process.memoryUsage().rss - bytes < 200e6);
  });

  test('holds the graphs of 8 shapes: the one unused for longest is recorded again', () => {
    const { counting, calls } = counted((a) => tf.neg(a));
    const compiled = compile(counting);
    const callAt = (length: number) =>
      tf.tidy(() => {
        for (let i = 0; i < 3; i++) compiled(tf.ones([length]));
      });
    for (let length = 1; length <= 9; length++) callAt(length);
    assert.equal(calls.count, 18);
    callAt(9);
    assert.equal(calls.count, 18);
    callAt(1);
    assert.equal(calls.count, 20);
    compiled.dispose();
  });
});

describe('what cannot be compiled is refused, with the reason', () => {
  const outer = tf.tensor1d([1, 2, 3]);
  const variable = tf.variable(tf.scalar(1));
  const unsent = tf.variable(tf.scalar(2));
  const word = tf.scalar('b');
  tf.tidy(() => tf.equal(word, tf.scalar('a'))); // sent to TensorFlow
  let count = 0;
  const cases: [string, TensorFunction, RegExp][] = [
    ['a variable from outside by another name', (a) => tf.add(a, variable.clone()), /uses the variable /],
    ['and reshaped', (a) => tf.add(a, variable.reshape([1])), /uses the variable /],
    ['a value that was never sent to TensorFlow', (a) => tf.mul(a, unsent.dataSync()[0]), /it reads values/],
    [
      'a string from outside',
      (a) => {
        tf.tidy(() => tf.equal(word, word));
        return tf.neg(a);
      },
      /tensor of strings/,
    ],
    [
      'another output of the same operations',
      (a) => {
        const results = [tf.neg(a), tf.sqrt(a)];
        return results[count++ % 2];
      },
      /returns something else than its first/,
    ],
    [
      'a list in place of a tensor',
      (a) => {
        const result = tf.neg(a);
        return count++ % 2 ? [result] : result;
      },
      /returns something else than its first/,
    ],
    [
      'a variable of TensorFlow that it makes',
      () => {
        const text = (name: string) => attribute.text(name, 'made');
        const type = attribute.dtype('dtype', 'float32');
        return rawOp(
          'VarHandleOp',
          [text('container'), text('shared_name'), type, attribute.shape('shape', [])],
          [],
        );
      },
      /makes a handle of one of TensorFlow's variables/,
    ],
    ['nothing', ((a: tf.Tensor) => void tf.neg(a)) as unknown as TensorFunction, /got undefined/],
    ['an empty list', () => [], /got an empty list/],
    ['a tensor from outside', (a) => tf.add(a, outer), /shape \[3\] from outside: give it as an argument/],
    [
      'a variable from outside',
      (a) => tf.add(a, variable),
      /uses the variable .*, which is not among its arguments/,
    ],
    [
      'a random number',
      (a) => tf.add(a, Math.random()),
      /second call does something else .* from operation n1_Const on/,
    ],
    ['dropout', (a) => tf.dropout(a, 0.5), /second call does something else/],
    ['a counter', (a) => (count++ % 2 === 0 ? tf.neg(a) : tf.sqrt(a)), /from operation n1_(Neg|Sqrt) on/],
    ['a value read in the middle', (a) => tf.mul(a, a.max().dataSync()[0]), /it reads values/],
    ['an argument that is read', (a) => tf.mul(a, a.dataSync()[0]), /it reads values/],
    [
      'strings',
      (a) => tf.tidy(() => (tf.equal(tf.tensor1d(['a']), tf.tensor1d(['b'])), tf.neg(a))),
      /tensor of strings/,
    ],
    ['a promise', (async (a: tf.Tensor) => Promise.resolve(a)) as unknown as TensorFunction, /got a promise/],
    [
      'a number',
      (() => 3) as unknown as TensorFunction,
      /must return a tensor or a list of tensors, got number/,
    ],
  ];
  for (const [name, f, message] of cases)
    test(name, () => {
      const before = tf.memory().numTensors;
      assert.throws(() => thirdCall(f, () => [tf.ones([3])]), message);
      assert.equal(tf.memory().numTensors, before);
    });

  test('and what is outside stays there', () => {
    for (const result of [outer, variable]) {
      assert.throws(() => thirdCall(() => result, () => [x]), /from outside|variable/); // prettier-ignore
      assert.ok(!result.isDisposed);
    }
    const compiled = compile(() => tf.zeros([]), { eager: true });
    assert.throws(() => compile((() => 3) as unknown as TensorFunction, { eager: true })(), /got number/);
    compiled().dispose();
  });

  test('a call after dispose()', () => {
    const compiled = compile((a) => tf.neg(a));
    compiled.dispose();
    assert.throws(() => compiled(x), /^Error: compile: this function has been disposed/);
  });

  test('an argument that is not a tensor', () => {
    const compiled = compile((a) => tf.neg(a));
    assert.throws(
      () => compiled(3 as unknown as tf.Tensor),
      /^TypeError: compile: argument 0 must be a tensor, got number/,
    );
  });

  test('differentiation of a compiled function', () => {
    const compiled = compile((a) => tf.square(a));
    assert.throws(() => tf.grad((a) => compiled(a))(x), /cannot be differentiated/);
  });

  test('or, with onEager, left as it is, and said once', () => {
    const reasons: string[] = [];
    const { counting, calls } = counted((a) => tf.add(a, Math.random()));
    const compiled = compile(counting, { onEager: (reason) => reasons.push(reason) });
    tf.tidy(() => {
      for (let call = 0; call < 5; call++) assert.equal(compiled(x).size, 6);
    });
    assert.equal(calls.count, 5);
    assert.equal(reasons.length, 1);
  });

  test('but a value read for a check is not', () => {
    const checked: TensorFunction = (a) => {
      tf.tidy('check', () => {
        if (a.dataSync()[0] < 0) throw new RangeError('negative');
      });
      return tf.sqrt(a);
    };
    assert.deepEqual(thirdCall(checked, () => [tf.scalar(4)]), [[2]]); // prettier-ignore
  });

  test('TensorFlow’s message names the operation that fails', () => {
    const compiled = compile((a) => rawOp('CheckNumerics', [attribute.dtype('T', 'float32'), attribute.text('message', 'seen')], [tf.log(a)])); // prettier-ignore
    tf.tidy(() => {
      for (let call = 0; call < 3; call++) compiled(tf.scalar(1));
    });
    assert.throws(() => tf.tidy(() => compiled(tf.scalar(0))), /seen[\s\S]*n\d+_CheckNumerics/);
    compiled.dispose();
  });
});

describe('inside a compiled function', () => {
  /** Gradients at several logits, from the graph. */
  const gradients = (loss: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor, logits: number[], label: number) => {
    const y = () => tf.fill([logits.length], label);
    const f: TensorFunction = (a, b) => tf.grad((v) => tf.sum(loss(v, b)))(a);
    return thirdCall(f, () => [tf.tensor1d(logits), y()])[0];
  };
  for (const gamma of [0.1, 0.5, 0.9])
    test(`the textbook loss goes NaN at 16.64 and -17.33, as outside (gamma ${gamma})`, () => {
      const textbook = (a: tf.Tensor, b: tf.Tensor) => sigmoidFocalLoss(a, b, { gamma });
      const one = gradients(textbook, [16.63, 16.64, 17], 1);
      assert.deepEqual(one.map(Number.isNaN), [false, true, true]); // 24 ln 2 = 16.6355
      const zero = gradients(textbook, [-17.32, -17.33, -18], 0);
      assert.deepEqual(zero.map(Number.isNaN), [false, true, true]); // 25 ln 2 = 17.3287
    });

  test('the exact loss has the bits that it has outside', () => {
    const logits = Array.from({ length: 2000 }, (_, i) => (i - 1000) / 20);
    for (const gamma of [0.1, 0.5, 0.9, 2]) {
      const exact = (a: tf.Tensor, b: tf.Tensor) => exactSigmoidFocalLoss(a, b, { gamma });
      const outside = tf.tidy(() =>
        Array.from(
          tf
            .grad((v: tf.Tensor) => tf.sum(exact(v, tf.ones([logits.length]))))(tf.tensor1d(logits))
            .dataSync(),
        ),
      );
      assert.deepEqual(gradients(exact, logits, 1), outside);
    }
  });
});
