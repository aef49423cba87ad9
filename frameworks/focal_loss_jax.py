"""The focal loss for JAX, binary and softmax, without the NaN. One file, to be copied; it needs JAX and NumPy.

    from focal_loss_jax import sigmoid_focal_loss, softmax_focal_loss

Both forms are one function of the margin z, by which the right answer leads:

    q  = 1 - p_t = sigma(-z)            binary    z = x for label 1, -x for label 0
    s  = -log p_t = log(1 + e^-z)       softmax   z = x_t - log(sum of e^x_j over the other classes j)

    FL        =  q^gamma s
    dFL/dz    = -q^gamma (q + gamma p s)                                      p = 1 - q = sigma(z)
    d2FL/dz2  =  p q^gamma [(2 gamma + 1) q + gamma s (gamma p - q)]

Nothing is subtracted from 1, and no power of gamma - 1 occurs. Loss, gradient and second derivative are finite for every finite
logit and every gamma >= 0. jit, vmap, grad, jvp and hessian work; gamma is a Python number.

Source: focal loss, Lin et al. 2017 (arXiv 1708.02002); why the usual form goes NaN, van Leeuwen et al., TMLR 2025
(openreview.net/forum?id=eCYActnGbu). From Focal Loss Lab, MIT license.
"""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ['sigmoid_focal_loss', 'softmax_focal_loss']


def sigmoid_focal_loss(logits, labels, alpha=None, gamma=2.0, where=None):
    """Binary focal loss, element by element, with the arguments of optax.losses.sigmoid_focal_loss.

        FL = alpha_t q^gamma s      alpha_t = alpha for label 1, 1 - alpha for label 0

    A soft label is a mixture of the two hard ones, y FL(x, 1) + (1 - y) FL(x, 0). optax means something else by it, and the same
    for y = 0 and 1.

    Args:
        logits: x of any shape. float64 is computed in float64, everything else in float32.
        labels: y in [0, 1], same shape, bool, integer or floating. bool and integer ones cost half. Any other number has loss NaN:
            compiled code cannot raise an error.
        alpha: weight of label 1, in [0, 1]; None: no weights
        gamma: a Python number >= 0
        where: bool, same shape; where it is False, loss and gradient are 0, whatever the label

    Returns:
        losses in nats, float32 or float64, the shape of logits
    Raises:
        ValueError for other shapes or parameters
    """
    name = 'sigmoid_focal_loss'
    x, labels = _widened(name, logits, gamma), jnp.asarray(labels)
    if x.shape != labels.shape:
        raise ValueError(f'{name}: logits and labels must have one shape, got {x.shape} and {labels.shape}')
    if alpha is not None and not (_is_number(alpha) and 0 <= alpha <= 1):
        raise ValueError(f'{name}: alpha must be a number in [0, 1], or None, got {alpha!r}')
    positive, negative = (1.0, 1.0) if alpha is None else (alpha, 1 - alpha)
    if where is not None:
        x, labels = jnp.where(where, x, 0), jnp.where(where, labels, 0)
    y = jax.lax.stop_gradient(labels)
    if jnp.issubdtype(y.dtype, jnp.floating):
        y = jnp.where((y >= 0) & (y <= 1), y, jnp.nan).astype(x.dtype)
        loss = _scaled(positive * y, _focal(x, gamma)) + _scaled(negative * (1 - y), _focal(-x, gamma))
    else:
        one = y != 0
        weight = jnp.where(one, positive, negative).astype(x.dtype)
        loss = weight * _focal(jnp.where(one, x, -x), gamma)
        loss = jnp.where((y == 0) | (y == 1), loss, jnp.nan)
    return loss if where is None else jnp.where(where, loss, 0)


def softmax_focal_loss(logits, labels, alpha=None, gamma=2.0, where=None):
    """Multi-class focal loss, sample by sample.

        FL = alpha_t q^gamma s      t the labelled class, p_t = softmax(x)_t

    A row of probabilities is a mixture of the hard labels, sum over classes c of y_c FL(x, c). It costs as much as a class index.

    Args:
        logits: x [..., C]. float64 is computed in float64, everything else in float32.
        labels: class indices [...], integer, or probabilities that sum to 1, [..., C], floating. Any other number or row, one of
            zeros too, has loss NaN: compiled code cannot raise an error.
        alpha: None, a factor for all classes, or C weights >= 0, one per class
        gamma: a Python number >= 0
        where: bool [...]; where it is False, loss and gradient are 0, whatever the label

    Returns:
        losses in nats, float32 or float64, [...]
    Raises:
        ValueError for other shapes or parameters
    """
    name = 'softmax_focal_loss'
    x, labels = _widened(name, logits, gamma), jnp.asarray(labels)
    if x.ndim == 0 or x.shape[-1] < 2:
        raise ValueError(f'{name}: logits must be [..., classes] with at least 2 classes, got {x.shape}')
    classes = x.shape[-1]
    soft = jnp.issubdtype(labels.dtype, jnp.floating)
    if labels.shape != (x.shape if soft else x.shape[:-1]):
        raise ValueError(
            f'{name}: labels must be class indices {x.shape[:-1]}, integer, or probabilities {x.shape}, floating, '
            f'got {labels.shape}, {labels.dtype}'
        )
    weights = jnp.asarray(1.0 if alpha is None else alpha, x.dtype)
    if weights.shape not in ((), (classes,)):
        raise ValueError(f'{name}: alpha must be None, a number or {classes} numbers, got {weights.shape}')
    if isinstance(alpha, (int, float, list, tuple)) and not all(math.isfinite(a) and a >= 0 for a in np.ravel(alpha)):
        raise ValueError(f'{name}: alpha must be finite and >= 0, got {alpha}')
    weights = jnp.broadcast_to(weights, (classes,))
    if where is not None:
        x = jnp.where(jnp.asarray(where)[..., None], x, 0)
    margins = _margins(x)
    y = jax.lax.stop_gradient(labels)
    if soft:
        excess = jnp.abs(y.astype(x.dtype).sum(-1, keepdims=True) - 1)
        valid = (
            (y >= 0) & (y <= 1) & (excess <= 1e-3 + 4 * float(jnp.finfo(y.dtype).eps))
        )  # divided by their sum, or four digits
        terms = _scaled(weights * y.astype(x.dtype), _focal(margins, gamma))
        loss = jnp.where(valid, terms, jnp.nan).sum(-1)
    else:
        valid = (y >= 0) & (y < classes)
        label = jnp.where(valid, y, 0)
        z = jnp.take_along_axis(margins, label[..., None], -1)[..., 0]
        loss = jnp.where(valid, weights[label] * _focal(z, gamma), jnp.nan)
    return loss if where is None else jnp.where(where, loss, 0)


def _margins(x):
    """z_c = x_c - log(sum of e^x_j over j != c), for every class c.

    With d = x minus the largest logit, the sum over the others is the whole sum, at least 1, less e^d_c, unless c is the class of
    the largest logit: then the difference would lose everything. For that one class the others are added by themselves.
    """
    d = x - jax.lax.stop_gradient(x.max(-1, keepdims=True))
    is_top = jax.nn.one_hot(x.argmax(-1), x.shape[-1], dtype=bool)
    e = jnp.exp(d)
    of_others = jnp.log(e.sum(-1, keepdims=True) - jnp.where(is_top, 0, e))
    # -1e30, not -Infinity: the others may be -Infinity
    below_top = jax.nn.logsumexp(jnp.where(is_top, -1e30, d), axis=-1, keepdims=True)
    return d - jnp.where(is_top, below_top, of_others)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _focal(z, gamma):
    _, q, s, _ = _terms(z)
    return q**gamma * s


@_focal.defjvp
def _focal_jvp(gamma, primals, tangents):
    (z,), (dz,) = primals, tangents
    return _focal(z, gamma), _slope(z, gamma) * dz


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _slope(z, gamma):
    """dFL/dz = -q^gamma q (1 + gamma r): the bracket comes before the power, and no part of it can underflow alone."""
    _, q, _, r = _terms(z)
    return -(q**gamma) * (q * (1 + gamma * r))


@_slope.defjvp
def _slope_jvp(gamma, primals, tangents):
    (z,), (dz,) = primals, tangents
    p, q, _, r = _terms(z)
    curvature = q**gamma * (q * ((2 * gamma + 1) * p + gamma * r * (gamma * p - q)))  # p s = r q
    return _slope(z, gamma), curvature * dz


def _terms(z):
    """p = sigma(z), q = sigma(-z), s = -log p, and r = p s / q, which is in [0, 1]; none of them by a subtraction from 1.

    One of u = e^-max(z, 0) and v = e^-max(-z, 0) is 1, the other e^-|z|, so that u v = e^-|z| cannot overflow.
    """
    hardness = jnp.maximum(-z, 0)
    u, v = jnp.exp(-jnp.maximum(z, 0)), jnp.exp(-hardness)
    uv = u * v
    s = hardness + jnp.log1p(uv)
    limits = jnp.finfo(z.dtype)
    r = v * jnp.minimum(s, limits.max) / jnp.maximum(u, limits.tiny)  # at z = -Infinity v is 0 and s is Infinity
    return v / (1 + uv), u / (1 + uv), s, r


def _scaled(weight, loss):
    """weight * loss, 0 where the weight is 0 even if the loss is Infinity."""
    return jnp.where(weight == 0, 0, weight * jnp.where(weight == 0, 0, loss))


def _is_number(value):
    return isinstance(value, (int, float, np.number))


def _widened(name, logits, gamma):
    x = jnp.asarray(logits)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(f'{name}: logits must be floating, got {x.dtype}')
    if not (_is_number(gamma) and math.isfinite(gamma) and gamma >= 0):
        raise ValueError(f'{name}: gamma must be a Python number >= 0 and finite, got {gamma!r}')
    return x if x.dtype == jnp.float64 else x.astype(jnp.float32)
