"""The focal loss and its derivatives to 50 digits: the definition in arithmetic of 140 digits, and its central differences.

No derivative is written down here, so that those of the tested files have nothing to agree with by mistake.
"""

from decimal import Decimal, getcontext
from functools import lru_cache

getcontext().prec = 140
getcontext().Emin, getcontext().Emax = -(10**9), 10**9
STEP = Decimal('1e-30')  # differences are off by its square, and lose 30 or 60 of the 140 digits

# Signed logits at which something happens in float32, float16 or bfloat16, and between.
MARGINS = sorted(
    sign * size
    for size in [0.0, 0.001, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.25, 7.0, 8.5, 10.0, 12.0, 14.5, 16.0]
    + [16.5, 16.625, 16.6328125, 16.75, 17.0, 17.25, 17.5, 18.0, 20.0, 22.5, 25.0, 30.0, 36.0, 38.0, 40.0]
    for sign in (1, -1)
    if size or sign == 1
)
FAR = [50.0, 60.0, 75.0, 87.0, 88.5, 89.0, 100.0, 104.0, 1e3, 1e4]
GAMMAS = [0.0, 0.1, 0.5, 0.9, 1.0, 1.5, 2.0, 5.0]


def margin_loss(others, gamma):
    """q^gamma s of others = e^-z > 0: q = others / (1 + others), s = log(1 + others)."""
    q = others / (1 + others)
    s = (1 + others).ln() if others > Decimal('1e-50') else others - others**2 / 2 + others**3 / 3 - others**4 / 4
    return (q**gamma if gamma else Decimal(1)) * s


@lru_cache(maxsize=None)
def binary(z, gamma):
    """FL, dFL/dz and d2FL/dz2 at a signed logit, as floats. Of the very numbers z and gamma."""
    z, gamma = Decimal(z), Decimal(gamma)
    low, middle, high = (margin_loss((-(z + step)).exp(), gamma) for step in (-STEP, Decimal(0), STEP))
    return float(middle), float((high - low) / (2 * STEP)), float((high - 2 * middle + low) / STEP**2)


@lru_cache(maxsize=None)
def _softmax(logits, target, gamma):
    logits, gamma = [Decimal(x) for x in logits], Decimal(gamma)
    odds = [Decimal(0) if j == target else (x - logits[target]).exp() for j, x in enumerate(logits)]
    others = sum(odds)

    def moved(x, step):
        """The loss where x + step takes the place of x, None being the logit of the target."""
        if x is None:
            return margin_loss(others * (-step).exp(), gamma)
        return margin_loss(others + x * (step.exp() - 1), gamma)

    # Equal logits have equal slopes.
    places = [None if k == target else odds[k] for k in range(len(logits))]
    slope = {x: (moved(x, STEP) - moved(x, -STEP)) / (2 * STEP) for x in set(places)}
    slopes = [slope[x] for x in places]
    return float(margin_loss(others, gamma)), [float(slope) for slope in slopes]


def softmax(logits, target, gamma):
    """FL and its gradient by each logit, for a class index."""
    return _softmax(tuple(logits), target, gamma)


def mixture(logits, row, gamma, weights=None):
    """The softmax loss of a row of probabilities, and its gradient."""
    weights = weights or [1.0] * len(row)
    parts = [(w * y, softmax(logits, c, gamma)) for c, (y, w) in enumerate(zip(row, weights)) if w * y]
    return sum(w * loss for w, (loss, _) in parts), [
        sum(w * gradient[k] for w, (_, gradient) in parts) for k in range(len(logits))
    ]


def rows(classes, count=12):
    """Rows of logits from hopeless to trivial for class 0, without chance: multiples of 1/64, so that float16 holds them."""
    found = []
    for i in range(count):
        gap = -24 + 60 * i / (count - 1)  # of the target over a typical other class
        row = [round(64 * (gap / 2))] + [round(64 * (-gap / 2 + 1.5 * ((7 * j + 3 * i) % 5 - 2))) for j in range(1, classes)]
        found.append([value / 64 for value in row])
    return found


def worst(found, expected, smallest):
    """Largest relative error among expected numbers that are normal, in units of 1."""
    errors = [abs(a - b) / abs(b) for a, b in zip(found, expected, strict=True) if abs(b) > smallest]
    assert errors, 'nothing was compared'
    return max(e if e == e else float('inf') for e in errors)
