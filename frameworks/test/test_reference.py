"""The reference against the 50 digits of mpmath that the tests of lib use. Needs the standard library only."""

import json
import unittest
from pathlib import Path

import reference

FIXTURE = Path(__file__).resolve().parents[2] / 'lib/test/fixtures/exact-focal-loss.json'


class Reference(unittest.TestCase):
    def test_it_is_what_mpmath_computes_by_the_formulas(self):
        fixture = json.loads(FIXTURE.read_text())
        for case in fixture['cases']:
            every = list(zip(fixture['logits'], case['loss'], case['gradient'], strict=True))
            for z, loss, gradient in every[::61]:
                found = reference.binary(z, case['gamma'])[:2]
                for value, expected in zip(found, (loss, gradient), strict=True):
                    self.assertAlmostEqual(value, expected, delta=1e-15 * abs(expected), msg=(z, case['gamma']))

    def test_second_derivatives_are_those_of_the_formula(self):
        for (z, gamma), expected in {(0, 2): 0.39914339757, (-5, 2): -0.0319998043227, (20, 2): 7.88085961423e-26}.items():
            self.assertAlmostEqual(reference.binary(z, gamma)[2] / expected, 1, delta=1e-11)

    def test_two_classes_are_the_binary_loss_at_the_difference_of_logits(self):
        for z in (-30.0, -1.5, 0.0, 4.0, 20.0):
            loss, gradient, _ = reference.binary(z, 0.5)
            found, slopes = reference.softmax([z + 0.25, 0.25], 0, 0.5)
            self.assertAlmostEqual(found / loss, 1, delta=1e-14)
            self.assertAlmostEqual(slopes[0] / gradient, 1, delta=1e-14)
            self.assertAlmostEqual(slopes[1] / gradient, -1, delta=1e-14)


if __name__ == '__main__':
    unittest.main()
