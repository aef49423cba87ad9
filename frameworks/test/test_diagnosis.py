"""Every row of DIAGNOSIS.md: the input at which a loss of that kind fails, what is true there, and that the cure holds.

The losses are written down here as papers and libraries have them, so that the test needs PyTorch alone; `npm run census` measures
the libraries themselves.
"""

import io
import math
import re
import sys
import tempfile
import unittest
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import find_nan_torch
import reference
from find_nan_torch import find_nan
from focal_loss_torch import sigmoid_focal_loss, softmax_focal_loss

LN2 = math.log(2)


def textbook(x, y, gamma=0.5):
    p = torch.sigmoid(x)
    p_t = p * y + (1 - p) * (1 - y)
    return (1 - p_t) ** gamma * F.binary_cross_entropy_with_logits(x, y, reduction='none')


def textbook_softmax(x, t, gamma=0.5):
    log_p = F.log_softmax(x, 1).gather(1, t[:, None])[:, 0]
    return -((1 - log_p.exp()) ** gamma) * log_p


def log_space_without_care(x, y, gamma=2.0):
    modulator = torch.exp(-gamma * y * x - gamma * torch.log1p(torch.exp(-x)))
    return modulator * F.binary_cross_entropy_with_logits(x, y, reduction='none')


def log_space_on_the_margin(x, y, gamma=2.0):
    z = x * (2 * y - 1)
    return torch.exp(-gamma * y * x - gamma * torch.log1p(torch.exp(-x))) * torch.log1p(torch.exp(-z))


def of_a_weighted_cross_entropy(x, t, gamma=0.5):
    weight = torch.tensor([0.1, 1, 1])
    ce = F.cross_entropy(x, t, weight, reduction='none')
    return (1 - torch.exp(-ce)) ** gamma * ce


def log_of_softmax(x, t, gamma=2.0):
    p = torch.softmax(x, 1).gather(1, t[:, None])[:, 0]
    return -((1 - p) ** gamma) * p.log()


def softmax_of_exponentials(x, t, gamma=2.0):
    p = (x.exp() / x.exp().sum(1, keepdim=True)).gather(1, t[:, None])[:, 0]
    return -((1 - p) ** gamma) * p.log()


def log_space(x, y, gamma=0.5):
    z = x * (2 * y - 1)
    return -torch.exp(gamma * F.logsigmoid(-z)) * F.logsigmoid(z)


def asymmetric(x, y, gamma_pos=0.0, gamma_neg=0.5, clip=0.05):
    p = torch.sigmoid(x)
    negative = (1 - p + clip).clamp(max=1)
    loss = y * p.clamp(min=1e-8).log() + (1 - y) * negative.clamp(min=1e-8).log()
    p_t = p * y + negative * (1 - y)
    return -loss * (1 - p_t) ** (gamma_pos * y + gamma_neg * (1 - y))


def quality(x, y, beta=0.5):
    return F.binary_cross_entropy_with_logits(x, y, reduction='none') * (y - x.sigmoid()).abs() ** beta


def varifocal(x, y, alpha=0.75, gamma=0.5):
    p = x.sigmoid()
    weight = alpha * p**gamma * (y <= 0) + y * (y > 0)
    return F.binary_cross_entropy_with_logits(x, y, reduction='none') * weight


def varifocal_by_distance(x, y, alpha=0.75, gamma=0.5):
    weight = y * (y > 0) + alpha * (x.sigmoid() - y).abs().pow(gamma) * (y <= 0)
    return F.binary_cross_entropy_with_logits(x, y, reduction='none') * weight


def of_two_terms(x, y, gamma=0.5):
    p = x.sigmoid()
    return -y * (1 - p) ** gamma * F.logsigmoid(x) - (1 - y) * p**gamma * F.logsigmoid(-x)


def by_the_cross_entropy(x, y, gamma=0.5):
    cross_entropy = F.binary_cross_entropy_with_logits(x, y, reduction='none')
    return ((1 - torch.exp(-cross_entropy)) ** gamma * cross_entropy).mean()


def tversky_index(x, y, alpha=0.7, beta=0.3, smooth=1.0):
    p = x.sigmoid()
    hits, misses, alarms = (p * y).sum(), ((1 - p) * y).sum(), (p * (1 - y)).sum()
    return (hits + smooth) / (hits + alpha * misses + beta * alarms + smooth)


def with_epsilon(x, y, gamma=0.5):
    p_t = (x * (2 * y - 1)).sigmoid() + 1e-5
    return -((1 - p_t) ** gamma) * p_t.log()


def focal_tversky(x, y, gamma=4 / 3):
    return torch.pow(1 - tversky_index(x, y), 1 / gamma)


def log_dice(x, y, gamma=0.3):
    return (-torch.log(1 - dice(x, y))) ** gamma


def center(x, y, gamma=2.0):
    p = x.sigmoid().clamp(1e-4, 1 - 1e-4)
    return -y * (1 - p) ** gamma * p.log() - (1 - y) * p**gamma * (1 - p).log()


def of_probabilities(x, y, gamma=2.0):
    p = x.sigmoid()
    return -y * (1 - p) ** gamma * p.log() - (1 - y) * p**gamma * (1 - p).log()


def clamped(x, y, gamma=2.0, epsilon=1e-7):
    p = x.sigmoid().clamp(epsilon, 1 - epsilon)
    return -y * (1 - p) ** gamma * p.log() - (1 - y) * p**gamma * (1 - p).log()


def detached(x, y, gamma=2.0):
    cross_entropy = F.binary_cross_entropy_with_logits(x, y, reduction='none')
    return (1 - torch.exp(-cross_entropy.detach())) ** gamma * cross_entropy


def strictly_binary(x, y):
    if x.shape != y.shape:
        raise ValueError('one shape')
    return textbook(x, y)


def told_settings(x, y, beta=0.0, scale=0.0, offset=0.0):
    print(beta, scale, offset)
    return sigmoid_focal_loss(x, y)


def dice(x, y, smooth=1.0):
    p = x.sigmoid()
    return 1 - (2 * (p * y).sum() + smooth) / (p.sum() + y.sum() + smooth)


def dice_without_smoothing(x, y):
    return dice(x, y, 0.0)


def selected(x, y, gamma=2.0):
    p = x.sigmoid()
    return torch.where(y == 1, -((1 - p) ** gamma) * p.log(), -(p**gamma) * (1 - p).log())


def of_probabilities_strictly(p, y):
    return F.binary_cross_entropy(p, y, reduction='none') * (1 - p) ** 0.5


def of_one_hot_rows(x, y):
    return -(y * (1 - x.softmax(1)) ** 0.5 * x.log_softmax(1)).sum(1)


class ByTheCrossEntropy(torch.nn.Module):
    """As most classes called FocalLoss are: of rows of logits and class indices."""

    def forward(self, inputs, targets):
        cross_entropy = F.cross_entropy(inputs, targets, reduction='none')
        return ((1 - torch.exp(-cross_entropy)) ** 0.5 * cross_entropy).mean()


class OfImages(torch.nn.Module):
    """A loss of logits [N, 1, H, W]."""

    def __init__(self, gamma):
        super().__init__()
        self.gamma = gamma

    def forward(self, x, y):
        N, C, H, W = x.shape
        return textbook(x, y, self.gamma).sum() / (N * C * H * W)


class OfClassImages(torch.nn.Module):
    """A loss of logits [N, C, H, W] and class indices [N, H, W]."""

    def forward(self, x, t):
        _, C, _, _ = x.shape
        return textbook_softmax(x.movedim(1, -1).reshape(-1, C), t.flatten()).mean()


class Unseen(torch.autograd.Function):
    """The textbook form; autograd does not see what it computes."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return textbook(x, y)

    @staticmethod
    def backward(ctx, dy):
        x, y = ctx.saved_tensors
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            return dy * torch.autograd.grad(textbook(x, y).sum(), x)[0], None


def differentiated(loss_of, values, dtype=torch.float32):
    x = torch.tensor(values, dtype=dtype, requires_grad=True)
    loss = loss_of(x)
    loss.sum().backward()
    return loss.detach().double(), x.grad.double()


def at(loss, x, y, dtype=torch.float32):
    value, slope = differentiated(lambda x: loss(x, torch.full_like(x, y)), [float(x)], dtype)
    return value.item(), slope.item()


class Row(unittest.TestCase):
    def assertWall(self, loss, label, before, after, dtype=torch.float32):
        """Finite at `before`; at `after` the gradient is NaN and the loss an ordinary number."""
        self.assertTrue(all(map(math.isfinite, at(loss, before, label, dtype))), before)
        value, slope = at(loss, after, label, dtype)
        self.assertTrue(math.isfinite(value) and math.isnan(slope), (value, slope))

    def test_nan_after_a_good_loss_16_64_and_17_33(self):
        self.assertAlmostEqual(24 * LN2, 16.64, delta=0.005)
        self.assertAlmostEqual(25 * LN2, 17.33, delta=0.005)
        for gamma in (0.1, 0.5, 0.9):
            self.assertWall(lambda x, y: textbook(x, y, gamma), 1, 16.63, 16.64)
            self.assertWall(lambda x, y: textbook(x, y, gamma), 0, -17.32, -17.33)
            for x, y in ((16.64, 1), (-17.33, 0)):
                value, slope = at(lambda x, y: sigmoid_focal_loss(x, y, None, gamma), x, y)
                exact = reference.binary(float(torch.tensor(abs(x))), gamma)
                self.assertAlmostEqual(value / exact[0], 1, delta=1e-6)
                self.assertAlmostEqual((2 * y - 1) * slope / exact[1], 1, delta=1e-6)

    def test_a_weight_by_the_cross_entropy_fails_at_14_56_for_label_0(self):
        self.assertWall(by_the_cross_entropy, 0, -14.55, -14.56)
        self.assertWall(by_the_cross_entropy, 1, 17.32, 17.33)

    def test_of_two_terms_the_one_that_does_not_count_fails_at_hopeless_examples(self):
        self.assertWall(of_two_terms, 1, 16.63, 16.64)
        self.assertWall(of_two_terms, 0, 16.63, 16.64)

    def test_an_epsilon_added_to_p_makes_the_power_one_of_a_negative_number(self):
        for gamma, told in ((0.5, 1.5e-8), (1.5, 9.4e-14)):
            self.assertTrue(math.isnan(at(lambda x, y: with_epsilon(x, y, gamma), 12, 1)[0]))
            self.assertTrue(math.isfinite(at(lambda x, y: with_epsilon(x, y, gamma), 11, 1)[0]))
            self.assertAlmostEqual(at(lambda x, y: sigmoid_focal_loss(x, y, None, gamma), 12, 1)[0] / told, 1, delta=0.05)
        self.assertTrue(math.isfinite(at(lambda x, y: with_epsilon(x, y, 2.0), 12, 1)[0]))
        for gamma in (1.0, 1.5):
            cured = lambda x, y: (1 - x.sigmoid() - 1e-5).clamp(min=0) ** gamma * F.softplus(-x)
            self.assertTrue(all(map(math.isfinite, at(cured, 20, 1))))

    def test_one_such_example_makes_every_weight_nan_and_the_loss_before_was_good(self):
        layer = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.constant_(layer.weight, 17.0)
        optimizer = torch.optim.SGD(layer.parameters(), 0.1)
        losses = []
        for _ in range(2):
            optimizer.zero_grad()
            loss = textbook(layer(torch.tensor([[1.0], [-0.1]])), torch.tensor([[1.0], [0.0]])).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        self.assertLess(losses[0], 0.1)
        self.assertTrue(math.isnan(losses[1]) and layer.weight.isnan().all())

    def test_at_gamma_2_it_is_the_exponential_that_overflows(self):
        for gamma in (0.5, 1.5, 2.0, 5.0):
            loss = lambda x, y: log_space_without_care(x, y, gamma)
            self.assertTrue(math.isfinite(at(loss, -88, 1)[1]))
            self.assertTrue(math.isnan(at(loss, -89, 1)[1]))
            self.assertAlmostEqual(at(lambda x, y: sigmoid_focal_loss(x, y, None, gamma), -89, 1)[1], -1, delta=1e-6)
            self.assertEqual(at(loss, -89, 1)[0], 0)  # of a wrong answer
            self.assertTrue(at(loss, -89, 0)[0] == 0 and math.isnan(at(loss, -89, 0)[1]))  # a right one does it too
            self.assertTrue(all(map(math.isfinite, (*at(loss, 89, 0), *at(loss, 89, 1)))))
        self.assertAlmostEqual(math.log(torch.finfo(torch.float32).max), 88.72, delta=0.005)

    def test_in_half_precision_the_wall_comes_early(self):
        self.assertWall(textbook, 1, 8.25, 8.4, torch.float16)
        self.assertWall(textbook, 1, 6.2, 6.3, torch.bfloat16)
        for dtype, x in ((torch.float16, 9.0), (torch.bfloat16, 7.0)):
            value, slope = at(lambda x, y: sigmoid_focal_loss(x, y, None, 0.5), x, 1, dtype)
            self.assertAlmostEqual(value / reference.binary(x, 0.5)[0], 1, delta=1e-6)
            self.assertAlmostEqual(slope / reference.binary(x, 0.5)[1], 1, delta=0.03)  # a subnormal float16

    def test_under_a_grad_scaler_no_nan_is_seen_but_steps_are_left_out_and_the_scale_falls(self):
        weight = torch.nn.Parameter(torch.tensor([18.0]))
        optimizer = torch.optim.SGD([weight], 0.1)
        scaler = torch.amp.GradScaler('cpu', init_scale=1024.0)
        scales = []
        for _ in range(4):
            optimizer.zero_grad()
            scaler.scale(textbook(weight, torch.ones(1)).mean()).backward()
            scaler.step(optimizer)
            scaler.update()
            scales.append(scaler.get_scale())
        self.assertEqual(scales, [512, 256, 128, 64])
        self.assertEqual(weight.item(), 18.0)

    def test_a_grad_scaler_that_fell_far_enough_spoils_the_weights_at_a_good_batch(self):
        weights = torch.nn.Parameter(torch.tensor([18.0, 0.01]))
        optimizer = torch.optim.SGD([weights], 0.1)
        scaler = torch.amp.GradScaler('cpu')
        for step in range(192):
            self.assertTrue(weights.isfinite().all(), step)
            optimizer.zero_grad()
            inputs = torch.tensor([0.1, 0.0] if step % 4 == 3 else [1.0, 1.0])  # 3 of 4 batches are bad
            scaler.scale(textbook((weights * inputs).sum(), torch.tensor(1.0))).backward()
            scaler.step(optimizer)
            scaler.update()
        self.assertEqual(scaler.get_scale(), 2.0**-128)  # 65536, halved by 144 bad batches
        self.assertEqual(weights[0].item(), math.inf)  # 1 / scale is Infinity in float32
        self.assertTrue(weights[1].isnan())  # its gradient is 0

    def test_at_gamma_2_it_is_a_wrong_answer_that_the_scaler_hides(self):
        rows = [[-90.0] + [0.0] * 20]
        slopes = differentiated(lambda x: log_of_softmax(x, torch.tensor([0])), rows)[1]
        self.assertTrue(slopes.isnan().any())
        slopes = differentiated(lambda x: softmax_focal_loss(x, torch.tensor([0])), rows)[1]
        self.assertAlmostEqual(slopes[0, 0].item(), -1, delta=1e-6)

    def test_the_mean_over_no_labels_is_nan_and_its_gradient_0(self):
        nothing = torch.full((2,), -100)
        rows = [[1.0, 2, 3], [0, 0, 0]]
        value, slopes = differentiated(lambda x: F.cross_entropy(x, nothing), rows)
        self.assertTrue(value.isnan() and (slopes == 0).all())
        value, slopes = differentiated(lambda x: softmax_focal_loss(x, nothing, reduction='mean'), rows)
        self.assertTrue(value == 0 and (slopes == 0).all())
        weight = torch.tensor([0.0, 1, 1])
        value, slopes = differentiated(lambda x: F.cross_entropy(x, torch.tensor([0, 0]), weight), rows)
        self.assertTrue(value.isnan() and slopes.isnan().all())

    def test_under_autocast_the_last_layer_overflows_and_no_loss_can_help(self):
        head = torch.nn.Linear(2, 3, bias=False)
        with torch.no_grad():
            head.weight.copy_(torch.tensor([[200.0, 200], [100, 100], [100, 100]]))
        features = torch.full((1, 2), 200.0)
        with torch.autocast('cpu', torch.float16):
            logits = head(features)
            with torch.autocast('cpu', enabled=False):
                wide = head(features.float())
        self.assertTrue(logits.isinf().any())
        self.assertEqual(wide.tolist(), [[80000, 40000, 40000]])
        for loss in (F.cross_entropy, softmax_focal_loss):
            self.assertTrue(loss(logits, torch.tensor([0])).isnan().all())
            self.assertTrue(loss(wide, torch.tensor([0])).isfinite().all())

    def test_a_mask_multiplied_in_afterwards_leaves_the_nan_in_the_gradient(self):
        y, mask = torch.ones(2), torch.tensor([False, True])
        for late in (lambda x: textbook(x, y) * mask, lambda x: torch.where(mask, textbook(x, y), 0.0)):
            value, slopes = differentiated(late, [18.0, 1.0])
            self.assertTrue(value.isfinite().all() and slopes[0].isnan())
        padded = [math.nan, 1.0]
        late = lambda x: F.binary_cross_entropy_with_logits(x, y, reduction='none') * mask
        self.assertTrue(differentiated(late, padded)[1][0].isnan())
        ignored = torch.tensor([255.0, 1.0])
        for early in (
            lambda x: textbook(x[mask], y[mask]),
            lambda x: sigmoid_focal_loss(x, ignored, None, 0.5, ignore_index=255),
        ):
            for logits in ([18.0, 1.0], padded):
                self.assertEqual(differentiated(early, logits)[1][0], 0)

    def test_a_label_that_is_none_is_computed_with(self):
        value, _ = at(lambda x, y: textbook(x, y, 2.0), 2, 255)
        self.assertAlmostEqual(value / -1.9e7, 1, delta=0.01)
        self.assertTrue(math.isnan(at(textbook, 2, 255)[0]))
        x, t = torch.zeros(2, 3), torch.tensor([0, 255])
        for loss in (F.cross_entropy, textbook_softmax):
            with self.assertRaisesRegex((IndexError, RuntimeError), 'out of bounds'):
                loss(x, t)
        with self.assertRaisesRegex(ValueError, 'labels in .0, 1., got 255'):
            at(sigmoid_focal_loss, 2, 255)
        with self.assertRaisesRegex(ValueError, 'classes 0 to 2, or -100 to be ignored, got 255'):
            softmax_focal_loss(x, t)
        self.assertEqual(softmax_focal_loss(x, t, ignore_index=255)[1], 0)

    def test_an_impossible_class_of_logit_minus_infinity_is_multiplied_by_0(self):
        row, label = torch.tensor([[1.0, 0, 0]]), torch.tensor([0])
        logits = [[1.0, 0, -math.inf]]
        self.assertTrue(differentiated(lambda x: -(row * x.log_softmax(1)).sum(), logits)[0].isnan())
        self.assertTrue(F.cross_entropy(torch.tensor(logits), row).isnan())
        self.assertEqual(F.cross_entropy(torch.tensor(logits), label, label_smoothing=0.1), math.inf)
        for targets in (row, label):
            value, slopes = differentiated(lambda x: softmax_focal_loss(x, targets, gamma=0.5), logits)
            exact = reference.softmax([1.0, 0.0], 0, 0.5)
            self.assertAlmostEqual(value.item(), exact[0], delta=1e-6)
            self.assertAlmostEqual(exact[0], 0.1625, delta=1e-4)
            for found, expected in zip(slopes[0], [*exact[1], 0]):
                self.assertAlmostEqual(found.item(), expected, delta=1e-6)
        self.assertEqual(softmax_focal_loss(torch.tensor(logits), torch.tensor([2])).item(), math.inf)

    def test_a_clamp_of_1e_4_is_none_in_float16(self):
        value, _ = at(center, 9, 0, torch.float16)
        self.assertEqual(value, math.inf)
        value, slope = at(lambda x, y: sigmoid_focal_loss(x, y, None, 2.0), 9, 0, torch.float16)
        self.assertAlmostEqual(value, 8.99790, delta=1e-4)
        self.assertAlmostEqual(slope, 1.00185, delta=2e-3)

    def test_in_softmax_the_wall_is_a_gap_of_logits(self):
        for classes, (low, high) in {3: (16.5, 18.5), 21: (18.5, 21), 1000: (22, 25)}.items():
            (found,) = [
                f for f in find_nan(textbook_softmax, softmax=classes) if math.isnan(f.gradient)
            ]
            self.assertTrue(low < found.logit < high, (classes, found))
            self.assertIn('softmax', found.row)
            offset = torch.zeros(1, classes)
            offset[0, 0] = found.logit
            for shift in (0.0, -5.0):  # it is the gap, not the logit
                _, slopes = differentiated(lambda x: textbook_softmax(x, torch.tensor([0])), (offset + shift).tolist())
                self.assertTrue(slopes.isnan().any())
            exact = reference.softmax([found.logit] + [0.0] * (classes - 1), 0, 0.5)
            value, slopes = differentiated(lambda x: softmax_focal_loss(x, torch.tensor([0]), gamma=0.5), offset.tolist())
            self.assertAlmostEqual(value.item() / exact[0], 1, delta=1e-5)
            self.assertAlmostEqual(slopes[0, 0].item() / exact[1][0], 1, delta=1e-5)

    def test_in_softmax_the_wall_of_pixels_is_another_than_that_of_rows(self):
        """Along a dimension that is not the last, PyTorch on a CPU adds the classes to the sum in their order."""

        def pixels_are_finite(classes, right, gap):
            x = torch.zeros(1, classes, 8, 8)
            x[:, right] = gap
            labels = torch.full((1, 8, 8), right)
            return differentiated(lambda x: textbook_softmax(x, labels), x.tolist())[1].isfinite().all()

        for classes, right, wall in ((2, 0, 16.64), (21, 0, 16.64), (1000, 0, 16.64), (3, 2, 17.33), (21, 20, 19.63)):
            self.assertTrue(pixels_are_finite(classes, right, wall - 0.02), (classes, right))
            self.assertFalse(pixels_are_finite(classes, right, wall + 0.02), (classes, right))

    def test_with_logsumexp_the_wall_of_softmax_comes_sooner_and_depends_on_where_the_logits_lie(self):
        def with_logsumexp(x):
            log_p = x[:, 0] - x.logsumexp(1)
            return -((1 - log_p.exp()) ** 0.5) * log_p

        def is_finite(gap, others):
            return differentiated(with_logsumexp, [[others + gap] + [others] * 20])[1].isfinite().all()

        (found,) = [f for f in find_nan(textbook_softmax, softmax=21) if math.isnan(f.gradient)]
        self.assertTrue(is_finite(17.1, 0.0))
        self.assertFalse(is_finite(17.2, 0.0))
        self.assertGreater(found.logit, 17.2)
        self.assertTrue(is_finite(14.0, 0.0))
        self.assertFalse(is_finite(17.0, 64.0))

    def test_asymmetric_loss_fails_where_its_clip_begins(self):
        self.assertAlmostEqual(-math.log(19), -2.944, delta=0.001)
        self.assertWall(asymmetric, 0, -2.93, -3)
        self.assertTrue(math.isfinite(at(lambda x, y: asymmetric(x, y, gamma_neg=1.0), -3, 0)[1]))
        self.assertWall(lambda x, y: asymmetric(x, y, gamma_pos=0.5), 1, 16.62, 16.65)

    def test_quality_focal_loss_fails_at_its_very_target(self):
        self.assertWall(quality, 0.5, 0.01, 0.0)
        self.assertWall(quality, 0, -88, -89)
        self.assertWall(quality, 1, 16.63, 16.64)
        self.assertTrue(all(map(math.isfinite, at(lambda x, y: quality(x, y, 2.0), 0, 0.5))))
        (found,) = [f for f in find_nan(quality, labels=(0.7,)) if 0 < f.label < 1]
        self.assertAlmostEqual(found.logit, math.log(0.7 / 0.3), delta=1e-6)

    def test_varifocal_loss_fails_at_its_wrong_or_right_zeros(self):
        self.assertTrue(math.isnan(at(varifocal, -110, 0)[1]))
        self.assertTrue(math.isfinite(at(lambda x, y: varifocal(x, y, gamma=2.0), -110, 0)[1]))
        self.assertWall(varifocal_by_distance, 1, 16.63, 16.64)
        self.assertWall(varifocal_by_distance, 0, -88, -89)
        self.assertAlmostEqual(reference.binary(16.64, 0.0)[1] / -6e-8, 1, delta=0.05)

    def test_focal_tversky_loss_fails_on_a_perfect_mask(self):
        y = torch.tensor([1.0, 1, 0, 0])
        x = [20.0, 20, -20, -20]
        for loss in (lambda x, y: (1 - tversky_index(x, y)) ** 0.75, focal_tversky, log_dice):
            value, slopes = differentiated(lambda x: loss(x, y), x)
            self.assertEqual(value.item(), 0)
            self.assertTrue(slopes.isnan().all())
            _, slopes = differentiated(lambda x: loss(x, torch.zeros(4)), [-20.0] * 4)
            self.assertTrue(slopes.isnan().all())
        _, slopes = differentiated(lambda x: (1 - tversky_index(x, y) + 1e-3) ** 0.75, x)
        self.assertTrue(slopes.isfinite().all())

    def test_an_empty_mask_is_0_by_0_without_smoothing(self):
        y = torch.zeros(4)
        value, slopes = differentiated(lambda x: dice_without_smoothing(x, y), [-110.0] * 4)
        self.assertTrue(value.isnan() and slopes.isnan().all())
        value, slopes = differentiated(lambda x: dice_without_smoothing(x, y), [1.0] * 4)
        self.assertTrue(value == 1 and (slopes == 0).all())
        value, slopes = differentiated(lambda x: dice(x, y), [-110.0] * 4)
        self.assertTrue(value == 0 and slopes.isfinite().all())

    def test_without_a_clamp_the_sigmoid_itself_takes_the_gradient_away(self):
        for loss in (dice, tversky_index, lambda x, y: (x.sigmoid() - y) ** 2, lambda x, y: -torch.log(1 - x.sigmoid() + 1e-7)):
            self.assertEqual(at(loss, 16.64, 0)[1], 0)
        self.assertAlmostEqual(at(lambda x, y: sigmoid_focal_loss(x, y, None), 16.64, 0)[1], 1, delta=1e-4)

    def test_dice_and_focal_are_nan_by_the_focal_term(self):
        y = torch.tensor([1.0, 0])
        x = [18.0, -1.0]
        both = lambda focal: differentiated(lambda x: dice(x, y) + focal(x, y).mean(), x)[1]
        self.assertTrue(both(textbook).isnan().any())
        self.assertTrue(differentiated(lambda x: dice(x, y), x)[1].isfinite().all())
        self.assertTrue(both(lambda x, y: sigmoid_focal_loss(x, y, None, 0.5)).isfinite().all())

    def test_the_log_of_a_rounded_probability_is_infinite(self):
        self.assertEqual(at(of_probabilities, 16.64, 0)[0], math.inf)
        self.assertEqual(at(of_probabilities, -89, 1)[0], math.inf)
        self.assertTrue(math.isnan(at(of_probabilities, 16.64, 1)[0]))  # 0 log 0 of the term that does not count
        for x, y in ((16.64, 0), (-89, 1)):
            self.assertAlmostEqual(at(lambda x, y: sigmoid_focal_loss(x, y, None), x, y)[0], abs(x), delta=1e-4)

    def test_the_log_of_a_subnormal_probability_has_a_finite_loss_and_a_gradient_of_nan(self):
        for dtype, before, after, told in ((torch.float32, -85.7, -85.73, 88.72), (torch.float16, -8.0, -8.09, 11.09)):
            rows = lambda gap: [[gap] + [0.0] * 20]
            for gamma in (0.5, 2.0):
                loss = lambda x: log_of_softmax(x, torch.tensor([0]), gamma)
                self.assertTrue(differentiated(loss, rows(before), dtype)[1].isfinite().all())
                value, slopes = differentiated(loss, rows(after), dtype)
                self.assertAlmostEqual(value.item(), told, delta=0.01)
                self.assertTrue(slopes.isnan().any())
            value, slopes = differentiated(lambda x: softmax_focal_loss(x, torch.tensor([0])), rows(after), dtype)
            self.assertAlmostEqual(value.item(), told, delta=0.02)
            self.assertAlmostEqual(slopes[0, 0].item(), -1, delta=0.01)

    def test_clamping_takes_the_gradient_from_hopeless_examples(self):
        self.assertEqual(at(clamped, -17, 1)[1], 0)
        self.assertAlmostEqual(at(lambda x, y: sigmoid_focal_loss(x, y, None), -17, 1)[1], -1, delta=1e-5)
        for epsilon, told in ((2.0**-126, 87.34), (1e-12, 27.63), (1e-7, 16.12), (1e-4, 9.21)):
            value, slope = at(lambda x, y: clamped(x, y, epsilon=epsilon), -100, 1)
            self.assertAlmostEqual(value, told, delta=0.005)
            self.assertEqual(slope, 0)

    def test_of_a_weighted_cross_entropy_the_exponential_is_no_probability(self):
        x, t, weight = torch.zeros(1, 2), torch.tensor([0]), torch.tensor([3.0, 1])
        self.assertAlmostEqual(torch.exp(-F.cross_entropy(x, t)).item(), 0.5, delta=1e-6)
        self.assertAlmostEqual(torch.exp(-F.cross_entropy(x, t, weight, reduction='none')).item(), 0.125, delta=1e-6)
        smoothed = F.cross_entropy(torch.tensor([[9.0, 0]]), t, label_smoothing=0.1)
        self.assertGreater(abs(torch.exp(-smoothed).item() - 1), 0.3)
        exact = reference.softmax([0.0, 0.0], 0, 2.0)[0]
        self.assertAlmostEqual(softmax_focal_loss(x, t, alpha=weight).item(), 3 * exact, delta=1e-6)

    def test_logits_given_for_probabilities_have_a_loss_of_0(self):
        p = torch.tensor(2.0).clamp(1e-7, 1 - 1e-7)
        self.assertLess(-p.log().item(), 2e-7)
        self.assertAlmostEqual(sigmoid_focal_loss(torch.tensor(2.0), torch.tensor(1.0), None, 0.0).item(), 0.127, delta=5e-4)

    def test_probabilities_given_for_logits_leave_a_loss_that_does_not_fall(self):
        for gamma, told in ((0.0, LN2), (2.0, 0.173)):
            losses = sigmoid_focal_loss(torch.linspace(0, 1, 101), torch.zeros(101), None, gamma)
            self.assertAlmostEqual(losses.min().item(), told, delta=5e-4)

    def test_a_detached_weight_is_finite_and_wrong(self):
        worst = 0
        for z in reference.MARGINS:
            if abs(z) <= 8:
                slope = at(detached, z, 1)[1]
                worst = max(worst, abs(slope / reference.binary(z, 2.0)[1] - 1))
        self.assertAlmostEqual(worst, 2 / 3, delta=0.01)

    def test_it_is_not_the_loss(self):
        x = torch.tensor([math.nan, 1.0])  # a NaN in the inputs of the loss
        self.assertTrue(sigmoid_focal_loss(x, torch.ones(2), reduction='mean').isnan())
        weight = torch.nn.Parameter(torch.tensor([1.0]))  # a learning rate under which the weights themselves overflow
        optimizer = torch.optim.SGD([weight], 10.0)
        for _ in range(60):
            optimizer.zero_grad()
            (weight**2).sum().backward()
            optimizer.step()
        self.assertFalse(weight.isfinite().all())


DIAGNOSIS = (Path(__file__).resolve().parents[1] / 'DIAGNOSIS.md').read_text()


class Anomaly(unittest.TestCase):
    table = re.search(r'## What `detect_anomaly` says.*?\n(\| it names .*?)\n\n', DIAGNOSIS, re.S)[1].split('\n')[2:]

    def test_it_names_what_the_table_says(self):
        one, zero, first = torch.ones(1), torch.zeros(1), torch.tensor([0])
        power, log, exponential, division, logits = (row.split('|')[1] for row in self.table)
        for loss, x, y, row in (
            (textbook, [17.0], one, power),
            (textbook, [-18.0], zero, power),
            (of_two_terms, [17.0], one, power),
            (by_the_cross_entropy, [-15.0], zero, power),
            (by_the_cross_entropy, [17.5], one, power),
            (textbook_softmax, [[20.0, 0, 0]], first, power),
            (asymmetric, [-3.0], zero, power),
            (quality, [0.0], 0.5 * one, power),
            (varifocal, [-110.0], zero, power),
            (focal_tversky, [20.0, -20], torch.tensor([1.0, 0]), power),
            (of_probabilities, [17.0], one, log),
            (of_probabilities, [17.0], zero, log),
            (selected, [17.0], one, log),
            (log_of_softmax, [[-90.0] + [0.0] * 20], first, log),
            (log_of_softmax, [[-120.0] + [0.0] * 20], first, log),
            (log_space_without_care, [-89.0], one, exponential),
            (dice_without_smoothing, [-110.0] * 4, torch.zeros(4), division),
            (F.cross_entropy, [[math.inf, 0, 0]], first, logits),
            (of_a_weighted_cross_entropy, [[16.0, 0, 0]], first, logits),
        ):
            x = torch.tensor(x, requires_grad=True)
            with (
                warnings.catch_warnings(),
                torch.autograd.set_detect_anomaly(True),
                self.assertRaisesRegex(RuntimeError, 'returned nan values') as raised,
            ):
                warnings.simplefilter('ignore')  # which tells the line
                loss(x, y).sum().backward()
            name = re.search(r"'(\w+?)\d'", str(raised.exception))[1]
            self.assertIn(name, row)


class Instead(unittest.TestCase):
    """The lines of 'What to write instead', as they stand there."""

    block = re.search(r'## What to write instead.*?```python\n(.*?)```', DIAGNOSIS, re.S)[1]
    lines = dict(re.findall(r'^# ([^,:\n]+).*\n(.+)$', block, re.M))

    def run_line(self, name, x, **names):
        names |= {'torch': torch, 'F': F, 'x': x, 'p': x.sigmoid()}
        exec(self.lines[name], names)
        return names

    def finite_everywhere(self, loss, labels, dtype=torch.float32):
        sizes = [0, 0.8472979, 1, 2.9444, 3, 5, 16.63, 16.64, 17.33, 20, 88.72, 88.73, 89, 104, 110, 1000]
        for label in labels:
            for x in {s * size for size in sizes for s in (1, -1)}:
                self.assertTrue(all(map(math.isfinite, at(loss, x, label, dtype))), (label, x))

    def test_each_line_is_tested_here(self):
        self.assertEqual(
            set(self.lines),
            {'quality focal loss', 'varifocal loss', 'asymmetric loss', 'focal Tversky loss', 'a mask'},
        )

    def test_quality_focal_loss(self):
        def cured(x, y):
            weight = self.run_line('quality focal loss', x, y=y, beta=0.5)['weight']
            return weight * F.binary_cross_entropy_with_logits(x, y, reduction='none')

        self.finite_everywhere(cured, (1, 0, 0.5, 0.7))
        self.assertEqual(find_nan(cured), [])
        for x in (-3, 0.2, 4):
            for y in (1, 0, 0.7):
                self.assertAlmostEqual(at(cured, x, y)[0] / at(quality, x, y)[0], 1, delta=0.04)

    def test_varifocal_loss_is_the_same_function(self):
        def cured(x, y):
            weight = self.run_line('varifocal loss', x, y=y, alpha=0.75, gamma=0.5)['weight']
            return weight * F.binary_cross_entropy_with_logits(x, y, reduction='none')

        self.finite_everywhere(cured, (1, 0, 0.5, 0.7))
        self.assertEqual(find_nan(cured), [])
        for x in (-10, -3, 0.2, 4):
            for y in (1, 0, 0.7):
                for found, expected in zip(at(cured, x, y), at(varifocal, x, y)):
                    self.assertAlmostEqual(found / expected, 1, delta=1e-5)

    def test_asymmetric_loss(self):
        def cured(x, y, gamma_pos=0.5, gamma_neg=0.5, clip=0.05):
            p = torch.sigmoid(x)
            negative = (1 - p + clip).clamp(max=1)
            loss = y * F.logsigmoid(x) + (1 - y) * negative.clamp(min=1e-8).log()
            p_t = p * y + negative * (1 - y)
            settings = {'y': y, 'p_t': p_t, 'gamma_pos': gamma_pos, 'gamma_neg': gamma_neg}
            return -loss * self.run_line('asymmetric loss', x, **settings)['weight']

        self.finite_everywhere(cured, (1, 0))
        for x, y in ((-2.9, 0), (0, 0), (-3, 1), (4, 1)):
            for found, expected in zip(at(cured, x, y), at(lambda x, y: asymmetric(x, y, gamma_pos=0.5), x, y)):
                self.assertAlmostEqual(found / expected, 1, delta=1e-4)
        self.assertEqual(at(cured, -3, 0), (0, 0))

    def test_focal_tversky_loss(self):
        def cured(x, y):
            return self.run_line('focal Tversky loss', x, TI=tversky_index(x, y), gamma=0.75)['loss']

        for logits, labels in (([20.0, 20, -20, -20], [1.0, 1, 0, 0]), ([-110.0] * 4, [0.0] * 4), ([110.0] * 4, [1.0] * 4)):
            value, slopes = differentiated(lambda x: cured(x, torch.tensor(labels)), logits)
            self.assertTrue(value.isfinite() and slopes.isfinite().all())
        self.finite_everywhere(cured, (1, 0))
        self.assertAlmostEqual(at(cured, -3, 1)[0] / at(focal_tversky, -3, 1)[0], 1, delta=0.01)

    def test_a_mask(self):
        y, mask = torch.ones(2), torch.tensor([False, True])

        def cured(x):
            return textbook(self.run_line('a mask', x, mask=mask)['x'], y) * mask

        for masked in (18.0, math.nan, math.inf):
            _, slopes = differentiated(cured, [masked, 1.0])
            self.assertEqual(slopes[0], 0)
            self.assertEqual(slopes[1].item(), at(textbook, 1, 1)[1])


class Table(unittest.TestCase):
    def test_every_row_that_the_scanner_names_is_there_in_italics(self):
        italics = ' '.join(re.findall(r'(?<!\*)\*([^*]+)\*', DIAGNOSIS.replace('\\|', '|')))
        rows = [value for name, value in vars(find_nan_torch).items() if name.isupper() and isinstance(value, str)]
        self.assertGreater(len(rows), 12)
        for row in rows:
            if row != find_nan_torch.NO_ROW:
                self.assertIn(row.removeprefix('gradient 0 for hopeless examples: ').removesuffix(' in it'), italics)

    def test_the_true_gradients_of_the_table_are_those_of_50_digits(self):
        for margin, gamma, factor, told in (
            (16.64, 0.5, 1, '-2.2e-11'),
            (16.64, 0.0, 1, '-6e-8'),
            (8.4, 0.5, 1, '-5.1e-6'),
            (6.3, 0.5, 1, '-1.2e-4'),
            (110.0, 0.5, -0.75, '2.5e-72'),
            (-89.0, 2.0, 1, '-1.0'),
            (-9.0, 2.0, -1, '1.0019'),
        ):
            self.assertIn(told, DIAGNOSIS)
            self.assertAlmostEqual(factor * reference.binary(margin, gamma)[1] / float(told), 1, delta=0.05, msg=told)


class Scanner(unittest.TestCase):
    def row_of(self, loss, label, **how):
        return [f for f in find_nan(loss, **how) if f.label == label][0]

    def test_it_finds_the_first_logit_to_a_float32_and_names_the_row(self):
        overflow, clip = math.log(torch.finfo(torch.float32).max), find_nan_torch.CLIP
        for loss, label, logit, row in (
            (textbook, 1, 24 * LN2, find_nan_torch.ROUNDED),
            (textbook, 0, -25 * LN2, find_nan_torch.ROUNDED),
            (by_the_cross_entropy, 0, -14.556, find_nan_torch.ROUNDED),
            (of_two_terms, 1, 24 * LN2, find_nan_torch.ROUNDED),
            (of_two_terms, 0, 24 * LN2, find_nan_torch.ROUNDED),
            (of_two_terms, 0, -overflow, find_nan_torch.ROUNDED),
            (lambda x, y: dice(x, y) + textbook(x, y).mean(), 1, 24 * LN2, find_nan_torch.ROUNDED),
            (log_space_without_care, 1, -overflow, find_nan_torch.OVERFLOW),
            (log_space_without_care, 0, -overflow, find_nan_torch.OVERFLOW),
            (log_space_on_the_margin, 1, -overflow, find_nan_torch.OVERFLOW),
            (log_space_on_the_margin, 0, -overflow, find_nan_torch.OVERFLOW),
            (lambda x, y: y * torch.log(1 + torch.exp(-x)), 1, -overflow, find_nan_torch.OVERFLOW),
            (asymmetric, 0, -math.log(19), clip),
            (lambda x, y: asymmetric(x, y, clip=0.1), 0, -math.log(9), clip),
            (lambda x, y: asymmetric(x, y, gamma_pos=0.5), 1, 24 * LN2, find_nan_torch.ROUNDED),
            (quality, 0.5, 0, find_nan_torch.QUALITY),
            (quality, 0.7, math.log(0.7 / 0.3), find_nan_torch.QUALITY),
            (quality, 1, 24 * LN2, find_nan_torch.QUALITY),
            (quality, 0, -overflow, find_nan_torch.QUALITY),
            (varifocal, 0, -overflow, find_nan_torch.VARIFOCAL),
            (varifocal, 1, -overflow, find_nan_torch.VARIFOCAL),
            (varifocal_by_distance, 1, 24 * LN2, find_nan_torch.VARIFOCAL),
            (varifocal_by_distance, 0, -overflow, find_nan_torch.VARIFOCAL),
            (varifocal_by_distance, 0.7, math.log(0.7 / 0.3), find_nan_torch.VARIFOCAL),
            (focal_tversky, 1, 24 * LN2, find_nan_torch.TVERSKY),
            (focal_tversky, 0, -15.43156, find_nan_torch.TVERSKY),
            (log_dice, 1, 24 * LN2, find_nan_torch.TVERSKY),
            (dice_without_smoothing, 0, -88.0297, find_nan_torch.NOTHING),
            (of_probabilities, 0, 24 * LN2, find_nan_torch.LOG),
            (of_probabilities, 1, -overflow, find_nan_torch.LOG),
            (lambda x, y: -y * x.sigmoid().log(), 1, -overflow, find_nan_torch.LOG),
            (selected, 1, 24 * LN2, find_nan_torch.LOG),
            (clamped, 1, -math.log(1e7), find_nan_torch.CLAMP),
            (dice, 0, 24 * LN2, find_nan_torch.FADING),
            (dice, 1, -overflow, find_nan_torch.FADING),
            (lambda x, y: (x.sigmoid() - y) ** 2, 0, 24 * LN2, find_nan_torch.FADING),
            (detached, 1, -3, find_nan_torch.DETACHED),
        ):
            found = [f for f in find_nan(loss) if f.label == label and abs(f.logit - logit) < 5e-4]
            self.assertEqual(len(found), 1, (row, label, logit))
            self.assertTrue(found[0].row.startswith(row), (found[0], row))
        for gamma in (0.5, 1.5):
            for label, sign in ((1, 1), (0, -1)):
                found = self.row_of(lambda x, y: with_epsilon(x, y, gamma), label)
                self.assertAlmostEqual(found.logit, sign * 11.51, delta=0.01)
                self.assertEqual(found.row, find_nan_torch.NEGATIVE)
        self.assertIn('(a clip of 0.1)', self.row_of(lambda x, y: asymmetric(x, y, clip=0.1), 0).row)

    def test_in_half_precision_it_tells_the_format_that_the_loss_computes_in(self):
        half = {'dtype': torch.float16}
        for loss, label, logit, row, begins in (
            (textbook, 1, 12 * LN2, find_nan_torch.ROUNDED, 'power in float16'),
            (lambda x, y: textbook(x.float(), y.float()), 1, 24 * LN2, find_nan_torch.ROUNDED, 'power in float32'),
            (lambda x, y: textbook(x.float(), y.float()), 0, -25 * LN2, find_nan_torch.ROUNDED, 'power in float32'),
            (lambda x, y: textbook(x.bfloat16(), y.bfloat16()), 1, 9 * LN2, find_nan_torch.ROUNDED, 'power in bfloat16'),
            (lambda x, y: quality(x.float(), y.float()), 1, 24 * LN2, find_nan_torch.QUALITY, 'power in float32'),
            (quality, 0, -25 * LN2, find_nan_torch.QUALITY, 'power in float16'),
            (lambda x, y: -y * x.sigmoid().log(), 1, -16 * LN2, find_nan_torch.SUBNORMAL, 'log in float16'),
            (center, 0, 12 * LN2, find_nan_torch.HALF_CLAMP, 'log in float16'),
        ):
            found = [f for f in find_nan(loss, **half) if f.label == label and abs(f.logit - logit) < 0.03 and f.begins]
            self.assertEqual(len(found), 1, (row, label, logit))
            self.assertTrue(found[0].row.startswith(row), found[0])
            self.assertTrue(found[0].begins.startswith(begins), found[0])
            self.assertEqual(found[0].logit, torch.tensor(found[0].logit, dtype=torch.float16).item())
        inside = self.row_of(lambda x, y: textbook(x.half(), y.half()), 1)
        self.assertTrue(inside.begins.startswith('power in float16'))

    def test_it_tells_the_line(self):
        begins = self.row_of(lambda x, y: dice(x, y) + textbook(x, y).mean(), 1).begins
        self.assertRegex(begins, r'^power in float32, test_diagnosis.py:\d+: return \(1 - p_t\) \*\* gamma \* F.binary')

    def test_where_no_operation_is_seen_it_says_perhaps(self):
        for label, wall in ((1, 24 * LN2), (0, -25 * LN2)):
            found = self.row_of(Unseen.apply, label)
            self.assertAlmostEqual(found.logit, wall, delta=2e-4)
            self.assertRegex(found.row, r'^perhaps, by its place alone: 1 - p_t is rounded to 0, in float32')
        half = self.row_of(lambda x, y: Unseen.apply(x.float(), y.float()), 1, dtype=torch.float16)
        self.assertRegex(half.row, r'rounded to 0, in float32')

    def test_for_softmax_too(self):
        for loss, logit, row, how in (
            (log_of_softmax, -85.727, 'log of a p', {'softmax': 21}),
            (log_of_softmax, -8.09, 'log of a p so small', {'softmax': 21, 'dtype': torch.float16}),
            (softmax_of_exponentials, 88.7228, 'e^x overflows', {'softmax': 21}),
            (textbook_softmax, 10.62, 'the gap of the logits', {'softmax': 21, 'dtype': torch.float16}),
        ):
            found = next(f for f in find_nan(loss, **how) if abs(f.logit - logit) < 0.01)
            self.assertIn(row, found.row)
        classes = F.one_hot(torch.zeros(1, dtype=torch.long), 3).float()
        self.assertEqual(find_nan(lambda x, y: of_one_hot_rows(x, classes), softmax=3)[0].row, find_nan_torch.GAP)

    def test_it_finds_none_where_there_is_none(self):
        for dtype in (torch.float32, torch.float16, torch.bfloat16):
            self.assertEqual(find_nan(lambda x, y: sigmoid_focal_loss(x, y, gamma=0.5), dtype=dtype), [])
            self.assertEqual(find_nan(lambda x, y: softmax_focal_loss(x, y, gamma=0.5), softmax=3, dtype=dtype), [])

    def test_a_reduced_loss_is_scanned_too_and_labels_that_it_refuses_are_passed_over(self):
        def strict(x, y):
            if y.item() not in (0, 1):
                raise ValueError('hard labels only')
            return textbook(x, y).mean()

        self.assertEqual({f.label for f in find_nan(strict)}, {0, 1})
        with self.assertRaisesRegex(ValueError, r'cannot be called as a loss of inputs \[1\] and targets \[1\]. TypeError: .* Wrap a loss'):
            find_nan(lambda x: x)

    def test_it_says_so_when_the_kind_of_loss_is_the_other_one(self):
        with self.assertRaisesRegex(ValueError, 'did you mean --softmax CLASSES'):
            find_nan(textbook_softmax)
        with self.assertRaisesRegex(ValueError, r'its gradients at the logits 0, 2 and -2 are \[nan, nan, nan\]. .* did you mean --softmax CLASSES'):
            find_nan(ByTheCrossEntropy())  # which takes one logit for a class, and its label for a probability
        self.assertEqual(find_nan(ByTheCrossEntropy(), softmax=3)[0].row, find_nan_torch.GAP)
        with self.assertRaisesRegex(ValueError, 'leave out --softmax'):
            find_nan(strictly_binary, softmax=3)

    def test_it_says_how_to_call_or_wrap_what_takes_something_else(self):
        for loss, how, said in (
            (OfImages, {}, r'expected a loss, got the class OfImages: give an instance, OfImages\(\.\.\.\)'),
            (OfImages(0.5), {}, r'expected 4, got 1\). It takes labels of another shape: --shape 1 1 8 8 \(shape=\(1, 1, 8, 8\)'),
            (OfClassImages(), {}, r'did you mean --softmax CLASSES .* with --shape 1 8 8'),
            (OfClassImages(), {'softmax': 3}, r'another shape: --shape 1 8 8 '),
            (of_probabilities_strictly, {}, r'between 0 and 1. It takes probabilities: report\(lambda x, y: loss\(x.sigmoid\(\), y\)\)'),
            (of_one_hot_rows, {}, r'It takes one-hot labels: report\(.*softmax=C\)'),
            (of_one_hot_rows, {'softmax': 3}, r'are \[0.0, 0.0, 0.0\]. It takes one-hot labels'),
            (lambda x, y, z: x, {}, r"missing 1 required positional argument: 'z'. Wrap a loss that takes something else: report"),
            (lambda x, y: (x, y), {}, r'it returned tuple, expected a tensor'),
            (lambda x, y: x.detach(), {}, r'it has no gradient: it detaches its inputs'),
        ):
            with self.assertRaisesRegex(ValueError, said):
                find_nan(loss, **how)

    def test_what_it_says_works(self):
        wrapped = lambda x, y: of_one_hot_rows(x, F.one_hot(y, 3).movedim(-1, 1).float())
        for found in (
            find_nan(OfImages(0.5), shape=(1, 1, 8, 8)),
            find_nan(OfClassImages(), softmax=2, shape=(1, 8, 8)),
            find_nan(lambda x, y: of_probabilities_strictly(x.sigmoid(), y)),
            find_nan(wrapped, softmax=3),
            find_nan(focal_tversky, shape=(1, 1, 4, 4)),
        ):
            self.assertTrue(any(math.isnan(f.gradient) and 14 < f.logit < 19 for f in found), found)

    def test_the_command_line_ends_in_one_sentence_when_it_cannot_go_on(self):
        for arguments, said in (
            (['--set', 'gamma=2'], 'did you mean --softmax'),
            (['--softmax', '3', '--set', 'gama=2'], "unexpected keyword argument 'gama'"),
        ):
            with (
                mock.patch('sys.argv', ['find_nan_torch.py', f'{__file__}:textbook_softmax', *arguments]),
                self.assertRaisesRegex(SystemExit, said),
            ):
                find_nan_torch.main()

    def test_from_a_class_the_command_line_makes_an_instance(self):
        said = io.StringIO()
        name = f'{__file__}:OfImages'
        with (
            mock.patch('sys.argv', ['x', name, '--shape', '1', '1', '2', '2', '--set', 'gamma=0.5']),
            redirect_stdout(said),
        ):
            find_nan_torch.main()
        self.assertRegex(said.getvalue(), r'label 1: logit 16\.6355')
        with (
            mock.patch('sys.argv', ['x', name, '--shape', '1', '1', '2', '2']),
            self.assertRaisesRegex(SystemExit, r"OfImages\(\) raised TypeError: .*'gamma'. --set gives its arguments"),
        ):
            find_nan_torch.main()

    def test_every_set_counts(self):
        said = io.StringIO()
        arguments = ['--set', 'beta=2.0', '--set', 'beta=0.5', 'scale=3.0', '--set', 'offset=1.0']
        with mock.patch('sys.argv', ['x', f'{__file__}:told_settings', *arguments]), redirect_stdout(said):
            find_nan_torch.main()
        self.assertIn('0.5 3.0 1.0', said.getvalue())
        with (
            mock.patch('sys.argv', ['x', f'{__file__}:told_settings', '--set', 'beta']),
            mock.patch('sys.stderr', said),
            self.assertRaises(SystemExit),
        ):
            find_nan_torch.main()
        self.assertIn('NAME=VALUE, got beta', said.getvalue())

    def test_from_the_command_line(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / 'my_losses.py'
            file.write_text(
                'import torch\n'
                'def focal(x, y, gamma=2.0):\n'
                '    p = torch.sigmoid(x)\n'
                '    p_t = p * y + (1 - p) * (1 - y)\n'
                '    return -((1 - p_t) ** gamma) * torch.log(p_t + 1e-45)\n'
            )
            said = io.StringIO()
            with mock.patch('sys.argv', ['find_nan_torch.py', f'{file}:focal', '--set', 'gamma=0.5']), redirect_stdout(said):
                find_nan_torch.main()
        self.assertRegex(said.getvalue(), r'label 1: logit 16\.6355\d*: loss .*, gradient nan\n    1 - p_t is rounded to 0')


if __name__ == '__main__':
    unittest.main()
