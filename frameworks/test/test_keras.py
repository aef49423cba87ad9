"""focal_loss_keras.py against 50 digits, and what one expects of a loss of Keras."""

import math
import os
import sys
import tempfile
import unittest
from pathlib import Path

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ['CUDA_VISIBLE_DEVICES'] = '-1'
os.environ['KERAS_BACKEND'] = 'tensorflow'
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras
import numpy as np
import reference
import tensorflow as tf
from focal_loss_keras import BinaryFocalLoss, SoftmaxFocalLoss, sigmoid_focal_loss, softmax_focal_loss
from reference import FAR, GAMMAS, MARGINS

tf.get_logger().setLevel('ERROR')
INF, NAN = math.inf, math.nan
SMALLEST = 2.0**-120  # float32 has all its digits above
ULP = 2.0**-23
WAYS = {'eager': lambda f: f, 'graph': tf.function, 'XLA': tf.function(jit_compile=True)}
TRIED = {'eager': GAMMAS, 'graph': [0.5], 'XLA': [0.0, 0.5, 2.0]}  # each is compiled again


def differentiated(loss_of, values, dtype='float32', way='eager'):
    @WAYS[way]
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = loss_of(x)
        return loss, tape.gradient(loss, x)

    loss, gradient = step(tf.constant(values, dtype))
    return loss.numpy(), gradient.numpy()


class Binary(unittest.TestCase):
    def test_loss_and_gradient_in_float32_are_within_8_plus_5_gamma_units_in_the_last_place(self):
        for way, gammas in TRIED.items():
            for gamma in gammas:
                exact = [reference.binary(z, gamma) for z in MARGINS] * 2
                signs = np.repeat([1, -1], len(MARGINS))
                for dtype in ('int32', 'float32'):
                    labels = tf.constant(signs > 0, dtype)
                    loss, gradient = differentiated(
                        lambda x: sigmoid_focal_loss(labels, x, None, gamma), signs * (MARGINS * 2), way=way
                    )
                    bound = (8 + 5 * gamma) * ULP
                    case = (way, gamma, dtype)
                    self.assertLess(reference.worst(loss.tolist(), [e[0] for e in exact], SMALLEST), bound, case)
                    slopes = (signs * gradient).tolist()
                    self.assertLess(reference.worst(slopes, [e[1] for e in exact], SMALLEST), bound, case)

    def test_a_gamma_that_float32_does_not_hold_may_cost_its_rounding_times_the_margin(self):
        for gamma in (1.2, 2.6, 4.3):
            exact = [reference.binary(z, gamma) for z in MARGINS]
            ones = tf.ones(len(MARGINS))
            loss, gradient = differentiated(lambda x: sigmoid_focal_loss(ones, x, None, gamma), MARGINS)
            bound = (8 + 5 * gamma) * ULP + abs(gamma - float(np.float32(gamma))) * max(MARGINS)
            self.assertLess(reference.worst(loss.tolist(), [e[0] for e in exact], SMALLEST), bound, gamma)
            self.assertLess(reference.worst(gradient.tolist(), [e[1] for e in exact], SMALLEST), bound, gamma)

    def test_float64_stays_float64_second_derivative_included(self):
        for gamma in GAMMAS:
            exact = [reference.binary(z, gamma) for z in MARGINS]
            x = tf.constant(MARGINS, tf.float64)
            with tf.GradientTape() as outer:
                outer.watch(x)
                with tf.GradientTape() as inner:
                    inner.watch(x)
                    loss = sigmoid_focal_loss(tf.ones(len(MARGINS), tf.int32), x, None, gamma)
                gradient = inner.gradient(loss, x)
            curvature = outer.gradient(gradient, x)
            self.assertEqual(loss.dtype, tf.float64)
            for i, found in enumerate((loss, gradient)):
                self.assertLess(reference.worst(found.numpy().tolist(), [e[i] for e in exact], 1e-300), 1e-14)
            for z, found, (_, _, expected) in zip(MARGINS, curvature.numpy(), exact, strict=True):
                scale = abs(expected) + (math.exp(z) if z < 0 else 0)  # it changes its sign at a hard example
                self.assertAlmostEqual(found, expected, delta=2e-14 * scale, msg=(z, gamma))

    def test_it_is_finite_at_every_finite_logit(self):
        values = [s * z for z in FAR + MARGINS for s in (1, -1)] + [3e38, -3e38]
        for way, gammas in TRIED.items():
            for gamma in gammas:
                for labels in (np.repeat([1, 0], len(values)), np.full(2 * len(values), 0.3, 'f')):
                    found = differentiated(lambda x: sigmoid_focal_loss(labels, x, 0.25, gamma), values * 2, way=way)
                    self.assertTrue(np.isfinite(found).all(), (way, gamma, labels[0]))

    def test_a_hopeless_logit_of_minus_infinity_has_gradient_minus_1(self):
        for label, sign in ((1, 1), (0, -1), (1.0, 1), (0.0, -1)):
            loss, gradient = differentiated(
                lambda x: sigmoid_focal_loss(tf.fill([2], label), x, None, 0.5), [-sign * INF, sign * INF]
            )
            self.assertEqual((loss.tolist(), gradient.tolist()), ([INF, 0], [-sign, 0]))

    def test_a_soft_label_is_the_mixture_of_the_hard_ones(self):
        _, gradient = differentiated(lambda x: sigmoid_focal_loss([0.9], x, None, 0.5), [5.0])
        self.assertAlmostEqual(gradient.item(), 0.099929244, delta=1e-7)

    def test_what_is_no_label_has_loss_nan(self):
        for bad in (255, 2, -1, 1.5, NAN):
            loss = sigmoid_focal_loss(tf.constant([1, bad]), tf.zeros(2))
            self.assertEqual(np.isnan(loss).tolist(), [False, True], bad)

    def test_half_precision_is_computed_in_float32(self):
        for dtype in ('float16', 'bfloat16'):
            loss, gradient = differentiated(lambda x: sigmoid_focal_loss([1], x, None, 0.5), [12.0], dtype)
            exact = reference.binary(12.0, 0.5)
            self.assertEqual((loss.dtype, gradient.dtype), (np.float32, tf.as_dtype(dtype).as_numpy_dtype))
            self.assertAlmostEqual(loss.item() / exact[0], 1, delta=1e-6)
            self.assertAlmostEqual(float(gradient[0]), exact[1], delta=1e-7)

    def test_other_shapes_and_parameters_are_refused(self):
        with self.assertRaisesRegex(ValueError, r'one shape, got \(3,\) and \(3, 1\)'):
            sigmoid_focal_loss(tf.zeros(3), tf.zeros([3, 1]))
        for change in ({'alpha': 1.5}, {'alpha': [0.25, 0.75]}, {'gamma': -1}, {'gamma': [1, 2]}, {'gamma': tf.ones(3)}):
            with self.assertRaisesRegex(ValueError, f'sigmoid_focal_loss: {next(iter(change))} must be'):
                sigmoid_focal_loss(tf.zeros(3), tf.zeros(3), **change)
        with self.assertRaisesRegex(ValueError, 'must be floating, got int32'):
            sigmoid_focal_loss(tf.zeros(3), tf.zeros(3, tf.int32))


class Softmax(unittest.TestCase):
    def test_loss_and_gradient_in_float32_are_those_of_50_digits(self):
        for way, sizes in {'eager': (2, 3, 21, 1000), 'XLA': (3,)}.items():
            for classes in sizes:
                rows = list(reference.rows(classes, 12 if way == 'eager' and classes < 100 else 2))
                for gamma in (0.0, 0.5, 2.0):
                    for labels in (np.zeros(len(rows), 'i'), np.eye(1, classes, dtype='f').repeat(len(rows), 0)):
                        losses, slopes = differentiated(
                            lambda x: softmax_focal_loss(labels, x, gamma=gamma), rows, way=way
                        )
                        for logits, loss, slope in zip(rows, losses.tolist(), slopes.tolist(), strict=True):
                            exact_loss, exact_slopes = reference.softmax(logits, 0, gamma)
                            if exact_loss < SMALLEST:
                                continue
                            gap = max(logits) - min(logits)
                            # z is rounded to ULP / 2 of the gap, and the loss goes as e^-(1 + gamma) z
                            bound = (8 + 5 * gamma + (1 + gamma) * gap) * ULP
                            case = (way, classes, gamma, gap)
                            self.assertLess(reference.worst([loss], [exact_loss], SMALLEST), bound, case)
                            self.assertLess(reference.worst(slope, exact_slopes, SMALLEST), bound, case)

    def test_it_is_finite_for_every_gap(self):
        for gap in FAR:
            rows = [[gap, 0.0, 0.0], [-gap, 0.0, 0.0], [gap, gap, 0.0], [0.0, -gap, -INF]]
            for labels in ([0, 0, 1, 1], np.eye(3, dtype='f')[[0, 0, 1, 1]]):
                found = differentiated(lambda x: softmax_focal_loss(labels, x, gamma=0.5), rows)
                self.assertTrue(all(np.isfinite(part).all() for part in found), (gap, labels))

    def test_a_hopeless_example_has_its_whole_gradient(self):
        loss, gradient = differentiated(lambda x: softmax_focal_loss([1], x), [[0, -20.0, 0]])
        self.assertAlmostEqual(loss.item(), 20.693147, delta=2e-6)
        self.assertEqual(gradient.round(6).tolist(), [[0.5, -1, 0.5]])

    def test_what_is_no_class_has_loss_nan_and_the_ignored_class_0(self):
        for labels in (tf.constant([0, 3, -1, 255]), tf.constant([0, 3, -1, 255.0]), tf.constant([0, 0.5, NAN, 255])):
            loss = softmax_focal_loss(labels, tf.zeros([4, 3]), ignore_class=255)
            self.assertEqual(np.isnan(loss).tolist(), [False, True, True, False])
            self.assertEqual(loss[3], 0)

    def test_a_row_that_is_no_distribution_has_loss_nan(self):
        rows = tf.constant([[1, 0, 0], [1, 0, 1], [0, 0, 0], [0.3333, 0.3333, 0.3333]])
        for dtype in ('float32', 'bfloat16'):
            loss = tf.function(softmax_focal_loss)(tf.cast(rows, dtype), tf.zeros([4, 3]))
            self.assertEqual(np.isnan(loss).tolist(), [False, True, True, False])

    def test_an_ignored_pixel_may_have_any_logit(self):
        x = np.full([1, 2, 3], NAN, 'f')
        x[0, 0] = [2, -1, 0.5]
        loss, gradient = differentiated(lambda x: softmax_focal_loss([[0, 255]], x, gamma=0.5, ignore_class=255), x)
        self.assertAlmostEqual(loss[0, 0], 0.11173598123, delta=1e-7)
        self.assertEqual(gradient[0, 1].tolist(), [0, 0, 0])

    def test_other_shapes_are_refused(self):
        with self.assertRaisesRegex(ValueError, r'class indices \(4,\) or probabilities \(4, 3\), floating, got \(4, 1\), int32'):
            softmax_focal_loss(tf.zeros([4, 1], tf.int32), tf.zeros([4, 3]))
        with self.assertRaisesRegex(ValueError, r'alpha must be None, a number or 3 numbers, got \(2,\)'):
            softmax_focal_loss(tf.zeros(4, tf.int32), tf.zeros([4, 3]), alpha=[1, 2])
        for alpha in (-1, [1, -1, 1], [1, NAN, 1]):
            with self.assertRaisesRegex(ValueError, 'alpha must be finite and >= 0'):
                softmax_focal_loss(tf.zeros(4, tf.int32), tf.zeros([4, 3]), alpha=alpha)


class InModelFit(unittest.TestCase):
    """Two samples in a model whose output is its input."""

    def model(self, loss, outputs=1):
        inputs = keras.Input([outputs])
        model = keras.Model(inputs, keras.layers.Dense(outputs, use_bias=False, kernel_initializer='identity')(inputs))
        model.compile(optimizer=keras.optimizers.SGD(0.0), loss=loss)
        return model

    def test_class_and_sample_weights_count_per_sample(self):
        x, y = np.ones([4, 1], 'f'), np.array([1, 0, 0, 0])[:, None]
        model = self.model(BinaryFocalLoss(alpha=None, gamma=2))
        history = model.fit(x, y, class_weight={0: 1, 1: 10}, batch_size=4, verbose=0)
        right = (10 * reference.binary(1.0, 2.0)[0] + 3 * reference.binary(-1.0, 2.0)[0]) / 4
        self.assertAlmostEqual(history.history['loss'][0], right, delta=1e-6)
        weighted = model.evaluate(x, y, sample_weight=np.array([10, 1, 1, 1]), batch_size=4, verbose=0)
        self.assertAlmostEqual(weighted, right, delta=1e-6)

    def test_ignored_labels_do_not_count_in_the_mean(self):
        logits = np.array([[2, -1, 0.5], [9, 9, 9]], 'f')
        for labels in ([[0], [255]], [0, 255]):
            model = self.model(SoftmaxFocalLoss(gamma=0.5, ignore_class=255), outputs=3)
            found = model.evaluate(logits, np.array(labels), batch_size=2, verbose=0)
            self.assertAlmostEqual(found, 0.11173598123, delta=1e-6)

    def test_rows_of_probabilities_and_class_indices_are_one(self):
        model = self.model(SoftmaxFocalLoss(gamma=0.5), outputs=3)
        logits = np.array([[2, -1, 0.5]], 'f')
        for labels in (np.array([[0]]), np.array([[1, 0, 0]], 'f')):
            self.assertAlmostEqual(model.evaluate(logits, labels, verbose=0), 0.11173598123, delta=1e-6)

    def test_a_saved_model_keeps_its_loss(self):
        for loss, outputs in ((BinaryFocalLoss(0.3, 0.5), 1), (SoftmaxFocalLoss([1, 2, 3], 0.5, 255), 3)):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / 'model.keras'
                self.model(loss, outputs).save(file)
                self.assertEqual(keras.models.load_model(file).loss.get_config(), loss.get_config())

    def test_training_goes_where_the_keras_loss_goes_nan(self):
        x, y = np.array([[30.0], [-30.0]], 'f'), np.array([[1], [0]])
        outcomes = []
        for loss in (BinaryFocalLoss(None, 0.5), keras.losses.BinaryFocalCrossentropy(gamma=0.5, from_logits=True)):
            model = self.model(loss)
            model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
            model.fit(x, y, verbose=0)
            outcomes.append(bool(np.isfinite(model.get_weights()[0]).all()))
        self.assertEqual(outcomes, [True, False])


if __name__ == '__main__':
    unittest.main()
