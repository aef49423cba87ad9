"""The focal loss for TensorFlow and Keras, binary and softmax, without the NaN. One file, to be copied; it needs TensorFlow 2.16 or
newer, with Keras 3.

    from focal_loss_keras import BinaryFocalLoss, SoftmaxFocalLoss

    model.compile(optimizer, loss=BinaryFocalLoss(alpha=0.25, gamma=2))       # a last layer without activation: logits

Both forms are one function of the margin z, by which the right answer leads:

    q  = 1 - p_t = sigma(-z)            binary    z = x for label 1, -x for label 0
    s  = -log p_t = log(1 + e^-z)       softmax   z = x_t - log(sum of e^x_j over the other classes j)

    FL        =  q^gamma s
    dFL/dz    = -q^gamma (q + gamma p s)                                      p = 1 - q = sigma(z)
    d2FL/dz2  =  p q^gamma [(2 gamma + 1) q + gamma s (gamma p - q)]

Nothing is subtracted from 1, and no power of gamma - 1 occurs. Loss, gradient and second derivative are finite for every finite
logit and every gamma >= 0, eagerly, in graphs and under XLA.

Source: focal loss, Lin et al. 2017 (arXiv 1708.02002); why the usual form goes NaN, van Leeuwen et al., TMLR 2025
(openreview.net/forum?id=eCYActnGbu). From Focal Loss Lab, MIT license.
"""

import math

import keras
import numpy as np
import tensorflow as tf

__all__ = ['BinaryFocalLoss', 'SoftmaxFocalLoss', 'sigmoid_focal_loss', 'softmax_focal_loss']


def sigmoid_focal_loss(labels, logits, alpha=0.25, gamma=2.0):
    """Binary focal loss, element by element.

        FL = alpha_t q^gamma s      alpha_t = alpha for label 1, 1 - alpha for label 0

    A soft label is a mixture of the two hard ones, y FL(x, 1) + (1 - y) FL(x, 0).

    Args:
        labels: y in [0, 1], bool, integer or floating, the shape of logits. bool and integer ones cost half. Any other number has
            loss NaN: a graph cannot raise an error.
        logits: x of any shape. float64 is computed in float64, everything else in float32.
        alpha: weight of label 1, a number in [0, 1]; None: no weights
        gamma: >= 0

    Returns:
        losses in nats, float32 or float64, the shape of logits
    Raises:
        ValueError for other shapes or parameters
    """
    name = 'sigmoid_focal_loss'
    _check(name, gamma)
    if alpha is not None and not (_is_number(alpha) and 0 <= alpha <= 1):
        raise ValueError(f'{name}: alpha must be a number in [0, 1], or None, got {alpha!r}')
    x, labels = _widened(name, logits), tf.convert_to_tensor(labels)
    if not labels.shape.is_compatible_with(x.shape):
        raise ValueError(f'{name}: labels and logits must have one shape, got {labels.shape} and {x.shape}')
    positive, negative = (1.0, 1.0) if alpha is None else (alpha, 1 - alpha)
    y = tf.stop_gradient(labels)
    if y.dtype.is_floating:
        y = tf.cast(y, x.dtype)
        y = tf.where((y >= 0) & (y <= 1), y, math.nan)
        return _scaled(positive * y, _focal(x, gamma)) + _scaled(negative * (1 - y), _focal(-x, gamma))
    y = tf.cast(y, tf.int32)
    one = y != 0
    weight = tf.where(one, tf.cast(positive, x.dtype), tf.cast(negative, x.dtype))
    loss = weight * _focal(tf.where(one, x, -x), gamma)
    return tf.where((y == 0) | (y == 1), loss, math.nan)


def softmax_focal_loss(labels, logits, alpha=None, gamma=2.0, ignore_class=None):
    """Multi-class focal loss, sample by sample.

        FL = alpha_t q^gamma s      t the labelled class, p_t = softmax(x)_t

    A row of probabilities is a mixture of the hard labels, sum over classes c of y_c FL(x, c). It costs as much as a class index.

    Args:
        labels: class indices [...], or probabilities that sum to 1, [..., C], floating. Any other number or row, one of zeros too,
            has loss NaN: a graph cannot raise an error.
        logits: x [..., C]. float64 is computed in float64, everything else in float32.
        alpha: None, a factor for all classes, or C weights >= 0, one per class
        gamma: >= 0
        ignore_class: class indices of this value have loss and gradient 0

    Returns:
        losses in nats, float32 or float64, [...]
    Raises:
        ValueError for other shapes or parameters
    """
    name = 'softmax_focal_loss'
    _check(name, gamma)
    x, labels = _widened(name, logits), tf.convert_to_tensor(labels)
    classes = x.shape[-1] if x.shape.rank else None
    if classes is None or classes < 2:
        raise ValueError(f'{name}: logits must be [..., classes] with at least 2 classes, got {x.shape}')
    soft = labels.dtype.is_floating and labels.shape.rank == x.shape.rank
    expected = x.shape if soft else x.shape[:-1]
    if not labels.shape.is_compatible_with(expected):
        raise ValueError(
            f'{name}: labels must be class indices {x.shape[:-1]} or probabilities {x.shape}, floating, '
            f'got {labels.shape}, {labels.dtype.name}'
        )
    weights = tf.convert_to_tensor(1.0 if alpha is None else alpha, x.dtype)
    if weights.shape not in ([], [classes]):
        raise ValueError(f'{name}: alpha must be None, a number or {classes} numbers, got {weights.shape}')
    if isinstance(alpha, (int, float, list, tuple)) and not all(math.isfinite(a) and a >= 0 for a in np.ravel(alpha)):
        raise ValueError(f'{name}: alpha must be finite and >= 0, got {alpha}')
    weights = tf.broadcast_to(weights, [classes])
    y = tf.stop_gradient(labels)
    if soft:
        excess = tf.abs(tf.reduce_sum(tf.cast(y, x.dtype), -1, keepdims=True) - 1)
        valid = (y >= 0) & (y <= 1) & (excess <= (1e-3 if y.dtype.size > 2 else 0.03))  # divided by their sum, or four digits
        terms = _scaled(weights * tf.cast(y, x.dtype), _focal(_margins(x, classes), gamma))
        return tf.reduce_sum(tf.where(valid, terms, math.nan), axis=-1)
    index = tf.cast(y, tf.int32)  # Keras hands class indices over as floats
    whole = tf.cast(index, y.dtype) == y
    keep = tf.ones_like(index, tf.bool) if ignore_class is None else index != ignore_class
    valid = (index >= 0) & (index < classes) & whole
    index = tf.where(keep & valid, index, 0)
    margins = _margins(tf.where(keep[..., None], x, 0), classes)
    z = tf.gather(margins, index, batch_dims=x.shape.rank - 1)
    loss = tf.where(valid, tf.gather(weights, index) * _focal(z, gamma), math.nan)
    return tf.where(keep, loss, 0)


@keras.saving.register_keras_serializable('focal_loss_lab')
class BinaryFocalLoss(keras.losses.Loss):
    """sigmoid_focal_loss as a loss of Keras: the mean over the last axis, then over samples, times their weights.

    Args:
        alpha, gamma: as in sigmoid_focal_loss
        reduction, name, dtype: as for every loss of Keras
    """

    def __init__(self, alpha=0.25, gamma=2.0, reduction='sum_over_batch_size', name='binary_focal_loss', dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.alpha, self.gamma = alpha, gamma

    def call(self, y_true, y_pred):
        return tf.reduce_mean(sigmoid_focal_loss(y_true, y_pred, self.alpha, self.gamma), axis=-1)

    def get_config(self):
        return super().get_config() | {'alpha': self.alpha, 'gamma': self.gamma}


@keras.saving.register_keras_serializable('focal_loss_lab')
class SoftmaxFocalLoss(keras.losses.Loss):
    """softmax_focal_loss as a loss of Keras, for class indices [...] or [..., 1], and for rows of probabilities [..., C].

    Args:
        alpha, gamma, ignore_class: as in softmax_focal_loss. Where there is an ignore_class, the reduction divides by the number of
            labels that are not ignored.
        reduction, name, dtype: as for every loss of Keras
    """

    def __init__(
        self,
        alpha=None,
        gamma=2.0,
        ignore_class=None,
        reduction='sum_over_batch_size',
        name='softmax_focal_loss',
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.alpha, self.gamma, self.ignore_class = alpha, gamma, ignore_class

    def call(self, y_true, y_pred):
        if y_true.shape.rank == y_pred.shape.rank and y_true.shape[-1] == 1:
            y_true = tf.squeeze(y_true, -1)
        loss = softmax_focal_loss(y_true, y_pred, self.alpha, self.gamma, self.ignore_class)
        if self.ignore_class is not None:
            loss._keras_mask = y_true != tf.cast(self.ignore_class, y_true.dtype)  # as Keras's own losses tell the reduction
        return loss

    def get_config(self):
        own = {'alpha': self.alpha, 'gamma': self.gamma, 'ignore_class': self.ignore_class}
        return super().get_config() | own


def _margins(x, classes):
    """z_c = x_c - log(sum of e^x_j over j != c), for every class c.

    With d = x minus the largest logit, the sum over the others is the whole sum, at least 1, less e^d_c, unless c is the class of
    the largest logit: then the difference would lose everything. For that one class the others are added by themselves.
    """
    d = x - tf.stop_gradient(tf.reduce_max(x, -1, keepdims=True))
    is_top = tf.range(classes, dtype=tf.int64) == tf.argmax(x, -1)[..., None]
    e = tf.exp(d)
    of_others = tf.math.log(tf.reduce_sum(e, -1, keepdims=True) - tf.where(is_top, tf.cast(0, x.dtype), e))
    # -1e30, not -Infinity: the others may be -Infinity
    below_top = tf.reduce_logsumexp(tf.where(is_top, tf.cast(-1e30, x.dtype), d), -1, keepdims=True)
    return d - tf.where(is_top, below_top, of_others)


def _focal(z, gamma):
    """FL at a margin. Its derivative is _slope, so that it can be differentiated twice."""

    @tf.custom_gradient
    def focal(z):
        _, q, s, _ = _terms(z)
        return q**gamma * s, lambda dy: dy * _slope(z, gamma)

    return focal(z)


def _slope(z, gamma):
    """dFL/dz = -q^gamma q (1 + gamma r): the bracket comes before the power, and no part of it can underflow alone."""

    @tf.custom_gradient
    def slope(z):
        p, q, _, r = _terms(z)
        curvature = q**gamma * (q * ((2 * gamma + 1) * p + gamma * r * (gamma * p - q)))  # p s = r q
        return -(q**gamma) * (q * (1 + gamma * r)), lambda dy: dy * curvature

    return slope(z)


def _terms(z):
    """p = sigma(z), q = sigma(-z), s = -log p, and r = p s / q, which is in [0, 1]; none of them by a subtraction from 1.

    One of u = e^-max(z, 0) and v = e^-max(-z, 0) is 1, the other e^-|z|, so that u v = e^-|z| cannot overflow.
    """
    hardness = tf.nn.relu(-z)
    u, v = tf.exp(-tf.nn.relu(z)), tf.exp(-hardness)
    uv = u * v
    s = hardness + tf.math.log1p(uv)
    smallest = 2.0**-126 if z.dtype == tf.float32 else 2.0**-1022  # normal
    r = v * tf.minimum(s, z.dtype.max) / tf.maximum(u, smallest)  # at z = -Infinity v is 0 and s is Infinity
    return v / (1 + uv), u / (1 + uv), s, r


def _scaled(weight, loss):
    """weight * loss, 0 where the weight is 0 even if the loss is Infinity."""
    return tf.where(weight == 0, tf.zeros_like(loss), weight * tf.where(weight == 0, tf.zeros_like(loss), loss))


def _widened(name, logits):
    x = tf.convert_to_tensor(logits)
    if not x.dtype.is_floating:
        raise ValueError(f'{name}: logits must be floating, got {x.dtype.name}')
    return x if x.dtype == tf.float64 else tf.cast(x, tf.float32)


def _is_number(value):
    return isinstance(value, (int, float, np.number))


def _check(name, gamma):
    if not (_is_number(gamma) and math.isfinite(gamma) and gamma >= 0):
        raise ValueError(f'{name}: gamma must be a finite number >= 0, got {gamma!r}')
