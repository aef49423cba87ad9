"""focal_loss_jax.py against 50 digits, and what one expects of a function of JAX."""

import math
import os
import sys
import unittest
from pathlib import Path

os.environ['JAX_PLATFORMS'] = 'cpu'
os.environ['JAX_ENABLE_X64'] = '1'
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import jax.numpy as jnp
import numpy as np
import reference
from focal_loss_jax import sigmoid_focal_loss, softmax_focal_loss
from reference import FAR, GAMMAS, MARGINS

INF, NAN = math.inf, math.nan
SMALLEST = 2.0**-120  # float32 has all its digits above
ULP = 2.0**-23
WAYS = {'eager': lambda f: f, 'jit': jax.jit}


def differentiated(loss_of, values, dtype='float32', way='jit'):
    def both(x):
        loss, pull_back = jax.vjp(loss_of, x)
        return loss, pull_back(jnp.ones_like(loss))[0]

    return [np.asarray(part) for part in WAYS[way](both)(jnp.asarray(values, dtype))]


class Binary(unittest.TestCase):
    def test_loss_and_gradient_in_float32_are_within_8_plus_5_gamma_units_in_the_last_place(self):
        for way in WAYS:
            for gamma in GAMMAS:
                exact = [reference.binary(z, gamma) for z in MARGINS]
                for label in (1, 0, 1.0, 0.0):
                    sign = 2 * label - 1
                    labels = np.full(len(MARGINS), label)
                    loss, gradient = differentiated(
                        lambda x: sigmoid_focal_loss(x, labels, None, gamma), [sign * z for z in MARGINS], way=way
                    )
                    bound = (8 + 5 * gamma) * ULP
                    case = (way, gamma, label)
                    self.assertEqual(loss.dtype, np.float32)
                    self.assertLess(reference.worst(loss.tolist(), [e[0] for e in exact], SMALLEST), bound, case)
                    slopes = (sign * gradient).tolist()
                    self.assertLess(reference.worst(slopes, [e[1] for e in exact], SMALLEST), bound, case)

    def test_float64_stays_float64_and_the_hessian_is_the_second_derivative(self):
        for gamma in GAMMAS:
            exact = [reference.binary(z, gamma) for z in MARGINS]
            x = jnp.asarray(MARGINS)
            of_one = lambda z: sigmoid_focal_loss(z, jnp.ones((), 'int32'), None, gamma)
            found = [jax.vmap(f)(x) for f in (of_one, jax.grad(of_one), jax.hessian(of_one))]
            self.assertEqual(found[0].dtype, np.float64)
            for i in (0, 1):
                self.assertLess(reference.worst(found[i].tolist(), [e[i] for e in exact], 1e-300), 2e-14)
            for z, curvature, (_, _, expected) in zip(MARGINS, found[2].tolist(), exact, strict=True):
                scale = abs(expected) + (math.exp(z) if z < 0 else 0)  # it changes its sign at a hard example
                self.assertAlmostEqual(curvature, expected, delta=2e-14 * scale, msg=(z, gamma))

    def test_it_is_finite_at_every_finite_logit(self):
        values = [s * z for z in FAR + MARGINS for s in (1, -1)] + [3e38, -3e38]
        for gamma in GAMMAS:
            for label in (1, 0, 0.3):
                labels = np.full(len(values), label)
                found = differentiated(lambda x: sigmoid_focal_loss(x, labels, 0.25, gamma), values)
                self.assertTrue(np.isfinite(found).all(), (gamma, label))

    def test_a_hopeless_logit_of_minus_infinity_has_gradient_minus_1(self):
        for label, sign in ((1, 1), (0, -1), (1.0, 1), (0.0, -1)):
            labels = np.full(2, label)
            loss, gradient = differentiated(
                lambda x: sigmoid_focal_loss(x, labels, None, 0.5), [-sign * INF, sign * INF]
            )
            self.assertEqual((loss.tolist(), gradient.tolist()), ([INF, 0], [-sign, 0]))

    def test_a_soft_label_is_the_mixture_of_the_hard_ones(self):
        _, gradient = differentiated(lambda x: sigmoid_focal_loss(x, jnp.array([0.9]), None, 0.5), [5.0])
        self.assertAlmostEqual(gradient.item(), 0.099929244, delta=1e-7)

    def test_what_is_no_label_has_loss_nan_and_what_is_left_out_0(self):
        for bad in (255, 2, -1, 1.5, NAN):
            labels = jnp.asarray([1, bad])
            self.assertEqual(jnp.isnan(sigmoid_focal_loss(jnp.zeros(2), labels)).tolist(), [False, True])
            loss, gradient = differentiated(
                lambda x: sigmoid_focal_loss(x, labels, where=jnp.array([True, False])), [0, NAN]
            )
            self.assertEqual((loss[1], gradient[1]), (0, 0))

    def test_half_precision_is_computed_in_float32(self):
        for dtype in ('float16', 'bfloat16'):
            loss, gradient = differentiated(lambda x: sigmoid_focal_loss(x, np.array([1]), None, 0.5), [12.0], dtype)
            exact = reference.binary(12.0, 0.5)
            self.assertEqual((loss.dtype, gradient.dtype), (np.float32, jnp.dtype(dtype)))
            self.assertAlmostEqual(loss.item() / exact[0], 1, delta=1e-6)
            self.assertAlmostEqual(float(gradient[0]), exact[1], delta=1e-7)

    def test_other_shapes_and_parameters_are_refused(self):
        with self.assertRaisesRegex(ValueError, r'one shape, got \(3, 1\) and \(3,\)'):
            sigmoid_focal_loss(jnp.zeros((3, 1)), jnp.zeros(3))
        for change in ({'alpha': 1.5}, {'alpha': [0.25, 0.75]}, {'gamma': -1}, {'gamma': [1, 2]}, {'gamma': jnp.ones(3)}):
            with self.assertRaisesRegex(ValueError, f'{next(iter(change))} must be'):
                sigmoid_focal_loss(jnp.zeros(3), jnp.zeros(3), **change)


class Softmax(unittest.TestCase):
    def test_loss_and_gradient_in_float32_are_those_of_50_digits(self):
        for classes in (2, 3, 21, 1000):
            for logits in reference.rows(classes, 12 if classes < 100 else 3):
                gap = max(logits) - min(logits)
                for gamma in (0.0, 0.5, 2.0):
                    exact_loss, exact_slopes = reference.softmax(logits, 0, gamma)
                    if exact_loss < SMALLEST:
                        continue
                    for labels in (np.array([0]), np.eye(1, classes)):
                        loss, slopes = differentiated(
                            lambda x: softmax_focal_loss(x, labels, gamma=gamma), [logits], way='eager'
                        )
                        # z is rounded to ULP / 2 of the gap, and the loss goes as e^-(1 + gamma) z
                        bound = (8 + 5 * gamma + (1 + gamma) * gap) * ULP
                        self.assertLess(reference.worst(loss.tolist(), [exact_loss], SMALLEST), bound)
                        self.assertLess(reference.worst(slopes[0].tolist(), exact_slopes, SMALLEST), bound)

    def test_it_is_finite_for_every_gap(self):
        for gap in FAR:
            rows = [[gap, 0.0, 0.0], [-gap, 0.0, 0.0], [gap, gap, 0.0], [0.0, -gap, -INF]]
            for labels in (np.array([0, 0, 1, 1]), np.eye(3)[[0, 0, 1, 1]]):
                found = differentiated(lambda x: softmax_focal_loss(x, labels, gamma=0.5), rows)
                self.assertTrue(all(np.isfinite(part).all() for part in found), (gap, labels))

    def test_a_hopeless_example_has_its_whole_gradient(self):
        loss, gradient = differentiated(lambda x: softmax_focal_loss(x, np.array([1])), [[0, -20.0, 0]])
        self.assertAlmostEqual(loss.item(), 20.693147, delta=2e-6)
        self.assertEqual(gradient.round(6).tolist(), [[0.5, -1, 0.5]])

    def test_what_is_no_class_has_loss_nan_and_what_is_left_out_0(self):
        labels = jnp.array([0, 3, -1, 255])
        loss = softmax_focal_loss(jnp.zeros((4, 3)), labels, where=labels != 255)
        self.assertEqual(jnp.isnan(loss).tolist(), [False, True, True, False])
        self.assertEqual(loss[3], 0)

    def test_a_row_that_is_no_distribution_has_loss_nan(self):
        rows = jnp.array([[1, 0, 0], [1, 0, 1], [0, 0, 0], [0.3333, 0.3333, 0.3333]])
        for dtype in ('float32', 'bfloat16'):
            loss = jax.jit(softmax_focal_loss)(jnp.zeros((4, 3)), rows.astype(dtype))
            self.assertEqual(jnp.isnan(loss).tolist(), [False, True, True, False])

    def test_other_shapes_are_refused(self):
        with self.assertRaisesRegex(ValueError, r'class indices \(4,\), integer, or probabilities \(4, 3\), floating, got \(4, 1\), int32'):
            softmax_focal_loss(jnp.zeros((4, 3)), jnp.zeros((4, 1), 'int32'))
        with self.assertRaisesRegex(ValueError, r'alpha must be None, a number or 3 numbers, got \(2,\)'):
            softmax_focal_loss(jnp.zeros((4, 3)), jnp.zeros(4, 'int32'), alpha=[1, 2])
        for alpha in (-1, [1, -1, 1], [1, NAN, 1]):
            with self.assertRaisesRegex(ValueError, 'alpha must be finite and >= 0'):
                softmax_focal_loss(jnp.zeros((4, 3)), jnp.zeros(4, 'int32'), alpha=alpha)


if __name__ == '__main__':
    unittest.main()
