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
    refusals = {label: refusal(loss, label, softmax, dtype, shape) for label in labels}
    taken = [label for label in labels if refusals[label] is None]
    if not taken:
        reasons = [f'label {label:g}: {reason}' for label, reason in refusals.items()]
        raise ValueError('find_nan: the loss cannot be called. ' + '; '.join(reasons) + hint(loss, softmax, dtype, shape))
    findings = []
    for label in taken:

        def at(logit, label=label):
            return evaluate(loss, logit, label, softmax, dtype, shape)

        for side in (1, -1):
            fault = first_fault(lambda size: at(side * size))
            if fault is not None and (side == 1 or fault > 0):
                logit = side * fault
                value, slope = at(logit)
                wrong = [at(fault if hard == 0 else -fault, hard)[0] for hard in (1.0, 0.0) if hard in taken]
                findings.append(Finding(label, logit, value, slope, likely(label, logit, value, wrong, softmax, dtype)))
        findings += without_gradient(at, label)
    return sorted(findings, key=lambda found: abs(found.logit))


def refusal(loss, label, softmax, dtype, shape):
    """Why the loss cannot be called at logit 0, or None if it can."""
    try:
        evaluate(loss, 0.0, label, softmax, dtype, shape)
    except Exception as error:  # whatever a stranger's loss raises
        return f'{type(error).__name__}: {error}'


def hint(loss, softmax, dtype, shape):
    if softmax and refusal(loss, 1.0, None, dtype, shape) is None:
        return '. It takes one logit and one label: leave out --softmax'
    if not softmax and refusal(loss, 1.0, 3, dtype, shape) is None:
        return '. It takes rows of logits and class indices: did you mean --softmax CLASSES (softmax=CLASSES in Python)?'
    return ''


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


LOG = 'the log of a p that is 0 or 1, or so small that 1 / p overflows'


def likely(label, logit, loss, wrong, softmax, dtype):
    """The row of DIAGNOSIS.md that has its fault there.

    Three faults lie where e^size overflows. `wrong`, the losses of the wrong answers of this size, tells them apart. Where the
    weight was written with exp(-x), log(1 + e^-x) is Infinity: the weight is 0, and the loss is 0, or NaN. The log of a p that is
    0 is Infinity. With a power of p, the loss is as large as it should be. For softmax, p is e^-size / (classes - 1).
    """
    size = abs(logit)
    if 0 < label < 1 and abs(logit - math.log(label / (1 - label))) < 0.01:
        return 'quality focal loss: |y - p|^beta at p = y'
    overflow = math.log(torch.finfo(dtype).max)
    near = min(abs(size - overflow), abs(size + math.log((softmax or 2) - 1) - overflow)) < 1.5
    if near and math.inf in wrong and not any(map(math.isnan, wrong)):
        return f'{LOG}; or log(1 + e^-x), of which e^-x overflows'
    if near and (0 in wrong or any(map(math.isnan, wrong)) or (softmax and math.isnan(loss))):
        return 'e^x overflows: NaN at any gamma'
    if not math.isfinite(loss):
        return f'loss Infinity or NaN: {LOG}'
    right = logit > 0 if label >= 0.5 else logit < 0
    if right and label == 0 and abs(size - math.log(19)) < 0.05:
        return 'asymmetric loss: the clip makes p_m exactly 0'
    wall = DIGITS[dtype] * math.log(2)
    if right and wall - 0.75 < size < wall + math.log(softmax or 1) + 1.5:
        return '1 - p_t is rounded to 0: NaN after a good loss' if not softmax else 'softmax: the gap of the logits'
    if not softmax and torch.sigmoid(torch.tensor([logit], dtype=dtype)) == 0:
        return 'quality or varifocal loss: a power below 1 of a p that is 0'
    return LOG if near else 'no row has its fault here: look at each factor of the loss at this logit'


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
    parser.add_argument('--set', nargs='*', action='extend', default=[], metavar='NAME=VALUE', help='arguments of the loss')
    options = parser.parse_args()
    more = {}
    for setting in options.set:
        key, equals, value = setting.partition('=')
        if not equals:
            parser.error(f'--set takes NAME=VALUE, got {setting}')
        try:
            more[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            more[key] = value
    loss = load(options.loss)
    try:
        report(lambda x, y: loss(x, y, **more), softmax=options.softmax, dtype=getattr(torch, options.dtype))
    except ValueError as error:
        raise SystemExit(str(error)) from None


if __name__ == '__main__':
    main()
