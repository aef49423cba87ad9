"""Every row of DIAGNOSIS.md: the input at which a loss of that kind fails, what is true there, and that the cure holds.

The losses are written down here as papers and libraries have them, so that the test needs PyTorch alone; `npm run census` measures
the libraries themselves.
"""

import io
import math
import sys
import tempfile
import unittest
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


def tversky_index(x, y, alpha=0.7, beta=0.3, smooth=1.0):
    p = x.sigmoid()
    hits, misses, alarms = (p * y).sum(), ((1 - p) * y).sum(), (p * (1 - y)).sum()
    return (hits + smooth) / (hits + alpha * misses + beta * alarms + smooth)


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


def dice(x, y):
    p = x.sigmoid()
    return 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)


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

    def test_asymmetric_loss_fails_where_its_clip_begins(self):
        self.assertAlmostEqual(-math.log(19), -2.944, delta=0.001)
        self.assertWall(asymmetric, 0, -2.93, -3)
        self.assertTrue(math.isfinite(at(lambda x, y: asymmetric(x, y, gamma_neg=1.0), -3, 0)[1]))
        self.assertWall(lambda x, y: asymmetric(x, y, gamma_pos=0.5), 1, 16.62, 16.65)

    def test_quality_focal_loss_fails_at_its_very_target(self):
        self.assertWall(quality, 0.5, 0.01, 0.0)
        self.assertWall(quality, 0, -88, -89)
        self.assertTrue(all(map(math.isfinite, at(lambda x, y: quality(x, y, 2.0), 0, 0.5))))
        (found,) = [f for f in find_nan(quality, labels=(0.7,)) if 0 < f.label < 1]
        self.assertAlmostEqual(found.logit, math.log(0.7 / 0.3), delta=1e-6)

    def test_varifocal_loss_fails_at_its_wrong_or_right_zeros(self):
        self.assertTrue(math.isnan(at(varifocal, -110, 0)[1]))
        self.assertTrue(math.isfinite(at(lambda x, y: varifocal(x, y, gamma=2.0), -110, 0)[1]))

    def test_focal_tversky_loss_fails_on_a_perfect_mask(self):
        y = torch.tensor([1.0, 1, 0, 0])
        x = [20.0, 20, -20, -20]
        value, slopes = differentiated(lambda x: (1 - tversky_index(x, y)) ** 0.75, x)
        self.assertEqual(value.item(), 0)
        self.assertTrue(slopes.isnan().all())
        _, slopes = differentiated(lambda x: (1 - tversky_index(x, y) + 1e-3) ** 0.75, x)
        self.assertTrue(slopes.isfinite().all())

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


class Table(unittest.TestCase):
    def test_the_true_gradients_of_the_table_are_those_of_50_digits(self):
        text = (Path(__file__).resolve().parents[1] / 'DIAGNOSIS.md').read_text()
        for margin, gamma, factor, told in (
            (16.64, 0.5, 1, '-2.2e-11'),
            (16.64, 0.0, 1, '-6e-8'),
            (8.4, 0.5, 1, '-5.1e-6'),
            (6.3, 0.5, 1, '-1.2e-4'),
            (110.0, 0.5, -0.75, '2.5e-72'),
            (-89.0, 2.0, 1, '-1.0'),
            (-9.0, 2.0, -1, '1.0019'),
        ):
            self.assertIn(told, text)
            self.assertAlmostEqual(factor * reference.binary(margin, gamma)[1] / float(told), 1, delta=0.05, msg=told)


class Scanner(unittest.TestCase):
    def row_of(self, loss, label, **how):
        return [f for f in find_nan(loss, **how) if f.label == label][0]

    def test_it_finds_the_first_logit_to_a_float32_and_names_the_row(self):
        for loss, label, logit, row in (
            (textbook, 1, 24 * LN2, '1 - p_t is rounded to 0'),
            (textbook, 0, -25 * LN2, '1 - p_t is rounded to 0'),
            (log_space_without_care, 1, -math.log(torch.finfo(torch.float32).max), 'overflows'),
            (asymmetric, 0, -math.log(19), 'asymmetric'),
            (quality, 0.5, 0, 'quality'),
            (quality, 0.7, math.log(0.7 / 0.3), 'quality'),
            (of_probabilities, 0, 24 * LN2, 'log of a p'),
            (clamped, 1, -math.log(1e7), 'gradient 0'),
        ):
            found = self.row_of(loss, label)
            self.assertAlmostEqual(found.logit, logit, delta=2e-4, msg=found)
            self.assertIn(row, found.row)

    def test_faults_where_e_to_the_x_overflows_are_told_apart(self):
        overflow = math.log(torch.finfo(torch.float32).max)
        for loss, label, logit, row in (
            (log_space_on_the_margin, 1, -overflow, 'e^x overflows'),
            (log_space_on_the_margin, 0, -overflow, 'e^x overflows'),
            (log_space_without_care, 0, -overflow, 'e^x overflows'),
            (quality, 0, -overflow, 'a power below 1 of a p that is 0'),
            (varifocal, 0, -overflow, 'a power below 1 of a p that is 0'),
            (varifocal, 1, -overflow, 'a power below 1 of a p that is 0'),
            (lambda x, y: -y * x.sigmoid().log(), 1, -overflow, 'log of a p'),
        ):
            found = self.row_of(loss, label)
            if found.logit > 0:  # another fault lies before
                found = next(f for f in find_nan(loss) if f.label == label and f.logit < 0)
            self.assertAlmostEqual(found.logit, logit, delta=2e-4, msg=found)
            self.assertIn(row, found.row)
            self.assertEqual('e^x' in row, found.row.startswith('e^x'))
        half = self.row_of(of_probabilities, 1, dtype=torch.float16, labels=(1.0,))
        self.assertIn('log of a p', half.row)
        zero = self.row_of(quality, 0, dtype=torch.float16)
        self.assertIn('a power below 1', zero.row)
        self.assertAlmostEqual(zero.logit, -25 * LN2, delta=0.02)

    def test_for_softmax_too(self):
        for loss, logit, row, how in (
            (log_of_softmax, -85.727, 'log of a p', {'softmax': 21}),
            (log_of_softmax, -8.09, 'log of a p', {'softmax': 21, 'dtype': torch.float16}),
            (softmax_of_exponentials, 88.7228, 'e^x overflows', {'softmax': 21}),
            (textbook_softmax, 10.62, 'the gap of the logits', {'softmax': 21, 'dtype': torch.float16}),
        ):
            found = next(f for f in find_nan(loss, **how) if abs(f.logit - logit) < 0.01)
            self.assertIn(row, found.row)

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
        with self.assertRaisesRegex(ValueError, 'cannot be called. label 1: TypeError'):
            find_nan(lambda x: x)

    def test_it_says_so_when_the_kind_of_loss_is_the_other_one(self):
        with self.assertRaisesRegex(ValueError, 'did you mean --softmax CLASSES'):
            find_nan(textbook_softmax)
        with self.assertRaisesRegex(ValueError, 'leave out --softmax'):
            find_nan(strictly_binary, softmax=3)

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
