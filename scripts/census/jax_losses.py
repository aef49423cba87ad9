"""The loss of optax, compiled as a training step is."""

import jax
import jax.numpy as jnp
import numpy as np
from optax import __version__ as optax_version
from optax.losses import sigmoid_focal_loss

from implementation import PACKAGE, Implementation

FRAMEWORK = 'JAX', jax.__version__


def evaluate(logits, label, gamma, dtype):
    labels = jnp.full(logits.shape, label, dtype)

    @jax.jit
    def loss_and_gradient(x):
        loss, pull_back = jax.vjp(lambda x: sigmoid_focal_loss(x, labels, gamma=gamma), x)
        return loss, pull_back(jnp.ones_like(loss))[0]

    return tuple(np.asarray(part, np.float64) for part in loss_and_gradient(jnp.asarray(logits, dtype)))


def optax():
    return Implementation('optax', optax_version, None, PACKAGE, sigmoid_focal_loss, evaluate)
