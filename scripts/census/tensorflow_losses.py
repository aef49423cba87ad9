"""The losses of Keras, and of TensorFlow Addons where it is installed."""

import tensorflow as tf

from implementation import PACKAGE, Implementation

FRAMEWORK = 'TensorFlow', tf.__version__
tf.get_logger().setLevel('ERROR')  # it warns of each function that is traced for another shape


def by_tape(loss_of, how):
    """@param loss_of  (logits, labels, gamma) -> loss of each element
    @param how  makes a step of a function: tf.function, or nothing"""

    def evaluate(logits, label, gamma, dtype):
        @how
        def step(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = loss_of(x, tf.fill(tf.shape(x), tf.cast(label, x.dtype)), gamma)
            return loss, tape.gradient(loss, x)

        loss, gradient = step(tf.constant(logits[:, None], dtype))
        return tf.cast(loss, tf.float64).numpy().ravel(), tf.cast(gradient, tf.float64).numpy().ravel()

    return evaluate


def eagerly(function):
    return function


def keras():
    from keras import __version__ as version
    from keras.activations import sigmoid
    from keras.losses import BinaryFocalCrossentropy, CategoricalFocalCrossentropy

    def logits(x, y, gamma):
        return BinaryFocalCrossentropy(gamma=gamma, from_logits=True, reduction=None)(y, x)

    def sigmoid_layer(x, y, gamma):  # Keras finds the logits behind its own sigmoid
        return BinaryFocalCrossentropy(gamma=gamma, reduction=None)(y, sigmoid(x))

    def probabilities(x, y, gamma):  # but not behind anything else
        return BinaryFocalCrossentropy(gamma=gamma, reduction=None)(y, tf.identity(tf.sigmoid(x)))

    def variant(loss_of, name, way, how):
        return Implementation(
            'Keras', version, f'{name}, {way}', PACKAGE, BinaryFocalCrossentropy, by_tape(loss_of, how)
        )

    def categorical(x, y, gamma):  # two classes with the logits 0 and x: x is the gap
        rows, labels = tf.concat([tf.zeros_like(x), x], 1), tf.concat([1 - y, y], 1)
        loss = CategoricalFocalCrossentropy(alpha=1.0, gamma=gamma, from_logits=True, reduction=None)(labels, rows)
        return loss[:, None]

    compiled = tf.function(jit_compile=True)  # as Model.fit compiles unless told otherwise
    return [
        variant(logits, 'logits', 'XLA', compiled),
        variant(logits, 'logits', 'graph', tf.function),
        variant(logits, 'logits', 'eager', eagerly),
        variant(sigmoid_layer, 'sigmoid layer', 'XLA', compiled),
        variant(probabilities, 'probabilities', 'XLA', compiled),
        variant(probabilities, 'probabilities', 'eager', eagerly),
        Implementation(
            'Keras', version, 'softmax, XLA', PACKAGE, CategoricalFocalCrossentropy, by_tape(categorical, compiled)
        ),
    ]


def addons():
    from tensorflow_addons import __version__ as version
    from tensorflow_addons.losses import sigmoid_focal_crossentropy as f

    def from_logits(x, y, gamma):
        return f(y, x, alpha=None, gamma=gamma, from_logits=True)

    def from_probabilities(x, y, gamma):
        return f(y, tf.sigmoid(x), alpha=None, gamma=gamma)

    signature = f.python_function
    return [
        Implementation('TensorFlow Addons', version, name, PACKAGE, signature, by_tape(loss_of, eagerly))
        for name, loss_of in {'logits': from_logits, 'probabilities': from_probabilities}.items()
    ]
