"""What is measured of one implementation of the focal loss. Needs NumPy only, and knows no library.

An implementation is known by a function `evaluate(logits, label, gamma, dtype)`: it gets an array of logits that the
dtype can hold, one label, 0 or 1, and returns loss and gradient by the logit, element by element, as float64 arrays.
Its alpha_t is 1.

    z = (2y - 1) x        signed logit: positive on the easy side, where the prediction is right
    p = sigma(z)          q = sigma(-z)        s = -log p = log(1 + e^-z)
    FL     = q^gamma s
    dFL/dz = -q^gamma (q + gamma p s)          dFL/dx = (2y - 1) dFL/dz
"""

import numpy as np

SETTINGS = {
    # 0.0, as hyperparameters come: JAX computes a power of the integer 0 in another way
    'gammas': [0.0, 0.1, 0.5, 0.9, 2.0],
    'labels': [1, 0],
    'dtypes': ['float32', 'float16', 'bfloat16'],
    # |x| to which a fault is looked for. Near 2^127 even a factor alpha decides whether there is one.
    'largestLogit': 10_000,
    # |x| of the ordinary range, in which errors are measured
    'near': 8,
    # |x| to which a wrong gradient is looked for, while the exact one is a normal float32
    'farEasy': 40,
    'farHard': 100,
    # relative error from which a gradient is called wrong
    'wrong': 0.01,
}
ERRORS = ['lossError', 'gradientError', 'easyWrongFrom', 'hardWrongFrom', 'hardGradientError']
SIGN = {'easy': 1, 'hard': -1}


def exact_focal_loss(z, gamma):
    """FL and dFL/dz in float64, for any z; error at most 1e-14, as test_census.py finds against 50 digits."""
    e = np.exp(-np.abs(z))  # cannot overflow
    q = np.where(z >= 0, e, 1) / (1 + e)  # 1 - p without the subtraction
    p = np.where(z >= 0, 1, e) / (1 + e)
    s = np.maximum(-z, 0) + np.log1p(e)
    weight = q**gamma
    return weight * s, -weight * (q + gamma * p * s)


def magnitudes(dtype):
    """|x| to try, to 10,000: every float16 or bfloat16; of float32, steps of 1/64 to 128, and 600 numbers beyond."""
    largest = SETTINGS['largestLogit']
    if dtype == 'float32':
        return np.concatenate([np.arange(0, 128, 1 / 64), np.geomspace(128, largest, 600)]).astype(np.float32)
    if dtype == 'float16':
        every = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    else:
        every = (np.arange(0x7F80, dtype=np.uint32) << 16).view(np.float32)
    return every[every <= largest]


def fault(loss, gradient):
    """'gradient NaN', 'loss Infinity, gradient NaN', or None if both are finite."""
    parts = [
        f'{name} {"NaN" if np.isnan(value) else "Infinity"}'
        for name, value in (('loss', loss), ('gradient', gradient))
        if not np.isfinite(value)
    ]
    return ', '.join(parts) or None


def first_fault(evaluate, tried, close_in=True):
    """The first magnitude at which loss or gradient is not finite, and what is wrong there; (None, None) if there is none.

    Closes in between the last good and the first bad one of `tried`, a rising array of float32, until no float32 lies
    between. A fault that begins and ends between two of them is not seen.

    @param evaluate  magnitudes -> loss, gradient
    """
    while True:
        loss, gradient = evaluate(tried)
        bad = np.flatnonzero(~(np.isfinite(loss) & np.isfinite(gradient)))
        if bad.size == 0:
            return None, None
        first = bad[0]
        found = float(tried[first]), fault(loss[first], gradient[first])
        if first == 0 or not close_in:
            return found
        low, high = tried[first - 1 : first + 1].view(np.uint32).astype(np.int64)  # ordered as the numbers are
        if high - low == 1:
            return found
        tried = np.unique(np.linspace(low, high, 257).astype(np.uint32)).view(np.float32)


def relative_errors(measured, exact):
    """|measured - exact| / |exact|; infinite where the measured one is not finite."""
    errors = np.abs(measured - exact) / np.abs(exact)
    return np.where(np.isfinite(errors), errors, np.inf)


def measure(evaluate, label, gamma, dtype):
    """One row: the first faults on both sides and, for float32, how wrong the finite numbers are before.

    easyFaultAt, easyFault      |x| of the first loss or gradient that is not finite, and which; None: none to 10,000
    hardFaultAt, hardFault      the same for predictions that are wrong
    lossError, gradientError    largest relative error for |x| <= 8
    easyWrongFrom               smallest |x| <= 40 with a gradient that is off by more than 1 %
    hardWrongFrom               the same for wrong predictions, to 100
    hardGradientError           largest relative error of the gradient of wrong predictions, to 100
    """
    direction = 2 * label - 1

    def along(side):
        return lambda magnitude: evaluate(SIGN[side] * direction * magnitude, label, gamma, dtype)

    row = {'dtype': dtype, 'gamma': gamma, 'label': label}
    for side in SIGN:
        at, what = first_fault(along(side), magnitudes(dtype), close_in=dtype == 'float32')
        row |= {f'{side}FaultAt': at, f'{side}Fault': what}
    if dtype != 'float32':
        return row | dict.fromkeys(ERRORS)

    near = np.linspace(-SETTINGS['near'], SETTINGS['near'], 16001, dtype=np.float32)
    loss, gradient = evaluate(direction * near, label, gamma, dtype)
    exact_loss, exact_gradient = exact_focal_loss(near.astype(np.float64), gamma)
    row['lossError'] = float(relative_errors(loss, exact_loss).max())
    row['gradientError'] = float(relative_errors(direction * gradient, exact_gradient).max())
    for side, sign in SIGN.items():
        far = np.arange(0, SETTINGS[f'far{side.capitalize()}'] + 1 / 128, 1 / 64, dtype=np.float32)
        _, gradient = along(side)(far)
        errors = relative_errors(direction * gradient, exact_focal_loss(sign * far.astype(np.float64), gamma)[1])
        wrong = np.flatnonzero(errors > SETTINGS['wrong'])
        row[f'{side}WrongFrom'] = float(far[wrong[0]]) if wrong.size else None
    row['hardGradientError'] = float(errors.max())
    return row
