"""The focal loss for PyTorch, binary and softmax, without the NaN. One file, to be copied; it needs PyTorch 2.4 or newer.

    from focal_loss_torch import sigmoid_focal_loss, softmax_focal_loss

Both forms are one function of the margin z, by which the right answer leads:

    q  = 1 - p_t = sigma(-z)            binary    z = x for label 1, -x for label 0
    s  = -log p_t = log(1 + e^-z)       softmax   z = x_t - log(sum of e^x_j over the other classes j)

    FL        =  q^gamma s
    dFL/dz    = -q^gamma (q + gamma p s)                                      p = 1 - q = sigma(z)
    d2FL/dz2  =  p q^gamma [(2 gamma + 1) q + gamma s (gamma p - q)]

Nothing is subtracted from 1, and no power of gamma - 1 occurs. Loss, gradient and second derivative are finite for every finite
logit and every gamma >= 0.

Source: focal loss, Lin et al. 2017 (arXiv 1708.02002); why the usual form goes NaN, van Leeuwen et al., TMLR 2025
(openreview.net/forum?id=eCYActnGbu). From Focal Loss Lab, MIT license.
"""

import math

import torch

__all__ = ['sigmoid_focal_loss', 'softmax_focal_loss']


def sigmoid_focal_loss(inputs, targets, alpha=0.25, gamma=2.0, reduction='none', ignore_index=None):
    """Binary focal loss, with the arguments of torchvision's sigmoid_focal_loss.

        FL = alpha_t q^gamma s      alpha_t = alpha for label 1, 1 - alpha for label 0

    A soft label is a mixture of the two hard ones, y FL(x, 1) + (1 - y) FL(x, 0). torchvision means something else by it, and the
    same for y = 0 and 1.

    Args:
        inputs: logits x of any shape. float64 is computed in float64, everything else in float32.
        targets: labels y in [0, 1], same shape, bool, integer or floating. bool and integer ones cost half.
        alpha: weight of label 1, a number in [0, 1]; None or negative: no weights
        gamma: a number >= 0
        reduction: 'none', 'mean' or 'sum'
        ignore_index: elements with this label have loss and gradient 0, and 'mean' is the mean of the others

    Returns:
        losses in nats, float32 or float64: the shape of inputs, or a scalar
    Raises:
        TypeError for what is no tensor; ValueError for other shapes or parameters, and for labels outside [0, 1]. On a GPU, under
        torch.compile and vmap, where asking would wait or cannot be, such a label has loss NaN instead.
    """
    name = 'sigmoid_focal_loss'
    _check(name, inputs, targets, gamma, reduction, ignore_index)
    if inputs.shape != targets.shape:
        raise ValueError(f'{name}: inputs and targets must have one shape, got {[*inputs.shape]} and {[*targets.shape]}')
    if alpha is not None and not (_is_number(alpha) and alpha <= 1):
        raise ValueError(f'{name}: alpha must be a number, at most 1, or None, got {alpha!r}')
    positive, negative = (1.0, 1.0) if alpha is None or alpha < 0 else (alpha, 1 - alpha)

    x = _widened(inputs)
    keep = torch.ones_like(targets, dtype=torch.bool) if ignore_index is None else targets != ignore_index
    y = targets.detach() if ignore_index is None else targets.detach().masked_fill(~keep, 0)
    x = x if ignore_index is None else torch.where(keep, x, 0)
    if y.is_floating_point():
        bad = ~((y >= 0) & (y <= 1))
        y = y.to(x.dtype)
        one, zero = positive * y, negative * (1 - y)
        loss = _scaled(one, _focal(x, gamma)) + _scaled(zero, _focal(-x, gamma))
    else:
        bad = (y != 0) & (y != 1)
        one = y != 0
        weight = torch.where(one, positive, negative).to(x.dtype)
        loss = weight * _focal(torch.where(one, x, -x), gamma)
    _refuse(name, bad, targets, 'labels in [0, 1]' + _or_ignored(ignore_index))
    return _reduce(torch.where(keep, torch.where(bad, math.nan, loss), 0), keep, reduction)


def softmax_focal_loss(inputs, targets, alpha=None, gamma=2.0, reduction='none', ignore_index=-100):
    """Multi-class focal loss, with the shapes of torch.nn.functional.cross_entropy.

        FL = alpha_t q^gamma s      t the labelled class, p_t = softmax(x)_t

    A row of probabilities is a mixture of the hard labels, sum over classes c of y_c FL(x, c). It costs as much as a class index.

    Args:
        inputs: logits x, [N, C], [N, C, d1, ...] or [C]. float64 is computed in float64, everything else in float32.
        targets: class indices, [N], [N, d1, ...] or [], integer; or probabilities that sum to 1, the shape of inputs, floating
        alpha: None, a factor for all classes, or C weights >= 0, one per class; a negative number: no weights
        gamma: a number >= 0
        reduction: 'none', 'mean' or 'sum'. 'mean' divides by the number of labels that are not ignored, not by their weights.
        ignore_index: class indices of this value have loss and gradient 0

    Returns:
        losses in nats, float32 or float64: the shape of targets without classes, or a scalar
    Raises:
        TypeError for what is no tensor; ValueError for other shapes or parameters, and for labels that are no class. On a GPU, under
        torch.compile and vmap, where asking would wait or cannot be, such a label has loss NaN instead.
    """
    name = 'softmax_focal_loss'
    _check(name, inputs, targets, gamma, reduction, ignore_index)
    if inputs.dim() == 0:
        raise ValueError(f'{name}: inputs must be [N, C, ...] or [C], got a scalar')
    dim = 1 if inputs.dim() > 1 else 0
    classes = inputs.shape[dim]
    soft = targets.is_floating_point()
    indices = [size for i, size in enumerate(inputs.shape) if i != dim]
    if [*targets.shape] != ([*inputs.shape] if soft else indices):
        raise ValueError(
            f'{name}: targets must be class indices {indices}, integer, or probabilities {[*inputs.shape]}, floating, '
            f'got {[*targets.shape]}, {targets.dtype}'.replace('torch.', '')
        )
    if classes < 2:
        raise ValueError(f'{name}: inputs must have at least 2 classes, got {[*inputs.shape]}')
    x = _widened(inputs)
    weights = _class_weights(name, alpha, classes, x)

    if soft:
        margins = _margins(x, dim)
        in_range = (targets >= 0) & (targets <= 1)
        sums = targets.sum(dim, keepdim=True, dtype=x.dtype)
        is_row = (sums - 1).abs() <= 1e-3 + 4 * torch.finfo(
            targets.dtype
        ).eps  # divided by their sum, or written with four digits
        per_class = weights.reshape([-1 if i == dim else 1 for i in range(x.dim())])
        terms = _scaled(per_class * targets.detach().to(x.dtype), _focal(margins, gamma))
        loss = torch.where(in_range & is_row, terms, math.nan).sum(dim)
        keep = torch.ones_like(loss, dtype=torch.bool)
        _refuse(name, ~in_range, targets, 'probabilities in [0, 1]')
        _refuse(name, ~is_row, sums, 'rows of probabilities with the sum 1')
    else:
        keep = targets != ignore_index
        bad = keep & ((targets < 0) | (targets >= classes))
        label = targets.masked_fill(~keep | bad, 0).long()
        x = torch.where(keep.unsqueeze(dim), x, 0)
        z = _margins(x, dim).gather(dim, label.unsqueeze(dim)).squeeze(dim)
        weight = weights.gather(0, label.flatten()).reshape(label.shape)  # weights[label] of one label asks for its value
        loss = torch.where(keep, torch.where(bad, math.nan, weight * _focal(z, gamma)), 0)
        _refuse(name, bad, targets, f'classes 0 to {classes - 1}' + _or_ignored(ignore_index))
    return _reduce(loss, keep, reduction)


def _margins(x, dim):
    """z_c = x_c - log(sum of e^x_j over j != c), for every class c.

    With d = x minus the largest logit, the sum over the others is the whole sum, at least 1, less e^d_c, unless c is the class of
    the largest logit: then the difference would lose everything. For that one class the others are added by themselves.
    """
    shift, top = x.detach().max(dim, keepdim=True)
    d = x - shift
    is_top = torch.zeros_like(x, dtype=torch.bool).scatter(dim, top, True)
    e = d.exp()
    of_others = (e.sum(dim, keepdim=True) - e.masked_fill(is_top, 0)).log()
    below_top = d.masked_fill(is_top, -1e30).logsumexp(dim, keepdim=True)  # -1e30, not -Infinity: others may be -Infinity
    return d - torch.where(is_top, below_top, of_others)


class _FocalLoss(torch.autograd.Function):
    """FL at a margin. Its derivative is _FocalSlope, so that it can be differentiated twice."""

    generate_vmap_rule = True

    @staticmethod
    def forward(z, gamma):
        _, q, s, _ = _terms(z)
        return q**gamma * s

    @staticmethod
    def setup_context(ctx, inputs, output):
        z, ctx.gamma = inputs
        ctx.save_for_backward(z)

    @staticmethod
    def backward(ctx, dy):
        (z,) = ctx.saved_tensors
        return dy * _FocalSlope.apply(z, ctx.gamma), None


class _FocalSlope(torch.autograd.Function):
    """dFL/dz = -q^gamma q (1 + gamma r): the bracket comes before the power, and no part of it can underflow alone."""

    generate_vmap_rule = True

    @staticmethod
    def forward(z, gamma):
        _, q, _, r = _terms(z)
        return -(q**gamma) * (q * (1 + gamma * r))

    @staticmethod
    def setup_context(ctx, inputs, output):
        z, ctx.gamma = inputs
        ctx.save_for_backward(z)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, dy):
        (z,) = ctx.saved_tensors
        p, q, _, r = _terms(z)
        gamma = ctx.gamma
        curvature = q**gamma * (q * ((2 * gamma + 1) * p + gamma * r * (gamma * p - q)))  # p s = r q
        return dy * curvature, None


_focal = _FocalLoss.apply


def _terms(z):
    """p = sigma(z), q = sigma(-z), s = -log p, and r = p s / q, which is in [0, 1]; none of them by a subtraction from 1.

    One of u = e^-max(z, 0) and v = e^-max(-z, 0) is 1, the other e^-|z|, so that u v = e^-|z| cannot overflow.
    """
    hardness = (-z).clamp(min=0)
    u, v = (-z.clamp(min=0)).exp(), (-hardness).exp()
    uv = u * v
    s = hardness + uv.log1p()
    limits = torch.finfo(z.dtype)
    r = v * s.clamp(max=limits.max) / u.clamp(min=limits.tiny)  # at z = -Infinity v is 0 and s is Infinity
    return v / (1 + uv), u / (1 + uv), s, r


def _widened(inputs):
    if not inputs.is_floating_point():
        raise ValueError(f'focal loss: inputs must be floating-point logits, got {inputs.dtype}')
    return inputs if inputs.dtype == torch.float64 else inputs.float()


def _scaled(weight, loss):
    """weight * loss, 0 where the weight is 0 even if the loss is Infinity."""
    return torch.where(weight == 0, 0, weight * torch.where(weight == 0, 0, loss))


def _class_weights(name, alpha, classes, x):
    if alpha is None or (_is_number(alpha) and alpha < 0):
        alpha = 1.0
    weights = torch.as_tensor(alpha, dtype=x.dtype, device=x.device)
    if weights.dim() == 0:
        weights = weights.expand(classes)
    if [*weights.shape] != [classes]:
        raise ValueError(f'{name}: alpha must be None, a number or {classes} numbers, got {[*weights.shape]}')
    bad = ~(weights.isfinite() & (weights >= 0))
    if _is_known(bad):
        raise ValueError(f'{name}: alpha must be finite and >= 0, got {weights[bad][0].item()}')
    return weights


def _check(name, inputs, targets, gamma, reduction, ignore_index):
    for argument, given in (('inputs', inputs), ('targets', targets)):
        if not isinstance(given, torch.Tensor):
            raise TypeError(f'{name}: {argument} must be a tensor, got {type(given).__name__}')
    if not (_is_number(gamma) and math.isfinite(gamma) and gamma >= 0):
        raise ValueError(f'{name}: gamma must be a finite number >= 0, got {gamma!r}')
    if reduction not in ('none', 'mean', 'sum'):
        raise ValueError(f"{name}: reduction must be 'none', 'mean' or 'sum', got {reduction!r}")
    if ignore_index is not None and not math.isfinite(ignore_index):
        raise ValueError(f'{name}: ignore_index must be a finite number, got {ignore_index}')


def _is_number(value):
    return not isinstance(value, (torch.Tensor, list, tuple, str))  # it would not be differentiated


def _is_known(bad):
    """Whether some is true, where to ask does not wait for a device."""
    if bad.device.type != 'cpu' or torch.compiler.is_compiling():
        return False
    try:
        return bool(bad.any())
    except RuntimeError:  # under vmap, which has no answer for all
        return False


def _refuse(name, bad, targets, expected):
    if _is_known(bad):
        raise ValueError(f'{name}: targets must be {expected}, got {targets[bad][0].item()}')


def _or_ignored(ignore_index):
    return '' if ignore_index is None else f', or {ignore_index} to be ignored'


def _reduce(loss, keep, reduction):
    if reduction == 'none':
        return loss
    return loss.sum() if reduction == 'sum' else loss.sum() / keep.sum().clamp(min=1)
