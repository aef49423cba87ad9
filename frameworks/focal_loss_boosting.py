"""The binary focal loss as an objective for LightGBM and XGBoost, without the NaN. One file, to be copied; it needs NumPy alone.

    from focal_loss_boosting import FocalObjective

    focal = FocalObjective(alpha=0.25, gamma=2)
    start = focal.initial_score(y)                       # else LightGBM begins at 0, XGBoost at 0.5

    LightGBM    data = lightgbm.Dataset(X, y, init_score=numpy.full(len(y), start))
                model = lightgbm.train({'objective': focal.lightgbm, 'max_delta_step': 1}, data, valid_sets=[...],
                                       feval=focal.lightgbm_metric)
                p = focal.probability(start + model.predict(X))

    XGBoost     data = xgboost.DMatrix(X, y)
                model = xgboost.train({'base_score': start, 'max_delta_step': 1, 'min_child_weight': 0.1,
                                       'disable_default_eval_metric': 1}, data, obj=focal.xgboost,
                                      custom_metric=focal.xgboost_metric, evals=[...])
                p = focal.probability(model.predict(data, output_margin=True))

In scikit-learn's form `focal` itself is the objective; sample_weight, clone and GridSearchCV work:

    LightGBM    model = LGBMClassifier(objective=focal, max_delta_step=1)
                model.fit(X, y, init_score=numpy.full(len(y), start))
                p = focal.probability(start + model.predict(X, raw_score=True))       # predict_proba gives raw scores

    XGBoost     model = XGBClassifier(objective=focal, base_score=focal.probability(start),      # a probability here
                                      max_delta_step=1, min_child_weight=0.1, eval_metric=focal.mean_loss)
                model.fit(X, y)
                p = model.predict_proba(X)[:, 1]

max_delta_step bounds the steps of hopeless examples, min_child_weight admits leaves of easy ones: more below.

With the raw score x and label y, 0 or 1:

    z  = (2y - 1) x                     p = sigma(z)      q = 1 - p = sigma(-z)      s = -log p = log(1 + e^-z)

    FL        =  alpha_t q^gamma s
    dFL/dx    = -(2y - 1) alpha_t q^gamma (q + gamma p s)
    d2FL/dx2  =  alpha_t p q^gamma [(2 gamma + 1) q + gamma s (gamma p - q)]

Nothing is subtracted from 1, and no power of gamma - 1 occurs: all three are finite for every finite score and gamma >= 0.

The second derivative is negative for hard examples (for gamma 2 below z = -2.79), where FL bends the other way: a boosting step,
minus the sum of gradients by the sum of hessians, would go uphill. `objective` gives at least alpha_t p q^(gamma + 1) in its place:
the hessian of cross-entropy, weighted by alpha_t q^gamma. For easy examples the true one is larger, and is given.
It can be small: where no tree grows, lower min_child_weight (XGBoost, 1 by default) or min_sum_hessian_in_leaf (LightGBM, 1e-3).
It is positive, but a leaf of hopeless examples alone would still step far: max_delta_step is the largest step of a leaf, before
the learning rate.

Source: focal loss, Lin et al. 2017 (arXiv 1708.02002). From Focal Loss Lab, MIT license.
"""

import numpy as np

__all__ = ['FocalObjective']

SMALLEST_HESSIAN = 1e-16  # as XGBoost has it for its own logistic loss: a sum of zeros would be divided by


class FocalObjective:
    """Binary focal loss of raw scores, in float64.

    Args:
        alpha: weight of label 1, in [0, 1], label 0 having 1 - alpha; None: no weights
        gamma: >= 0; 0 is cross-entropy
    Raises:
        ValueError for other parameters
    """

    def __init__(self, alpha=0.25, gamma=2.0):
        if alpha is not None and not 0 <= alpha <= 1:
            raise ValueError(f'FocalObjective: alpha must be in [0, 1], or None, got {alpha}')
        if not (np.isfinite(gamma) and gamma >= 0):
            raise ValueError(f'FocalObjective: gamma must be a finite number >= 0, got {gamma}')
        self.alpha, self.gamma = alpha, float(gamma)

    def loss(self, score, label):
        """FL of each score.

        Raises:
            ValueError for other shapes, and for labels that are not 0 or 1
        """
        z, weight, _ = self._oriented(score, label)
        _, q, s, _ = _terms(z)
        return weight * q**self.gamma * s

    def gradient(self, score, label):
        """dFL/dx of each score."""
        z, weight, sign = self._oriented(score, label)
        _, q, _, r = _terms(z)
        return -sign * weight * q**self.gamma * (q * (1 + self.gamma * r))  # p s = r q

    def second_derivative(self, score, label):
        """d2FL/dx2 of each score, negative for hard examples."""
        z, weight, _ = self._oriented(score, label)
        p, q, _, r = _terms(z)
        g = self.gamma
        return weight * q**g * (q * ((2 * g + 1) * p + g * r * (g * p - q)))

    def objective(self, score, label, weight=None):
        """Gradient and positive hessian of each score, times its sample weight."""
        z, alpha_t, _ = self._oriented(score, label)
        p, q, _, _ = _terms(z)
        gradient = self.gradient(score, label)
        hessian = np.maximum(self.second_derivative(score, label), alpha_t * p * q ** (self.gamma + 1))
        hessian = np.maximum(hessian, SMALLEST_HESSIAN)
        return (gradient, hessian) if weight is None else (gradient * weight, hessian * weight)

    def initial_score(self, label, weight=None):
        """The constant score with the smallest loss, for labels of both kinds.

        Its derivative, summed over all labels, is of one sign left of it and of the other sign right of it: found by bisection.
        """
        y = _labels(label)
        weight = np.ones_like(y) if weight is None else np.asarray(weight, np.float64)
        share = np.average(y, weights=weight)
        if not 0 < share < 1:
            raise ValueError('FocalObjective.initial_score: labels must be of both kinds')

        def slope(score):
            return share * self.gradient([score], [1])[0] + (1 - share) * self.gradient([score], [0])[0]

        low, high = -50.0, 50.0
        while high - low > 1e-12 * max(1, abs(low)):
            middle = (low + high) / 2
            low, high = (middle, high) if slope(middle) < 0 else (low, middle)
        return (low + high) / 2

    @staticmethod
    def probability(score):
        """sigma(x). With gamma > 0 it is no calibrated probability: see notebook 8."""
        return _terms(np.asarray(score, np.float64))[0]

    def __call__(self, label, score, sample_weight=None):
        """Gradient and positive hessian, label first: for LGBMClassifier(objective=focal), XGBClassifier(objective=focal)."""
        return self.objective(score, label, sample_weight)

    def mean_loss(self, label, score, sample_weight=None):
        """Mean loss of raw scores, label first: for XGBClassifier(eval_metric=focal.mean_loss)."""
        return float(np.average(self.loss(score, label), weights=sample_weight))

    def lightgbm(self, score, data):
        """For lightgbm.train({'objective': focal.lightgbm}, ...). Sample weights are those of the Dataset."""
        return self.objective(score, data.get_label(), data.get_weight())

    def lightgbm_metric(self, score, data):
        """For lightgbm.train(..., feval=focal.lightgbm_metric): name, mean loss, and that less is better."""
        return 'focal_loss', self.mean_loss(data.get_label(), score, data.get_weight()), False

    def xgboost(self, score, data):
        """For xgboost.train(..., obj=focal.xgboost). Sample weights are those of the DMatrix."""
        weight = data.get_weight()
        return self.objective(score, data.get_label(), weight if weight.size else None)

    def xgboost_metric(self, score, data):
        """For xgboost.train(..., custom_metric=focal.xgboost_metric): name and mean loss."""
        weight = data.get_weight()
        return 'focal_loss', self.mean_loss(data.get_label(), score, weight if weight.size else None)

    def _oriented(self, score, label):
        """z, alpha_t and 2y - 1"""
        x, y = np.asarray(score, np.float64), _labels(label)
        if x.shape != y.shape:
            raise ValueError(f'FocalObjective: scores and labels must have one shape, got {x.shape} and {y.shape}')
        sign = 2 * y - 1
        alpha_t = np.ones_like(y) if self.alpha is None else np.where(y == 1, self.alpha, 1 - self.alpha)
        return sign * x, alpha_t, sign


def _labels(label):
    y = np.asarray(label, np.float64)
    bad = (y != 0) & (y != 1)
    if bad.any():
        raise ValueError(f'FocalObjective: labels must be 0 or 1, got {y[bad][0]}')
    return y


def _terms(z):
    """p = sigma(z), q = sigma(-z), s = -log p, and r = p s / q, which is in [0, 1]; none of them by a subtraction from 1.

    One of u = e^-max(z, 0) and v = e^-max(-z, 0) is 1, the other e^-|z|, so that u v = e^-|z| cannot overflow.
    """
    hardness = np.maximum(-z, 0)
    u, v = np.exp(-np.maximum(z, 0)), np.exp(-hardness)
    uv = u * v
    s = hardness + np.log1p(uv)
    limits = np.finfo(np.float64)
    r = v * np.minimum(s, limits.max) / np.maximum(u, limits.tiny)  # at z = -Infinity v is 0 and s is Infinity
    return v / (1 + uv), u / (1 + uv), s, r
