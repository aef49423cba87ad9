"""Looks for the NaN in a loss of PyTorch. One file, to be copied; it needs PyTorch alone.

    python find_nan_torch.py my_losses.py:focal_loss
    python find_nan_torch.py my_losses.py:focal_loss --softmax 3 --dtype float16 --set gamma=0.5 reduction=mean

or, where the loss is an object,

    from find_nan_torch import report
    report(FocalLoss(gamma=0.5))
    report(FocalLoss(gamma=0.5), softmax=3)

The loss is called with one logit and one label at a time, loss(inputs, targets), and what it returns is summed up and differentiated.
For softmax it gets the logits [gap, 0, 0, ...] and class 0.

Of each label it prints the first logit at which loss or gradient is no finite number, how far a hopeless example still has a
gradient, and the row of DIAGNOSIS.md that this looks like. From Focal Loss Lab, MIT license.
"""

import argparse
import ast
import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path

import torch

SIZES = sorted([float(i) for i in range(48)] + [2.0**k for k in range(6, 14)] + [88.0, 89.0, 104.0])
LABELS = (1.0, 0.0, 0.5, 0.7)
DIGITS = {torch.float64: 53, torch.float32: 24, torch.float16: 11, torch.bfloat16: 8}


@dataclass
class Finding:
    """What is wrong from a logit on. For softmax, `logit` is the gap between the labelled logit and the others."""

    label: float
    logit: float
    loss: float
    gradient: float
    row: str  # of DIAGNOSIS.md, in short

    def __str__(self):
        return f'label {self.label:g}: logit {self.logit:.7g}: loss {self.loss:g}, gradient {self.gradient:g}\n    {self.row}'


def find_nan(loss, labels=LABELS, softmax=None, dtype=torch.float32, shape=(1,)):
    """The first fault of each label and side.

    @param loss  (inputs, targets) -> loss, reduced or not
    @param labels  those to try; 1 and 0 for hard ones; what the loss does not take is passed over
    @param softmax  the number of classes, of logits [1, classes] and class 0; None: one logit and one label of this shape
    @returns [Finding]
    @raises ValueError if the loss can be called with none of the labels
    """
    if softmax:
        labels = (1.0,)
    findings, refusals = [], []
    for label in labels:

        def at(logit, label=label):
            return evaluate(loss, logit, label, softmax, dtype, shape)

        try:
            at(0.0)
        except Exception as error:  # whatever a stranger's loss raises
            refusals.append(f'label {label:g}: {type(error).__name__}: {error}')
            continue
        for side in (1, -1):
            fault = first_fault(lambda size: at(side * size))
            if fault is not None and (side == 1 or fault > 0):
                logit = side * fault
                value, slope = at(logit)
                findings.append(Finding(label, logit, value, slope, likely(label, logit, value, softmax, dtype)))
        findings += without_gradient(at, label)
    if len(refusals) == len(labels):
        raise ValueError('find_nan: the loss cannot be called. ' + '; '.join(refusals))
    return sorted(findings, key=lambda found: abs(found.logit))


def evaluate(loss, logit, label, softmax, dtype, shape):
    """Loss and gradient by the logit; NaN or Infinity if that of any logit is."""
    if softmax:
        x = torch.tensor([[logit] + [0.0] * (softmax - 1)], dtype=dtype, requires_grad=True)
        y = torch.tensor([0])
    else:
        x = torch.full(shape, logit, dtype=dtype, requires_grad=True)
        y = torch.full(shape, label, dtype=dtype)
    value = loss(x, y).sum()
    value.backward()
    slopes = x.grad.flatten()
    bad = slopes[~slopes.isfinite()]
    return value.item(), (bad if bad.numel() else slopes)[0].item()


def first_fault(at):
    """The smallest size whose loss or gradient is not finite, to a float32; None if none is found.

    A fault at one point, as that of quality focal loss at its label, lies between the sizes tried. The gradient is of one sign left
    of it and of the other sign right of it: so every change of sign is closed in upon.
    """

    def is_bad(size):
        return not all(map(math.isfinite, at(size)))

    good, slope = 0.0, None
    for size in SIZES:
        value, here = at(size)
        if not (math.isfinite(value) and math.isfinite(here)):
            return closed_in(good, size, is_bad) if size > 0 else 0.0
        if slope is not None and slope * here < 0:
            hidden = at_change_of_sign(good, slope, size, at, is_bad)
            if hidden is not None:
                return hidden
        good, slope = size, here
    return None


def closed_in(good, bad, is_bad):
    while bad - good > 2.0**-24 * bad:
        middle = (good + bad) / 2
        good, bad = (good, middle) if is_bad(middle) else (middle, bad)
    return bad


def at_change_of_sign(low, slope, high, at, is_bad):
    while high - low > 2.0**-26 * high:
        middle = (low + high) / 2
        if is_bad(middle):
            return middle
        low, high = (middle, high) if at(middle)[1] * slope > 0 else (low, middle)
    return None


def without_gradient(at, label):
    """Wrong answers that a hard label does not correct: the gradient is 0 where it should be near -1 or 1."""
    if label not in (0.0, 1.0):
        return []
    side = -1 if label == 1 else 1
    good = 4.0
    for size in SIZES:
        if size < good:
            continue
        slope = at(side * size)[1]
        if slope == 0:
            logit = side * closed_in(good, size, lambda size: at(side * size)[1] == 0)
            return [Finding(label, logit, *at(logit), 'gradient 0 for hopeless examples: a clamp or an epsilon')]
        if not math.isfinite(slope):
            break
        good = size
    return []


def likely(label, logit, loss, softmax, dtype):
    """The row of DIAGNOSIS.md that has its fault there."""
    size = abs(logit)
    if 0 < label < 1:
        target = math.log(label / (1 - label))
        if abs(logit - target) < 0.01:
            return 'quality focal loss: |y - p|^beta at p = y'
    wall = DIGITS[dtype] * math.log(2)
    overflow = math.log(torch.finfo(dtype).max)
    if not math.isfinite(loss):
        return 'loss Infinity or NaN: the log of a p that is 0 or 1'
    right = logit > 0 if label >= 0.5 else logit < 0
    if right and label == 0 and abs(size - math.log(19)) < 0.05:
        return 'asymmetric loss: the clip makes p_m exactly 0'
    if right and wall - 0.75 < size < wall + math.log(softmax or 1) + 1.5:
        return '1 - p_t is rounded to 0: NaN after a good loss' if not softmax else 'softmax: the gap of the logits'
    if abs(size - overflow) < 1.5:
        return 'e^x overflows: NaN at any gamma'
    return 'no row has its fault here: look at each factor of the loss at this logit'


def report(loss, **how):
    """Prints what find_nan finds."""
    findings = find_nan(loss, **how)
    for found in findings:
        print(found)
    if not findings:
        print('no fault: loss and gradient are finite, and hopeless examples have a gradient')


def load(name):
    file, _, function = name.partition(':')
    if not function or not Path(file).is_file():
        raise SystemExit(f'find_nan_torch: expected FILE.py:FUNCTION, got {name}')
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, function):
        raise SystemExit(f'find_nan_torch: {file} has no {function}')
    return getattr(module, function)


def main():
    parser = argparse.ArgumentParser(description='Looks for the NaN in a loss of PyTorch.')
    parser.add_argument('loss', help='FILE.py:FUNCTION, called with (inputs, targets)')
    parser.add_argument('--softmax', type=int, metavar='CLASSES', help='for a loss of logits [N, CLASSES]')
    parser.add_argument('--dtype', default='float32', choices=['float64', 'float32', 'float16', 'bfloat16'])
    parser.add_argument('--set', nargs='*', default=[], metavar='NAME=VALUE', help='more arguments of the loss')
    options = parser.parse_args()
    more = {}
    for setting in options.set:
        key, _, value = setting.partition('=')
        try:
            more[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            more[key] = value
    loss = load(options.loss)
    report(lambda x, y: loss(x, y, **more), softmax=options.softmax, dtype=getattr(torch, options.dtype))


if __name__ == '__main__':
    main()
