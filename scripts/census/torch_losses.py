"""The losses of PyTorch's libraries. alpha is turned off, or is 1/2 and its effect undone by an exact factor of 2."""

import functools
import textwrap
import typing
from importlib.metadata import version
from pathlib import Path

import torch
import torch.nn.functional as F

from implementation import FORMULA, FUNCTION, PACKAGE, Implementation, definitions

FRAMEWORK = 'PyTorch', torch.__version__
TORCH = {'torch': torch, 'F': F, 'Optional': typing.Optional, 'List': typing.List}


def by_autograd(loss_of):
    """@param loss_of  (logits, labels, gamma) -> loss of each element, where alpha_t is 1"""

    def evaluate(logits, label, gamma, dtype):
        x = torch.tensor(logits, dtype=getattr(torch, dtype), requires_grad=True)
        loss = loss_of(x, torch.full_like(x, label), gamma)
        loss.sum().backward()
        return loss.detach().double().numpy().ravel(), x.grad.double().numpy()

    return evaluate


def sigmoid_focal_loss(package, file, given):
    """The function of this name in a file of the package."""
    f = definitions(package, file, ['sigmoid_focal_loss'], given)['sigmoid_focal_loss']

    @by_autograd
    def evaluate(x, y, gamma):
        return f(x, y, alpha=-1, gamma=gamma)

    return Implementation(package, version(package), None, FUNCTION, f, evaluate)


def torchvision():
    # The package starts only with the build of PyTorch that its operators in C++ were compiled for.
    given = TORCH | {'_log_api_usage_once': lambda _: None}
    return sigmoid_focal_loss('torchvision', 'torchvision/ops/focal_loss.py', given)


def fvcore():
    return sigmoid_focal_loss('fvcore', 'fvcore/nn/focal_loss.py', TORCH)


def mmdetection():
    # Its loss for the CPU. The one for the GPU is CUDA code of mmcv, and is not measured.
    folder = 'mmdet/models/losses'
    given = TORCH | {'Tensor': torch.Tensor}
    reduction = definitions('mmdet', f'{folder}/utils.py', ['reduce_loss', 'weight_reduce_loss'], given)
    f = definitions('mmdet', f'{folder}/focal_loss.py', ['py_sigmoid_focal_loss'], reduction)['py_sigmoid_focal_loss']

    @by_autograd
    def evaluate(x, y, gamma):
        return 2 * f(x, y, gamma=gamma, alpha=0.5, reduction='none')

    return Implementation('MMDetection', version('mmdet'), None, FUNCTION, f, evaluate)


def segmentation_models():
    folder = 'segmentation_models_pytorch/losses'
    package = 'segmentation_models_pytorch'
    modes = {f'{name.upper()}_MODE': name for name in ('binary', 'multilabel', 'multiclass')}
    given = TORCH | modes | {'partial': functools.partial, '_Loss': torch.nn.modules.loss._Loss}
    functions = definitions(package, f'{folder}/_functional.py', ['focal_loss_with_logits', 'to_tensor'], given)
    FocalLoss = definitions(package, f'{folder}/focal.py', ['FocalLoss'], functions)['FocalLoss']

    @by_autograd
    def evaluate(x, y, gamma):
        return FocalLoss('binary', gamma=gamma, reduction='none')(x, y)

    return Implementation('segmentation_models', version(package), None, FUNCTION, FocalLoss, evaluate)


def kornia():
    from kornia.losses import binary_focal_loss_with_logits as f

    @by_autograd
    def evaluate(x, y, gamma):
        return f(x[:, None], y[:, None], alpha=None, gamma=gamma)

    return Implementation('kornia', version('kornia'), None, PACKAGE, f, evaluate)


def kornia_of_2021():
    from kornia.losses import binary_focal_loss_with_logits as f

    @by_autograd
    def evaluate(x, y, gamma):
        return 2 * f(x[:, None], y, alpha=0.5, gamma=gamma)

    return Implementation('kornia', version('kornia'), None, PACKAGE, f, evaluate)


def monai():
    from monai.losses import FocalLoss

    @by_autograd
    def evaluate(x, y, gamma):
        return FocalLoss(gamma=gamma, reduction='none')(x[:, None], y[:, None])

    return Implementation('MONAI', version('monai'), None, PACKAGE, FocalLoss, evaluate)


def exact_form():
    readme = (Path(__file__).resolve().parents[2] / 'README.md').read_text()
    given = {}
    exec(textwrap.dedent(readme.split('```python\n')[1].split('```')[0]), given)
    f = given['sigmoid_focal_loss']

    @by_autograd
    def evaluate(x, y, gamma):
        return f(x, y, None, gamma)

    return Implementation('exact form', None, 'README', FORMULA, f, evaluate)


def stabilized_form():
    @by_autograd
    def evaluate(x, y, gamma):  # van Leeuwen et al. 2025
        p = torch.sigmoid(x)
        p_t = p * y + (1 - p) * (1 - y)
        return F.binary_cross_entropy_with_logits(x, y, reduction='none') * ((1 - p_t) + 1e-3) ** gamma

    return Implementation('stabilized form', None, 'epsilon 1e-3', FORMULA, None, evaluate)
