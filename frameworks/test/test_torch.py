"""focal_loss_torch.py against 50 digits, and what one expects of a loss of PyTorch."""

import math
import os
import shutil
import sys
import textwrap
import unittest
import warnings
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import reference
from focal_loss_torch import sigmoid_focal_loss, softmax_focal_loss
from reference import FAR, GAMMAS, MARGINS

INF, NAN = math.inf, math.nan
SMALLEST = 2.0**-120  # float32 has all its digits above
ULP = 2.0**-23
# torch.compile's own backend compiles C++.
BACKENDS = ('aot_eager', 'inductor') if shutil.which(os.environ.get('CXX', 'g++')) else ('aot_eager',)


def differentiated(loss_of, values, dtype=torch.float32):
    x = torch.tensor(values, dtype=dtype, requires_grad=True)
    loss = loss_of(x)
    loss.sum().backward()
    return loss.detach(), x.grad


class Binary(unittest.TestCase):
    def test_loss_and_gradient_in_float32_are_within_6_plus_3_gamma_units_in_the_last_place(self):
        for gamma in GAMMAS:
            exact = [reference.binary(z, gamma) for z in MARGINS]
            for label in (1, 0, 1.0, 0.0):
                sign = 2 * label - 1
                labels = torch.full([len(MARGINS)], label)
                loss, gradient = differentiated(
                    lambda x: sigmoid_focal_loss(x, labels, None, gamma), [sign * z for z in MARGINS]
                )
                bound = (6 + 3 * gamma) * ULP
                self.assertLess(reference.worst(loss.tolist(), [e[0] for e in exact], SMALLEST), bound, (gamma, label))
                slopes = (sign * gradient).tolist()
                self.assertLess(reference.worst(slopes, [e[1] for e in exact], SMALLEST), bound, (gamma, label))

    def test_a_gamma_that_float32_does_not_hold_may_cost_its_rounding_times_the_margin(self):
        for gamma in (1.2, 2.6, 4.3):
            exact = [reference.binary(z, gamma) for z in MARGINS]
            ones = torch.ones(len(MARGINS))
            loss, gradient = differentiated(lambda x: sigmoid_focal_loss(x, ones, None, gamma), MARGINS)
            bound = (6 + 3 * gamma) * ULP + abs(gamma - torch.tensor(gamma).item()) * max(MARGINS)
            self.assertLess(reference.worst(loss.tolist(), [e[0] for e in exact], SMALLEST), bound, gamma)
            self.assertLess(reference.worst(gradient.tolist(), [e[1] for e in exact], SMALLEST), bound, gamma)

    def test_float64_stays_float64_second_derivative_included(self):
        for gamma in GAMMAS:
            margins = [z for z in MARGINS + FAR[:8] + [-z for z in FAR[:8]] if abs(z) < 700 / (1 + gamma)]
            exact = [reference.binary(z, gamma) for z in margins]
            x = torch.tensor(margins, dtype=torch.float64, requires_grad=True)
            loss = sigmoid_focal_loss(x, torch.ones(len(margins), dtype=torch.int64), None, gamma)
            (gradient,) = torch.autograd.grad(loss.sum(), x, create_graph=True)
            (curvature,) = torch.autograd.grad(gradient.sum(), x)
            self.assertEqual(loss.dtype, torch.float64)
            for i, found in enumerate((loss, gradient)):
                self.assertLess(reference.worst(found.tolist(), [e[i] for e in exact], 1e-300), 1e-14, (gamma, i))
            for z, found, (_, _, expected) in zip(margins, curvature.tolist(), exact, strict=True):
                scale = abs(expected) + (math.exp(z) if z < 0 else 0)  # it changes its sign at a hard example
                self.assertAlmostEqual(found, expected, delta=2e-14 * scale, msg=(z, gamma))

    def test_it_is_finite_at_every_finite_logit(self):
        for gamma in GAMMAS:
            for label in (1, 0, 0.3):
                values = [s * z for z in FAR + MARGINS for s in (1, -1)] + [3e38, -3e38]
                loss, gradient = differentiated(
                    lambda x: sigmoid_focal_loss(x, torch.full([len(values)], label), 0.25, gamma), values
                )
                self.assertTrue(loss.isfinite().all() and gradient.isfinite().all(), (gamma, label))

    def test_a_hopeless_logit_of_minus_infinity_has_gradient_minus_1(self):
        for label, sign in ((1, 1), (0, -1), (1.0, 1), (0.0, -1)):
            x = [-sign * INF, sign * INF]
            loss, gradient = differentiated(lambda x: sigmoid_focal_loss(x, torch.full([2], label), None, 0.5), x)
            self.assertEqual(loss.tolist(), [INF, 0])
            self.assertEqual(gradient.tolist(), [-sign, 0])

    def test_a_soft_label_is_the_mixture_of_the_hard_ones(self):
        labels = [0.0, 0.05, 0.5, 0.9, 1.0]
        for x in (-20.0, -1.0, 0.0, 5.0, 18.0):
            one, zero = reference.binary(x, 0.5), reference.binary(-x, 0.5)
            loss, gradient = differentiated(
                lambda x: sigmoid_focal_loss(x, torch.tensor(labels), 0.25, 0.5), [x] * len(labels)
            )
            for i, y in enumerate(labels):
                expected = 0.25 * y * one[0] + 0.75 * (1 - y) * zero[0]
                self.assertAlmostEqual(loss[i].item(), expected, delta=1e-6 * expected)
                expected = 0.25 * y * one[1] - 0.75 * (1 - y) * zero[1]
                self.assertAlmostEqual(gradient[i].item(), expected, delta=1e-6 * abs(one[1]) + 1e-6 * abs(zero[1]))
        _, gradient = differentiated(lambda x: sigmoid_focal_loss(x, torch.tensor([0.9]), -1, 0.5), [5.0])
        self.assertAlmostEqual(gradient.item(), 0.099929244, delta=1e-7)

    def test_the_defaults_and_reductions_are_those_of_torchvision(self):
        x, y = torch.linspace(-3, 3, 7), torch.tensor([0, 1, 0, 1, 0, 1, 1.0])
        p = torch.sigmoid(x)
        p_t = p * y + (1 - p) * (1 - y)
        cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits(x, y, reduction='none')
        expected = (0.25 * y + 0.75 * (1 - y)) * (1 - p_t) ** 2 * cross_entropy
        torch.testing.assert_close(sigmoid_focal_loss(x, y), expected)
        torch.testing.assert_close(sigmoid_focal_loss(x, y, 0.25, 2, 'mean'), expected.mean())
        torch.testing.assert_close(sigmoid_focal_loss(x, y, reduction='sum'), expected.sum())
        torch.testing.assert_close(sigmoid_focal_loss(x, y, alpha=None), sigmoid_focal_loss(x, y, alpha=-1))

    def test_gradcheck_and_gradgradcheck(self):
        torch.manual_seed(1)
        x = (4 * torch.randn(9, dtype=torch.float64)).requires_grad_()
        for gamma in (0.0, 0.5, 1.0, 2.0):
            for labels in (torch.rand(9, dtype=torch.float64), torch.arange(9) % 2):
                for reduction in ('none', 'mean', 'sum'):
                    loss_of = lambda x: sigmoid_focal_loss(x, labels, 0.25, gamma, reduction)
                    self.assertTrue(torch.autograd.gradcheck(loss_of, x))
                    self.assertTrue(torch.autograd.gradgradcheck(loss_of, x))

    def test_half_precision_is_computed_in_float32_and_its_gradient_is_half(self):
        for dtype in (torch.float16, torch.bfloat16):
            for x in (-40.0, -9.0, 7.75, 9.0, 12.0, 17.5):
                loss, gradient = differentiated(lambda x: sigmoid_focal_loss(x, torch.ones(1), None, 0.5), [x], dtype)
                self.assertEqual((loss.dtype, gradient.dtype), (torch.float32, dtype))
                exact = reference.binary(x, 0.5)
                self.assertAlmostEqual(loss.item() / exact[0], 1, delta=1e-6)
                self.assertAlmostEqual(gradient.item(), exact[1], delta=max(0.004 * abs(exact[1]), 1e-7))

    def test_under_autocast_it_is_as_without(self):
        layer = torch.nn.Linear(4, 1)
        inputs = 30 * torch.randn(64, 4)
        labels = (inputs.sum(1, keepdim=True) > 0).float()
        with torch.autocast('cpu', dtype=torch.bfloat16):
            logits = layer(inputs)
            loss = sigmoid_focal_loss(logits, labels, gamma=0.5, reduction='mean')
        loss.backward()
        self.assertEqual((logits.dtype, loss.dtype), (torch.bfloat16, torch.float32))
        self.assertTrue(layer.weight.grad.isfinite().all())

    def test_ignored_elements_have_loss_and_gradient_0_whatever_their_logit(self):
        labels = torch.tensor([1, 255, 0, 255])
        values = [2.0, NAN, -1.0, INF]
        for y in (labels, labels.float()):
            loss, gradient = differentiated(
                lambda x: sigmoid_focal_loss(x, y, gamma=0.5, ignore_index=255, reduction='mean'), values
            )
            kept, slopes = differentiated(
                lambda x: sigmoid_focal_loss(x, y[::2], gamma=0.5, reduction='mean'), values[::2]
            )
            self.assertEqual(loss, kept)
            self.assertEqual(gradient.tolist(), [slopes[0].item(), 0, slopes[1].item(), 0])
        nothing = torch.full([4], 255)
        self.assertEqual(sigmoid_focal_loss(torch.ones(4), nothing, ignore_index=255, reduction='mean'), 0)

    def test_what_is_no_label_is_refused(self):
        for bad in (255, 2, -1, 1.5, -0.1, NAN, INF):
            with self.assertRaisesRegex(ValueError, r'targets must be labels in \[0, 1\], got'):
                sigmoid_focal_loss(torch.zeros(100_000), torch.tensor([bad]).repeat(100_000))

    def test_other_shapes_and_parameters_are_refused(self):
        x = torch.zeros(3)
        with self.assertRaisesRegex(ValueError, r'one shape, got \[3, 1\] and \[3\]'):
            sigmoid_focal_loss(x[:, None], x)
        for change in (
            {'alpha': 1.5},
            {'alpha': [0.25, 0.75]},
            {'alpha': torch.tensor([0.1, 0.2, 0.7])},
            {'gamma': -1},
            {'gamma': NAN},
            {'gamma': [1.0, 2.0, 3.0]},
            {'gamma': torch.tensor([1.0, 2.0, 3.0])},
            {'gamma': torch.nn.Parameter(torch.tensor(2.0))},
            {'reduction': 'average'},
            {'ignore_index': NAN},
        ):
            with self.assertRaisesRegex(ValueError, f'sigmoid_focal_loss: {next(iter(change))} must be'):
                sigmoid_focal_loss(x, x, **change)
        with self.assertRaisesRegex(TypeError, 'sigmoid_focal_loss: targets must be a tensor, got list'):
            sigmoid_focal_loss(x, [1, 0, 1])
        with self.assertRaisesRegex(ValueError, 'floating-point logits, got torch.int64'):
            sigmoid_focal_loss(x.long(), x)

    def test_compiled_it_is_the_same(self):
        compare_compiled(self, sigmoid_focal_loss, torch.tensor(MARGINS), (torch.arange(len(MARGINS)) % 2).float())


class Softmax(unittest.TestCase):
    def test_loss_and_gradient_in_float32_are_those_of_50_digits(self):
        for classes in (2, 3, 21, 1000):
            for logits in reference.rows(classes, 12 if classes < 100 else 3):
                gap = max(logits) - min(logits)
                for gamma in (0.0, 0.5, 2.0):
                    exact_loss, exact_slopes = reference.softmax(logits, 0, gamma)
                    if exact_loss < SMALLEST:
                        continue
                    for targets in (torch.tensor([0]), one_hot([0], classes)):
                        loss, slopes = differentiated(lambda x: softmax_focal_loss(x, targets, gamma=gamma), [logits])
                        # z is rounded to ULP / 2 of the gap, and the loss goes as e^-(1 + gamma) z
                        bound = (6 + 3 * gamma + (1 + gamma) * gap) * ULP
                        self.assertLess(reference.worst(loss.tolist(), [exact_loss], SMALLEST), bound)
                        self.assertLess(reference.worst(slopes[0].tolist(), exact_slopes, SMALLEST), bound)

    def test_where_the_usual_form_is_nan_the_gradient_is_right(self):
        loss, gradient = differentiated(lambda x: softmax_focal_loss(x, torch.tensor([0]), gamma=0.5), [[20, 0, 0.0]])
        self.assertAlmostEqual(loss.item() / 2.646735452e-13, 1, delta=1e-6)
        for found, expected in zip(gradient[0].tolist(), [-3.970103167e-13, 1.985051583e-13, 1.985051583e-13]):
            self.assertAlmostEqual(found / expected, 1, delta=1e-6)

    def test_a_hopeless_example_has_its_whole_gradient(self):
        loss, gradient = differentiated(lambda x: softmax_focal_loss(x, torch.tensor([1]), gamma=2.0), [[0, -20.0, 0]])
        self.assertAlmostEqual(loss.item(), 20.693147, delta=2e-6)
        self.assertEqual([round(g, 6) for g in gradient[0].tolist()], [0.5, -1, 0.5])
        loss, gradient = differentiated(lambda x: softmax_focal_loss(x, torch.tensor([0])), [[-INF, 0, 0.0]])
        self.assertEqual((loss.item(), gradient.tolist()), (INF, [[-1, 0.5, 0.5]]))

    def test_it_is_finite_for_every_gap(self):
        for gap in FAR:
            for row in ([gap, 0, 0], [-gap, 0, 0], [gap, gap, 0], [gap, -gap, -INF], [0, 0, 0]):
                for target in (0, 1):
                    for targets in (torch.tensor([target]), one_hot([target], 3), torch.tensor([[0.5, 0.3, 0.2]])):
                        for gamma in (0.0, 0.1, 0.9, 2.0):
                            if targets.is_floating_point() and -INF in row and targets[0, 2] > 0:
                                continue  # the loss is Infinity
                            loss, gradient = differentiated(
                                lambda x: softmax_focal_loss(x, targets, gamma=gamma), [[float(v) for v in row]]
                            )
                            self.assertTrue(loss.isfinite().all() and gradient.isfinite().all(), (row, targets, gamma))

    def test_an_offset_of_all_logits_changes_nothing(self):
        row = torch.tensor([[2, -1, 0.5]])
        for targets in (torch.tensor([0]), torch.tensor([[0.7, 0.2, 0.1]])):
            here = softmax_focal_loss(row, targets, gamma=0.5)
            self.assertEqual(here, softmax_focal_loss(row + 4096, targets, gamma=0.5))

    def test_probabilities_are_the_mixture_of_classes(self):
        logits, row, weights = [2.0, -1.0, 0.5], [0.7, 0.2, 0.1], [0.5, 1.0, 2.0]
        exact_loss, exact_slopes = reference.mixture(logits, row, 0.5, weights)
        loss, slopes = differentiated(
            lambda x: softmax_focal_loss(x, torch.tensor([row]), gamma=0.5, alpha=weights), [logits]
        )
        self.assertAlmostEqual(loss.item() / exact_loss, 1, delta=1e-6)
        for found, expected in zip(slopes[0].tolist(), exact_slopes):
            self.assertAlmostEqual(found, expected, delta=1e-6)

    def test_segmentation_shape_alpha_per_class_and_ignored_pixels(self):
        torch.manual_seed(2)
        x, t = 10 * torch.randn(2, 3, 4, 5), torch.randint(3, (2, 4, 5))
        t[0, 1, 2], t[1, 3, 4] = -100, -100
        x[0, :, 1, 2] = NAN
        alpha = torch.tensor([0.2, 0.3, 0.5])
        loss, gradient = differentiated(
            lambda x: softmax_focal_loss(x, t, alpha=alpha, gamma=0.5, reduction='mean'), x.tolist()
        )
        expected = [
            alpha[label].item() * reference.softmax(pixel.tolist(), label, 0.5)[0]
            for pixel, label in zip(x.movedim(1, -1).reshape(-1, 3), t.flatten().tolist())
            if label >= 0
        ]
        self.assertAlmostEqual(loss.item(), sum(expected) / len(expected), delta=1e-6)
        self.assertEqual(gradient[0, :, 1, 2].tolist(), [0, 0, 0])
        self.assertTrue(gradient.isfinite().all())

    def test_of_nothing_the_mean_is_0(self):
        for targets in (torch.zeros(0, dtype=torch.int64), torch.zeros(0, 3)):
            value, slopes = differentiated(lambda x: softmax_focal_loss(x.reshape(0, 3), targets, reduction='mean'), [])
            self.assertEqual(value, 0)
        x, t = torch.randn(4, 3), torch.zeros(4, dtype=torch.int64)
        value, slopes = differentiated(lambda x: softmax_focal_loss(x, t, alpha=[0, 1, 1], reduction='mean'), x.tolist())
        self.assertTrue(value == 0 and (slopes == 0).all())  # background alone, of weight 0

    def test_gamma_0_is_cross_entropy(self):
        x, t = torch.randn(8, 5), torch.arange(8) % 5
        torch.testing.assert_close(
            softmax_focal_loss(x, t, gamma=0.0, reduction='mean'), torch.nn.functional.cross_entropy(x, t)
        )
        p = torch.softmax(torch.randn(8, 5), 1)
        torch.testing.assert_close(
            softmax_focal_loss(x, p, gamma=0.0, reduction='mean'), torch.nn.functional.cross_entropy(x, p)
        )

    def test_gradients_per_sample_by_vmap(self):
        x, t = torch.randn(5, 3), torch.tensor([0, 1, 2, 1, -100])
        found = torch.func.vmap(torch.func.grad(softmax_focal_loss), in_dims=(0, 0))(x, t)
        expected = differentiated(lambda x: softmax_focal_loss(x, t), x.tolist())[1]
        torch.testing.assert_close(found, expected, check_dtype=False)
        y = (x > 0).float()
        found = torch.func.vmap(torch.func.grad(lambda x, y: sigmoid_focal_loss(x, y).sum()), in_dims=(0, 0))(x, y)
        expected = differentiated(lambda x: sigmoid_focal_loss(x, y), x.tolist())[1]
        torch.testing.assert_close(found, expected, check_dtype=False)

    def test_beside_other_libraries_it_is_as_the_readme_has_it(self):
        torch.manual_seed(4)
        x, t = torch.randn(2, 3, 4, 5), torch.randint(3, (2, 4, 5))
        one_hot = torch.nn.functional.one_hot(t, 3).movedim(-1, 1)

        def theirs(x, one_hot, alpha=(1, 1, 1)):
            log_p = x.log_softmax(1)
            weights = torch.tensor(alpha).reshape(1, -1, 1, 1)
            return -weights * one_hot * (1 - log_p.exp()) ** 2 * log_p

        for found, expected in (
            (softmax_focal_loss(x, t, [0.75, 0.25, 0.25], reduction='sum'), theirs(x, one_hot, (0.75, 0.25, 0.25)).sum()),
            (softmax_focal_loss(x, t, reduction='mean') / 3, theirs(x, one_hot).mean()),
            (softmax_focal_loss(x[:, 1:], t - 1, ignore_index=-1).sum(), theirs(x[:, 1:], one_hot[:, 1:], (1, 1)).sum()),
        ):
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)
        weight = torch.tensor([0.2, 0.3, 0.5])
        found = softmax_focal_loss(x, t, weight, gamma=0, reduction='mean') * t.numel() / weight[t].sum()
        torch.testing.assert_close(found, torch.nn.functional.cross_entropy(x, t, weight))
        smoothed = softmax_focal_loss(x, 0.9 * one_hot + 0.1 / 3, gamma=0, reduction='mean')
        torch.testing.assert_close(smoothed, torch.nn.functional.cross_entropy(x, t, label_smoothing=0.1))

    def test_gradcheck_and_gradgradcheck(self):
        torch.manual_seed(3)
        x = (3 * torch.randn(6, 4, dtype=torch.float64)).requires_grad_()
        labels = torch.tensor([0, 1, 2, 3, -100, 0])
        rows = torch.softmax(torch.randn(6, 4, dtype=torch.float64), 1)
        for gamma in (0.0, 0.5, 2.0):
            for targets in (labels, rows):
                loss_of = lambda x: softmax_focal_loss(x, targets, [0.1, 0.2, 0.3, 0.4], gamma, 'mean')
                self.assertTrue(torch.autograd.gradcheck(loss_of, x))
                self.assertTrue(torch.autograd.gradgradcheck(loss_of, x))

    def test_what_is_no_class_is_refused(self):
        for bad in (3, 255, -1):
            with self.assertRaisesRegex(ValueError, f'targets must be classes 0 to 2, or -100 to be ignored, got {bad}'):
                softmax_focal_loss(torch.zeros(2, 3), torch.tensor([0, bad]))
        self.assertEqual(softmax_focal_loss(torch.zeros(2, 3), torch.tensor([0, 255]), ignore_index=255)[1], 0)
        with self.assertRaisesRegex(ValueError, r'probabilities in \[0, 1\], got 1.5'):
            softmax_focal_loss(torch.zeros(1, 3), torch.tensor([[0, 0, 1.5]]))
        with self.assertRaisesRegex(ValueError, r'rows of probabilities with the sum 1, got 2.0'):  # several labels
            softmax_focal_loss(torch.zeros(1, 3), torch.tensor([[1.0, 0, 1]]))

    def test_rows_in_half_precision_are_rows(self):
        rows = torch.softmax(torch.randn(100, 21), 1)
        exact = softmax_focal_loss(torch.zeros(100, 21), rows)
        for dtype in (torch.float16, torch.bfloat16):
            torch.testing.assert_close(softmax_focal_loss(torch.zeros(100, 21), rows.to(dtype)), exact, rtol=0.02, atol=0)

    def test_other_shapes_and_parameters_are_refused(self):
        x = torch.zeros(4, 3)
        for targets, message in (
            (torch.zeros(4, 1, dtype=torch.int64), r'class indices \[4\], integer, or .*, got \[4, 1\], int64'),
            (torch.zeros(4), r'class indices \[4\], integer, or probabilities \[4, 3\], floating, got \[4\], float32'),
            (torch.zeros(4, 3, dtype=torch.int64), r'probabilities \[4, 3\], floating, got \[4, 3\], int64'),
        ):
            with self.assertRaisesRegex(ValueError, message):
                softmax_focal_loss(x, targets)
        with self.assertRaisesRegex(ValueError, r'alpha must be None, a number or 3 numbers, got \[2\]'):
            softmax_focal_loss(x, torch.zeros(4, dtype=torch.int64), alpha=[1, 2])
        t = torch.zeros(4, dtype=torch.int64)
        for alpha in ([-1, 1, 1], torch.tensor([NAN, 1, 1]), NAN, INF):
            with self.assertRaisesRegex(ValueError, 'alpha must be finite and >= 0, got'):
                softmax_focal_loss(x, t, alpha=alpha)
        self.assertEqual(softmax_focal_loss(x, t, alpha=-1).tolist(), softmax_focal_loss(x, t).tolist())  # as torchvision's
        with self.assertRaisesRegex(ValueError, 'gamma must be a finite number >= 0, got tensor'):
            softmax_focal_loss(x, t, gamma=torch.tensor([1.0, 2, 3]))
        with self.assertRaisesRegex(ValueError, 'at least 2 classes'):
            softmax_focal_loss(x[:, :1], torch.zeros(4, dtype=torch.int64))

    def test_compiled_it_is_the_same(self):
        logits = torch.tensor(reference.rows(5))
        compare_compiled(self, softmax_focal_loss, logits, torch.arange(len(logits)) % 5)


def in_readme():
    """The functions that the README of the project shows."""
    text = (Path(__file__).resolve().parents[2] / 'README.md').read_text()
    code = text.split('```python\n')[1].split('```')[0]
    namespace = {}
    exec(textwrap.dedent(code), namespace)
    return namespace['sigmoid_focal_loss'], namespace['softmax_focal_loss']


class Readme(unittest.TestCase):
    """The short form. Its exponent is rounded, so that it loses digits with gamma |z|, and it is for finite logits."""

    def test_it_agrees_with_50_digits_to_within_gamma_z_units_in_the_last_place(self):
        sigmoid, softmax = in_readme()
        for gamma in GAMMAS:
            for z in MARGINS:
                exact = reference.binary(z, gamma)
                bound = (8 + 2 * (1 + gamma) * abs(z)) * ULP
                rows = torch.tensor([[z, 0.0]])
                for found in (
                    differentiated(lambda x: sigmoid(x, torch.ones(1), None, gamma), [z]),
                    differentiated(lambda x: softmax(x, torch.tensor([0]), None, gamma), rows.tolist()),
                ):
                    for value, expected in zip((found[0].item(), found[1].flatten()[0].item()), exact[:2]):
                        if abs(expected) > SMALLEST:
                            self.assertLess(abs(value / expected - 1), bound, (gamma, z))

    def test_it_is_the_file_for_every_label_dtype_and_argument(self):
        sigmoid, softmax = in_readme()
        x, y = torch.linspace(-30, 30, 61), torch.arange(61) % 5 / 4
        for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
            for alpha in (0.25, None, -1):
                for reduction in ('none', 'mean', 'sum'):
                    arguments = x.to(dtype), y, alpha, 0.5, reduction
                    torch.testing.assert_close(sigmoid(*arguments), sigmoid_focal_loss(*arguments), rtol=1e-5, atol=0)
        rows, classes = torch.tensor(reference.rows(5)), torch.arange(12) % 5
        for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
            for alpha in (None, 0.25):
                for reduction in ('none', 'mean', 'sum'):
                    arguments = rows.to(dtype), classes, alpha, 0.5, reduction
                    torch.testing.assert_close(softmax(*arguments), softmax_focal_loss(*arguments), rtol=1e-5, atol=1e-15)
        torch.testing.assert_close(softmax(rows, classes), softmax_focal_loss(rows, classes), rtol=1e-5, atol=1e-15)
        torch.testing.assert_close(sigmoid(x, y), sigmoid_focal_loss(x, y), rtol=1e-5, atol=0)
        with self.assertRaises(ValueError):
            sigmoid(x[:, None], y)


def one_hot(labels, classes):
    return torch.nn.functional.one_hot(torch.tensor(labels), classes).float()


def compare_compiled(test, loss_of, logits, targets):
    """Values and gradients of torch.compile next to those without it."""
    call = lambda x: loss_of(x, targets, gamma=0.5, reduction='mean')
    expected = differentiated(call, logits.tolist())
    for backend in BACKENDS:
        with test.subTest(backend), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            loss, gradient = differentiated(torch.compile(call, fullgraph=True, backend=backend), logits.tolist())
            torch.testing.assert_close(loss, expected[0])
            torch.testing.assert_close(gradient, expected[1], rtol=1e-5, atol=1e-12)


if __name__ == '__main__':
    unittest.main()
