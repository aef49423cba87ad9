import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(__dirname, '..', '..', '..', 'test', 'fixtures'); // from lib/dist/test/losses

/** 50-digit values by scripts/fixtures/exact_focal_loss.py: unweighted, for label 1 (signed logits). */
export const exact: {
  logits: number[];
  cases: { gamma: number; loss: number[]; gradient: number[] }[];
} = JSON.parse(readFileSync(join(FOLDER, 'exact-focal-loss.json'), 'utf8'));

interface TorchCase {
  gamma: number;
  epsilon: number;
  label: number;
  loss: number[];
  gradient: number[];
}

/** PyTorch's float32 values by scripts/fixtures/torch_focal_loss.py. */
export const torch: {
  alpha: number;
  /** |x| of the first NaN gradient of an easy sample; null if there is none. */
  firstNan: { gamma: number; label: 0 | 1; logit: number | null }[];
  logits: number[];
  cases: TorchCase[];
} = JSON.parse(
  readFileSync(join(FOLDER, 'torch-focal-loss.json'), 'utf8'),
  (key, value) => (key === 'loss' || key === 'gradient' ? value.map(Number) : value), // 'NaN', 'Infinity'
);

/** 50-digit values by scripts/fixtures/softmax_focal_loss.py: unweighted. */
export const softmax: {
  rows: { logits: number[]; label: number }[];
  cases: { row: number; gamma: number; loss: number; gradient: number[] }[];
} = JSON.parse(readFileSync(join(FOLDER, 'softmax-focal-loss.json'), 'utf8'));

/** Second derivatives by numerical differentiation at 120 digits, of the same script: unweighted, by the margin. */
export const secondDerivative: {
  logits: number[];
  cases: { gamma: number; epsilon: number; values: number[] }[];
} = JSON.parse(readFileSync(join(FOLDER, 'second-derivative.json'), 'utf8'));
