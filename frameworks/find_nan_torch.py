"""Looks for the NaN in a loss of PyTorch. One file, to be copied; it needs PyTorch alone.

    python find_nan_torch.py my_losses.py:focal_loss
    python find_nan_torch.py my_losses.py:FocalLoss --softmax 3 --shape 1 8 8 --dtype float16 --set gamma=0.5 reduction=mean

or in Python

    from find_nan_torch import report
    report(FocalLoss(gamma=0.5))
    report(lambda x, y: loss(x.sigmoid(), y))                  # a loss that takes something else is wrapped

The loss is called as loss(inputs, targets). All inputs are one logit and all targets one label, both of `shape`, [1] by default. For
softmax the targets are class 0, of `shape`; the inputs have the classes as their dimension 1, and are the gap for class 0 and 0 for
the others. What the loss returns is summed up and differentiated.

Of each label it prints the first logit at which loss or gradient is no finite number, the row of DIAGNOSIS.md, and the operation with
which that begins, and its line. And from where on a hopeless example has no gradient, and whether the gradient is that of the loss.
From Focal Loss Lab, MIT license.
"""

import argparse
import ast
import importlib.util
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F

SIZES = sorted([float(i) for i in range(48)] + [2.0**k for k in range(6, 14)] + [88.0, 89.0, 104.0])
LABELS = (1.0, 0.0, 0.5, 0.7)
DIGITS = {torch.float64: 53, torch.float32: 24, torch.float16: 11, torch.bfloat16: 8}

# The rows of DIAGNOSIS.md, by what it says there in italics.
ROUNDED = '1 - p_t is rounded to 0'
OVERFLOW = 'e^x overflows'
GAP = 'softmax: the gap of the logits'
CLIP = 'asymmetric loss: its clip makes p exactly 0'
QUALITY = 'quality focal loss: |y - p|^beta at p = y'
VARIFOCAL = 'varifocal loss: |p - y|^gamma at p = y'
TVERSKY = 'a loss of the whole mask: (1 - TI)^gamma at TI = 1'
NEGATIVE = 'a power of a negative number'
LOG = 'the log of a p that is 0 or 1'
SUBNORMAL = 'the log of a p so small that 1/p overflows'
HALF_CLAMP = 'a clamp that half precision rounds away'
NOTHING = '0 / 0, an empty mask or a mean over nothing'
CLAMP = 'gradient 0 for hopeless examples: a clamp or an epsilon'
FADING = 'gradient 0 for hopeless examples: p (1 - p) is left in it'
DETACHED = 'the weight is detached'
NO_ROW = 'no row has its fault here: look at each factor of the loss at this logit'


@dataclass
class Finding:
    """What is wrong from a logit on. For softmax, `logit` is the gap between the labelled logit and the others."""

    label: float
    logit: float
    loss: float
    gradient: float
    row: str  # of DIAGNOSIS.md
    begins: str = ''  # the operation, and its line

    def __str__(self):
        told = f'label {self.label:g}: logit {self.logit:.7g}: loss {self.loss:g}, gradient {self.gradient:g}\n    {self.row}'
        return f'{told}\n    begins with {self.begins}' if self.begins else told


def report(loss, **how):
    """Prints what find_nan finds."""
    findings = find_nan(loss, **how)
    for found in findings:
        print(found)
    if not findings:
        print('no fault: loss and gradient are finite, and hopeless examples have a gradient')


def find_nan(loss, labels=LABELS, softmax=None, dtype=torch.float32, shape=(1,)):
    """The first fault of each label and side.

    @param loss  (inputs, targets) -> loss, reduced or not
    @param labels  those to try; 1 and 0 for hard ones; what the loss does not take is passed over
    @param softmax  the number of classes; None: a loss of one logit per label
    @param shape  of the labels: (1, 1, 8, 8) for a loss that unpacks N, C, H, W; for softmax (1, 8, 8)
    @returns [Finding]
    @raises ValueError if the loss cannot be called, with none of the labels or not with label 1: what it said, and how it can
    """
    if isinstance(loss, type):
        raise ValueError(f'find_nan: expected a loss, got the class {loss.__name__}: give an instance, {loss.__name__}(...)')
    subject = Subject(loss, softmax, dtype, tuple(shape))
    labels = (1.0,) if softmax else labels
    refusals = {label: subject.refusal(label) for label in labels}
    taken = [label for label in labels if refusals[label] is None]
    if not taken or refusals.get(1.0):
        said = told(refusals).rstrip('.')
        raise ValueError(f'find_nan: it cannot be called as {subject}. {said}. {advice(subject)}')
    findings = []
    for label in taken:
        for side in (1, -1):
            fault = first_fault(lambda size, label=label, side=side: subject.at(side * size, label))
            if fault is not None and (side == 1 or fault > 0):
                logit = torch.tensor(side * fault, dtype=dtype).item()
                value, slope = subject.at(logit, label)
                operation = first_operation(subject, logit, label)
                row = likely(subject, taken, label, logit, value, operation)
                findings.append(Finding(label, logit, value, slope, row, str(operation)))
        findings += without_gradient(subject, label) + of_another_gradient(subject, label)
    return sorted(findings, key=lambda found: abs(found.logit))


@dataclass(frozen=True)
class Subject:
    """A loss, and what it is called with."""

    loss: Callable
    softmax: int | None = None
    dtype: torch.dtype = torch.float32
    shape: tuple = (1,)

    def __str__(self):
        logits = [self.shape[0], self.softmax, *self.shape[1:]] if self.softmax else [*self.shape]
        return f'a loss of inputs {logits} and {"class indices" if self.softmax else "targets"} {[*self.shape]}'

    def at(self, logit, label):
        """Loss and gradient by the logit; NaN or Infinity if that of any logit is."""
        x, value = self.called(logit, label)
        value.backward()
        return value.item(), of_any(x.grad)

    def beside_a_wrong_one(self, logit, label):
        """The gradient where one more element is a wrong answer; None if the loss takes no more elements."""
        try:
            x, value = self.called(logit, label, wrong=True)
            value.backward()
            return of_any(x.grad)
        except Exception:  # whatever a stranger's loss raises
            return None

    def called(self, logit, label, wrong=False):
        """The logits, and the sum of the loss."""
        shape = (*self.shape[:-1], self.shape[-1] + 1) if wrong else self.shape
        if self.softmax:
            x = torch.zeros(shape[0], self.softmax, *shape[1:], dtype=self.dtype)
            at_label, y = x[:, 0], torch.zeros(shape, dtype=torch.long)
        else:
            x = torch.zeros(shape, dtype=self.dtype)
            at_label, y = x, torch.full(shape, label, dtype=self.dtype)
        at_label.fill_(logit)
        if wrong:
            at_label[..., -1] = 2 if label < 0.5 else -2
        value = self.loss(x.requires_grad_(), y)
        if not isinstance(value, torch.Tensor):
            raise TypeError(f'it returned {type(value).__name__}, expected a tensor')
        if not value.requires_grad:
            raise TypeError('it has no gradient: it detaches its inputs, or does not compute with PyTorch')
        return x, value.sum()

    def refusal(self, label):
        """Why the loss cannot be called, at logit 0 and some that are no probability; None if it can."""
        try:
            slopes = [self.at(logit, label)[1] for logit in (0.0, 2.0, -2.0)]
            if label == 1 and all(slope == 0 or not math.isfinite(slope) for slope in slopes):
                raise ValueError(f'its gradients at the logits 0, 2 and -2 are {slopes}'.replace('-0.0', '0.0'))
        except Exception as error:  # whatever a stranger's loss raises
            return f'{type(error).__name__}: {error}'


def told(refusals):
    said = {label: reason for label, reason in refusals.items() if reason}
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    return '; '.join(f'label {label:g}: {reason}' for label, reason in said.items())


def advice(subject):
    """How a loss that cannot be called is called: the first way of several that works."""
    for way, say in ways(subject):
        if way != subject and way.refusal(1.0) is None and all(map(math.isfinite, way.at(0.0, 1.0))):
            return say
    return (
        'Wrap a loss that takes something else: report(lambda x, y: loss(x, y, ...)), with softmax= and shape= for its labels'
    )


def ways(subject):
    loss, softmax = subject.loss, subject.softmax
    shapes = (subject.shape, (1, 1), (1, 8, 8), (1, 1, 8, 8))
    if softmax:
        yield replace(subject, softmax=None), 'It takes one logit per label: leave out --softmax'
    for shape in shapes:
        other = '' if shape == subject.shape else f'--shape {" ".join(map(str, shape))} (shape={shape} in Python)'
        yield replace(subject, shape=shape), f'It takes labels of another shape: {other}'
        if not softmax:
            say = 'It takes rows of logits and class indices: did you mean --softmax CLASSES (softmax=CLASSES in Python)'
            yield replace(subject, shape=shape, softmax=3), f'{say}{" with " if other else ""}{other}?'
    for shape in shapes:
        classes, given = softmax or 3, 'softmax=C' if shape == subject.shape else f'softmax=C, shape={shape}'
        yield (
            replace(subject, shape=shape, softmax=classes, loss=lambda x, y, C=classes: loss(x, one_hot(y, C).to(x.dtype))),
            f'It takes one-hot labels: report(lambda x, y: loss(x, F.one_hot(y, C).movedim(-1, 1).float()), {given})',
        )
    to_p = 'softmax(1)' if softmax else 'sigmoid()'
    yield (
        replace(subject, loss=lambda x, y: loss(x.softmax(1) if softmax else x.sigmoid(), y)),
        f'It takes probabilities: report(lambda x, y: loss(x.{to_p}, y){", softmax=C" if softmax else ""})',
    )


def one_hot(labels, classes):
    return F.one_hot(labels, classes).movedim(-1, 1)


@dataclass(frozen=True)
class Operation:
    """That with which autograd leaves the finite numbers."""

    kind: str  # power, log, exp, division, or another name of autograd's
    dtype: torch.dtype | None = None  # that it computes in, which need not be that of the logits
    of_zero: bool = False
    of_negative: bool = False
    beside: frozenset = frozenset()  # the other operations of the loss, by autograd's names
    line: str = ''

    def __str__(self):
        kind = f'{self.kind} in {self.dtype}'.replace('torch.', '') if self.dtype else self.kind
        return ', '.join(filter(None, [kind, self.line]))


KINDS = {'Pow': 'power', 'Sqrt': 'power', 'Log': 'log', 'Log2': 'log', 'Log10': 'log', 'Exp': 'exp', 'Div': 'division'}


def first_operation(subject, logit, label):
    """Walks through the graph of a fault: each node is asked for the gradients that it takes and gives."""
    with torch.autograd.set_detect_anomaly(True, check_nan=False):  # each node keeps the lines that made it
        _, value = subject.called(logit, label)
    nodes = [value.grad_fn]
    for node in nodes:
        nodes += [after for after, _ in node.next_functions if after is not None and after not in nodes]
    leaving = []

    def watched(node):
        def after(given, taken):
            if all_finite(taken) and not all_finite(given):
                leaving.append(node)

        return node.register_hook(after)

    hooks = [watched(node) for node in nodes]
    value.backward(retain_graph=True)
    for hook in hooks:
        hook.remove()
    # What left the finite numbers on the way forward comes before what the gradients tell.
    overflowed = [node for node in nodes if kind_of(node) == 'exp' and not all_finite([node._saved_result])]
    of_zero = [node for node in nodes if kind_of(node) == 'log' and is_zero(node)]
    by_zero = [node for node in nodes if kind_of(node) == 'division' and is_tiny(getattr(node, '_saved_other', None))]
    known = [node for node in leaving if kind_of(node) in KINDS.values()]
    likeliest = [*known, *of_zero] if value.isfinite() else [*of_zero, *known]
    node = next(iter([*overflowed, *likeliest, *by_zero, *leaving]), None)
    if node is None:
        return Operation('')
    kept = getattr(node, '_saved_self', getattr(node, '_saved_result', None))
    is_tensor = isinstance(kept, torch.Tensor)
    return Operation(
        kind_of(node),
        dtype=kept.dtype if is_tensor else None,
        of_zero=is_zero(node),
        of_negative=is_tensor and bool((kept < 0).any()),
        beside=frozenset(map(name_of, nodes)),
        line=line_of(node),
    )


def name_of(node):
    return re.sub(r'Backward\d*$', '', node.name()).split('::')[-1]


def kind_of(node):
    return KINDS.get(name_of(node), name_of(node))


def is_zero(node):
    kept = getattr(node, '_saved_self', None)
    return isinstance(kept, torch.Tensor) and bool((kept == 0).any())


def is_tiny(divisor):
    floats = isinstance(divisor, torch.Tensor) and divisor.is_floating_point()
    return floats and bool((divisor.abs() < 4 * torch.finfo(divisor.dtype).tiny).any())


def line_of(node):
    """The innermost line of the loss that is not PyTorch's."""
    for frame in reversed(node.metadata.get('traceback_', [])):
        place = re.match(r'\s*File "(.*)", line (\d+).*\n?\s*(.*)', frame)
        if place and place[1] == __file__:
            break
        if place and Path(torch.__file__).parent not in Path(place[1]).parents:
            return f'{Path(place[1]).name}:{place[2]}: {place[3]}'.rstrip(': ')
    return ''


def likely(subject, taken, label, logit, loss, operation):
    """The row of DIAGNOSIS.md: by the operation, and by how the loss behaves elsewhere."""
    kind = operation.kind
    if kind == 'exp':
        return OVERFLOW
    if kind == 'division':
        return NOTHING
    if kind == 'log' and not math.isfinite(loss):
        rounded = operation.dtype in (torch.float16, torch.bfloat16) and {'Clamp', 'ClampMin', 'ClampMax'} & operation.beside
        return HALF_CLAMP if rounded else LOG
    if kind == 'log' and not operation.of_zero:
        return SUBNORMAL
    if kind == 'log' and {'Where', 'MaskedFill', 'Index'} & operation.beside:
        return LOG  # of the term that is left out
    if kind in ('power', 'log'):
        return of_power(subject, taken, label, logit, operation)
    return f'perhaps, by its place alone: {by_place(subject, label, logit, loss)}'


def of_power(subject, taken, label, logit, operation):
    """A power below 1, or a log that stands for it, of something that is 0."""
    if first_operation(subject, 1.0625 * logit, label).of_negative:  # at its first fault it may be exactly 0
        return NEGATIVE
    beside = subject.beside_a_wrong_one(logit, label)
    if beside is not None and math.isfinite(beside):
        return TVERSKY
    if subject.softmax:
        return GAP
    p = torch.sigmoid(torch.tensor(logit, dtype=operation.dtype)).item()
    at_its_target = 0 < label < 1 and abs(p - label) < 0.01
    if not at_its_target and 0.5 in taken:
        at_its_target = not all(map(math.isfinite, subject.at(0.0, 0.5)))
    if (at_its_target or p == 0) and has_constant_weight(subject, max(taken)):
        return VARIFOCAL
    if at_its_target:
        return QUALITY
    if label == 0 and 0.004 < p < 0.5:
        return f'{CLIP} (a clip of {p:.2g})'
    return ROUNDED


def has_constant_weight(subject, label):
    """Whether the loss of this label is cross-entropy, up to a factor."""

    def weight(logit):
        return subject.at(logit, label)[0] / F.binary_cross_entropy_with_logits(torch.tensor(logit), torch.tensor(label)).item()

    return abs(weight(1.0) - weight(-3.0)) < 0.03 * abs(weight(1.0))


def by_place(subject, label, logit, loss):
    """Where no operation is seen, as in a compiled loss or an autograd.Function."""
    size, rivals = abs(logit), math.log((subject.softmax or 2) - 1)
    if math.isfinite(loss) and (logit > 0 if label >= 0.5 else logit < 0):
        for dtype, digits in DIGITS.items():
            wall = (digits + (label < 0.5)) * math.log(2)
            if abs(size - wall - rivals) < (1 if subject.softmax else 0.05 * wall):
                return f'{GAP if subject.softmax else ROUNDED}, in {dtype}'.replace('torch.', '')
    for dtype in DIGITS:
        overflow = math.log(torch.finfo(dtype).max)
        if min(abs(size - overflow), abs(size + rivals - overflow)) < 1.5:
            return f'{OVERFLOW}, if the loss has an exp; {LOG}, if it has a log of a probability'
    return NO_ROW if math.isfinite(loss) else LOG


def all_finite(tensors):
    return all(bool(tensor.isfinite().all()) for tensor in tensors if tensor is not None)


def of_any(slopes):
    """The first gradient, or one that is not finite."""
    slopes = slopes.flatten()
    bad = slopes[~slopes.isfinite()]
    return (bad if bad.numel() else slopes)[0].item()


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


def without_gradient(subject, label):
    """Wrong answers that a hard label does not correct: the gradient is 0 where it should be near -1 or 1."""
    if label not in (0.0, 1.0):
        return []
    side = -1 if label == 1 else 1

    def slope(size):
        return subject.at(side * size, label)[1]

    if slope(4.0) == 0:
        return [Finding(label, side * 4.0, *subject.at(side * 4.0, label), NOTHING)]
    good = 4.0
    for size in SIZES:
        if size < good:
            continue
        if slope(size) == 0:
            end = closed_in(good, size, lambda size: slope(size) == 0)
            fades = abs(slope(end - 0.5)) < 0.1 * abs(slope(4.0))
            return [Finding(label, side * end, *subject.at(side * end, label), FADING if fades else CLAMP)]
        if not math.isfinite(slope(size)):
            break
        good = size
    return []


def of_another_gradient(subject, label):
    """Where the gradient is not the slope of the loss."""
    if label not in (0.0, 1.0) or subject.dtype in (torch.float16, torch.bfloat16):
        return []  # too few digits for a difference
    for logit in (-3.0, -1.0, 1.0, 3.0):
        slope = 2 * (subject.at(logit + 0.25, label)[0] - subject.at(logit - 0.25, label)[0])
        x, value = subject.called(logit, label)
        value.backward()
        gradient = x.grad[:, 0].sum().item() if subject.softmax else x.grad.sum().item()
        if abs(gradient - slope) > 0.15 * abs(slope) + 0.01:
            return [Finding(label, logit, value.item(), gradient, f'{DETACHED}: the slope of the loss is {slope:.3g}')]
    return []


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


def with_settings(loss, settings):
    """A function that is called with them; of a class, an instance that is made with them."""
    if not isinstance(loss, type):
        return lambda x, y: loss(x, y, **settings)
    try:
        return loss(**settings)
    except Exception as error:  # whatever a stranger's loss raises
        call = f'{loss.__name__}({", ".join(f"{name}={value!r}" for name, value in settings.items())})'
        raise SystemExit(f'find_nan_torch: {call} raised {type(error).__name__}: {error}. --set gives its arguments') from None


def main():
    parser = argparse.ArgumentParser(description='Looks for the NaN in a loss of PyTorch.')
    parser.add_argument('loss', help='FILE.py:FUNCTION, called with (inputs, targets); or FILE.py:CLASS, of which one is made')
    parser.add_argument('--softmax', type=int, metavar='CLASSES', help='for a loss of logits [N, CLASSES]')
    parser.add_argument('--shape', type=int, nargs='+', default=[1], metavar='SIZE', help='of the labels, 1 by default')
    parser.add_argument('--dtype', default='float32', choices=['float64', 'float32', 'float16', 'bfloat16'])
    parser.add_argument('--set', nargs='*', action='extend', default=[], metavar='NAME=VALUE', help='arguments of the loss')
    options = parser.parse_args()
    settings = {}
    for setting in options.set:
        name, equals, value = setting.partition('=')
        if not equals:
            parser.error(f'--set takes NAME=VALUE, got {setting}')
        try:
            settings[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            settings[name] = value
    loss = with_settings(load(options.loss), settings)
    try:
        report(loss, softmax=options.softmax, dtype=getattr(torch, options.dtype), shape=options.shape)
    except ValueError as error:
        raise SystemExit(str(error)) from None


if __name__ == '__main__':
    main()
