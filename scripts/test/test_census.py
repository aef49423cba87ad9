"""scripts/census/measure.py against 50 digits and functions whose faults are known. Run by census.test.mjs."""

import math
import sys
import unittest
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'census'))

from implementation import definitions
from measure import SETTINGS, exact_focal_loss, fault, first_fault, magnitudes, measure, relative_errors

GAMMAS = [*SETTINGS['gammas'], 1, 2]


def in_50_digits(z, gamma):
    """FL = q^gamma s and dFL/dz = -q^gamma (q + gamma p s), of the very float64 numbers z and gamma."""
    with localcontext() as context:
        context.prec = 50
        z, gamma = Decimal(z), Decimal(gamma)
        q = 1 / (1 + z.exp())
        p = 1 / (1 + (-z).exp())
        s = (1 + (-z).exp()).ln()
        weight = (gamma * q.ln()).exp()
        return weight * s, -weight * (q + gamma * p * s)


def by_exact_form(logits, label, gamma, dtype):
    """An implementation without a fault, but for the rounding of its results to float32."""
    direction = 2 * label - 1
    loss, gradient = exact_focal_loss(direction * logits.astype(np.float64), gamma)
    return loss.astype(np.float32).astype(np.float64), (direction * gradient).astype(np.float32).astype(np.float64)


def spoiled(change):
    """The exact form, changed: (z, loss, gradient) -> loss, gradient."""

    def evaluate(logits, label, gamma, dtype):
        loss, gradient = by_exact_form(logits, label, gamma, dtype)
        return change((2 * label - 1) * logits, loss, gradient)

    return evaluate


class ExactForm(unittest.TestCase):
    def test_loss_and_gradient_agree_with_50_digits_to_1e_14(self):
        for gamma in GAMMAS:
            for z in [-100, -37.25, -8, -1, -1e-9, 0, 1e-9, 0.3, 1, 8, 16.64, 17.5, 40]:
                for measured, exact in zip(exact_focal_loss(np.float64(z), gamma), in_50_digits(z, gamma)):
                    with self.subTest(z=z, gamma=gamma):
                        self.assertLess(abs(Decimal(float(measured)) / exact - 1), Decimal('1e-14'))

    def test_the_gradient_is_the_slope_of_the_loss(self):
        z, step = np.linspace(-20, 20, 81), 1e-5
        for gamma in GAMMAS:
            slope = (exact_focal_loss(z + step, gamma)[0] - exact_focal_loss(z - step, gamma)[0]) / (2 * step)
            np.testing.assert_allclose(slope, exact_focal_loss(z, gamma)[1], rtol=1e-5, atol=1e-9)


class FirstFault(unittest.TestCase):
    threshold = np.float32(16.635532)

    def evaluate(self, x):
        return np.ones_like(x), np.where(x >= self.threshold, np.nan, 1)

    def test_a_threshold_is_found_to_the_very_float32(self):
        tried = magnitudes('float32')
        self.assertNotIn(self.threshold, tried)
        self.assertEqual(first_fault(self.evaluate, tried), (float(self.threshold), 'gradient NaN'))

    def test_without_closing_in_it_is_the_first_number_tried(self):
        tried = np.array([1, 16, 17, 20], np.float32)
        self.assertEqual(first_fault(self.evaluate, tried, close_in=False), (17.0, 'gradient NaN'))

    def test_a_fault_at_the_first_number_is_reported_there(self):
        self.assertEqual(first_fault(self.evaluate, np.array([18, 19], np.float32)), (18.0, 'gradient NaN'))

    def test_none_is_found_where_there_is_none(self):
        self.assertEqual(first_fault(lambda x: (x, x), magnitudes('float32')), (None, None))

    def test_a_fault_that_ends_again_is_found(self):
        found, _ = first_fault(lambda x: (x, np.where((x > 3) & (x < 3.1), np.inf, 1)), magnitudes('float32'))
        self.assertEqual(found, float(np.nextafter(np.float32(3), np.float32(4))))

    def test_a_fault_says_whether_loss_or_gradient_and_whether_nan_or_infinite(self):
        self.assertIsNone(fault(1.0, -0.0))
        self.assertEqual(fault(math.nan, 1.0), 'loss NaN')
        self.assertEqual(fault(1.0, -math.inf), 'gradient Infinity')
        self.assertEqual(fault(math.inf, math.nan), 'loss Infinity, gradient NaN')


class Magnitudes(unittest.TestCase):
    def test_they_rise_from_0_to_10000(self):
        for dtype in SETTINGS['dtypes']:
            tried = magnitudes(dtype)
            self.assertEqual(tried.dtype, np.float32)
            self.assertEqual(tried[0], 0)
            self.assertTrue((np.diff(tried) > 0).all(), dtype)
            self.assertGreater(tried[-1], 9900)
            self.assertLessEqual(tried[-1], 10_000)

    def test_every_number_of_half_precision_is_among_them(self):
        self.assertEqual(magnitudes('float16').size, 0x70E2 + 1)  # 10000 is 0x70e2
        one = np.float32(1).view(np.uint32)
        following = np.uint32(one + (1 << 16)).view(np.float32)  # 1 + 2^-7
        tried = list(magnitudes('bfloat16'))
        self.assertEqual(tried[tried.index(1.0) + 1], following)


class Measure(unittest.TestCase):
    def test_an_implementation_without_fault_is_off_by_its_rounding_only(self):
        for label in SETTINGS['labels']:
            row = measure(by_exact_form, label, 0.5, 'float32')
            for name in ['easyFaultAt', 'easyFault', 'hardFaultAt', 'hardFault', 'easyWrongFrom', 'hardWrongFrom']:
                self.assertIsNone(row[name], name)
            for name in ['lossError', 'gradientError', 'hardGradientError']:
                self.assertGreater(row[name], 2**-26, name)
                self.assertLessEqual(row[name], 2**-24, name)

    def test_a_known_relative_error_is_found(self):
        evaluate = spoiled(lambda z, loss, gradient: (loss * (1 + 1e-3), gradient * (1 - 1e-4)))
        row = measure(evaluate, 0, 0.9, 'float32')
        self.assertAlmostEqual(row['lossError'], 1e-3, delta=2e-7)
        self.assertAlmostEqual(row['gradientError'], 1e-4, delta=2e-7)
        self.assertIsNone(row['easyWrongFrom'])

    def test_an_error_beyond_8_does_not_count_as_one_within(self):
        evaluate = spoiled(lambda z, loss, gradient: (loss, np.where(np.abs(z) > 8, 0, gradient)))
        row = measure(evaluate, 1, 0.1, 'float32')
        self.assertLess(row['gradientError'], 1e-6)
        self.assertEqual([row['easyWrongFrom'], row['hardWrongFrom']], [8 + 1 / 64] * 2)
        self.assertEqual(row['hardGradientError'], 1)

    def test_sides_and_labels_are_told_apart(self):
        def change(z, loss, gradient):
            return np.where(z >= 20, np.inf, loss), np.where(z <= -30, np.nan, gradient)

        for label in SETTINGS['labels']:
            row = measure(spoiled(change), label, 0.5, 'float32')
            self.assertEqual((row['easyFaultAt'], row['easyFault']), (20, 'loss Infinity'))
            self.assertEqual((row['hardFaultAt'], row['hardFault']), (30, 'gradient NaN'))
            self.assertEqual((row['hardWrongFrom'], row['hardGradientError']), (30, math.inf))

    def test_a_gradient_of_the_wrong_sign_is_wrong(self):
        row = measure(spoiled(lambda z, loss, gradient: (loss, -gradient)), 0, 0.5, 'float32')
        self.assertEqual((row['easyWrongFrom'], row['hardWrongFrom']), (0, 0))
        self.assertAlmostEqual(row['gradientError'], 2, delta=2e-7)

    def test_the_threshold_of_the_textbook_form_is_24_ln_2(self):
        def textbook(logits, label, gamma, dtype):
            p = 1 / (1 + np.exp(-logits))  # of a float32, in float32
            with np.errstate(divide='ignore', invalid='ignore'):
                factor = gamma * (1 - p) ** np.float32(gamma - 1)
                gradient = -np.log1p(np.exp(-logits)) * factor * p * (1 - p)
            return np.ones_like(p), gradient

        with np.errstate(over='ignore'):
            row = measure(textbook, 1, 0.5, 'float32')
        self.assertEqual(row['easyFault'], 'gradient NaN')
        self.assertAlmostEqual(row['easyFaultAt'], 24 * math.log(2), delta=1e-5)

    def test_in_half_precision_faults_only_are_measured(self):
        evaluate = spoiled(lambda z, loss, gradient: (loss, np.where(z > 8.31, np.nan, gradient)))
        row = measure(evaluate, 1, 0.5, 'float16')
        self.assertEqual(row['easyFaultAt'], 8.3125)  # float16 has no number between 8.3047 and it
        self.assertIsNone(row['lossError'])
        self.assertEqual(row.keys(), measure(evaluate, 1, 0.5, 'float32').keys())

    def test_what_is_not_finite_is_infinitely_wrong(self):
        errors = relative_errors(np.array([1.5, np.nan, np.inf]), np.array([1.0, 1.0, 1.0]))
        self.assertEqual(list(errors), [0.5, math.inf, math.inf])


class Definitions(unittest.TestCase):
    def test_a_function_runs_as_its_package_defines_it(self):
        given = {'ndarray': np.ndarray}
        issequence = definitions('numpy', 'numpy/ma/extras.py', ['issequence'], given)['issequence']
        self.assertEqual([issequence(np.zeros(2)), issequence('text')], [True, False])

    def test_what_a_package_does_not_define_is_named(self):
        with self.assertRaisesRegex(LookupError, 'version.py of numpy does not define focal_loss'):
            definitions('numpy', 'numpy/version.py', ['focal_loss'], {})


if __name__ == '__main__':
    unittest.main()
