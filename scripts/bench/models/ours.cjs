// Times training steps of this library, as train() makes them. Arguments: 'compiled' or 'eager', task; see rounds.mjs.
const fs = require('node:fs');
const lab = require('focal-loss-lab');
const { Trainer } = require('focal-loss-lab/dist/training/step.js');

const { tf } = lab;
const [mode, task] = process.argv.slice(2);
const { work, warmUp, steps } = JSON.parse(task);
const { size, channels } = work.options;
const model = lab[work.model]({ ...work.options, seed: 1 });
const loss = (logits, labels) =>
  lab.stabilizedSigmoidFocalLoss(logits, labels, {
    alpha: 0.5,
    gamma: 0.5,
    epsilon: 1e-3,
    reduction: 'mean',
  });
const eager = mode === 'eager';
const trainer = new Trainer(model, loss, { learningRate: 0.01, momentum: 0.9, eager });

const input = tf.randomUniform([work.batch, size, size, channels], 0, 1, 'float32', 1);
// A label per logit: of a segmentation whether the pixel is bright, of a classification every other one.
const target =
  work.model === 'unet'
    ? tf.greater(input, 0.5).toFloat()
    : tf.tensor1d(Array.from({ length: work.batch }, (_, i) => i % 2));

const cpuTime = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const ms = [];
const cpuMs = [];
for (let step = 0; step < warmUp + steps; step++) {
  const [start, cpuStart] = [performance.now(), cpuTime()];
  const { notFinite } = trainer.step({ input, target });
  if (notFinite) throw new Error(`step ${step}: not finite: ${notFinite}`);
  if (step < warmUp) continue;
  ms.push(performance.now() - start);
  cpuMs.push(cpuTime() - cpuStart);
}
const peak = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'));
console.log(JSON.stringify({ ms, cpuMs, rssMB: Number(peak[1]) / 1024 }));
