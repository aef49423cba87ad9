"""More losses of PyTorch's libraries: copies of torchvision's form in packages for detection, the softmax form, and what is akin.

Most are run without the rest of their package, which would need as much again. alpha is turned off, or is 1/2 and its effect undone
by an exact factor of 2.
"""

import functools
import sys
import typing
from importlib.metadata import version
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from implementation import FORMULA, FUNCTION, PACKAGE, Implementation, definitions
from torch_losses import FRAMEWORK, TORCH, by_autograd  # FRAMEWORK: census.py asks for it

GIVEN = TORCH | {
    'nn': nn,
    'Tensor': torch.Tensor,
    'Union': typing.Union,
    'Callable': typing.Callable,
    'functools': functools,
    '_Loss': nn.modules.loss._Loss,
}


def by_rows(loss_of):
    """@param loss_of  (logits [n, 2], class indices [n], gamma) -> loss of each row, where alpha_t is 1

    Two classes with the logits 0 and x: the softmax loss is the binary one, and x is the gap.
    """

    def evaluate(logits, label, gamma, dtype):
        rows = torch.zeros(len(logits), 2, dtype=getattr(torch, dtype))
        rows[:, 1] = torch.tensor(logits)
        rows.requires_grad_()
        loss = loss_of(rows, torch.full([len(logits)], label), gamma)
        loss.sum().backward()
        fixed, gradient = rows.grad.double().numpy().T
        gradient = gradient.copy()
        bad = ~rows.grad[:, 0].isfinite().numpy()
        gradient[bad] = fixed[bad]
        return loss.detach().double().numpy().ravel(), gradient

    return evaluate


def per_element(loss_of):
    """What a loss that reduces says of each element by itself.

    @param loss_of  (logits [1, 1], labels [1, 1]) -> their loss
    """
    return torch.vmap(lambda x, y: loss_of(x.reshape(1, 1), y.reshape(1, 1)))


def transformers():
    file = 'transformers/loss/loss_for_object_detection.py'
    f = definitions('transformers', file, ['sigmoid_focal_loss'], GIVEN)['sigmoid_focal_loss']

    @by_autograd
    def evaluate(x, y, gamma):
        return per_element(lambda x, y: f(x, y, 1, alpha=-1, gamma=gamma))(x, y)

    return Implementation('transformers', version('transformers'), 'DETR family', FUNCTION, f, evaluate)


def rfdetr():
    f = definitions('rfdetr', 'rfdetr/models/criterion.py', ['sigmoid_focal_loss'], GIVEN)['sigmoid_focal_loss']

    @by_autograd
    def evaluate(x, y, gamma):
        return per_element(lambda x, y: f(x, y, 1, alpha=-1, gamma=gamma))(x, y)

    return Implementation('rfdetr', version('rfdetr'), None, FUNCTION, f, evaluate)


def ultralytics():
    file = 'ultralytics/utils/loss.py'
    given = GIVEN | {'autocast': lambda enabled, device: torch.autocast(device, enabled=enabled)}  # as in its torch_utils
    found = definitions('ultralytics', file, ['FocalLoss', 'VarifocalLoss'], given)
    FocalLoss, VarifocalLoss = found['FocalLoss'], found['VarifocalLoss']

    @by_autograd
    def focal(x, y, gamma):
        return per_element(FocalLoss(gamma=gamma, alpha=-1.0))(x, y)

    @by_autograd
    def varifocal(x, y, gamma):
        loss = VarifocalLoss(gamma=gamma, alpha=1.0)
        return per_element(lambda x, y: loss(x, y, y))(x, y)

    package = 'ultralytics', version('ultralytics')
    return [
        Implementation(*package, 'FocalLoss', FUNCTION, FocalLoss, focal),
        # Its label 1 has no power of p.
        Implementation(*package, 'VarifocalLoss', FUNCTION, VarifocalLoss, varifocal, focal=(0,)),
    ]


def effdet():
    found = definitions('effdet', 'effdet/loss.py', ['focal_loss_legacy', 'new_focal_loss'], GIVEN)
    legacy, new = found['focal_loss_legacy'], found['new_focal_loss']

    @by_autograd
    def of_legacy(x, y, gamma):
        return 2 * legacy(x, y, alpha=0.5, gamma=gamma, normalizer=1.0)

    @by_autograd
    def of_new(x, y, gamma):
        return 2 * new(x, y, alpha=0.5, gamma=gamma, normalizer=1.0, label_smoothing=0.0)

    return [
        Implementation('effdet', version('effdet'), 'new', FUNCTION, new, of_new),
        Implementation('effdet', version('effdet'), 'legacy', FUNCTION, legacy, of_legacy),
    ]


def super_gradients():
    file = 'super_gradients/training/losses/focal_loss.py'
    FocalLoss = definitions('super-gradients', file, ['FocalLoss'], GIVEN)['FocalLoss']

    @by_autograd
    def evaluate(x, y, gamma):
        return 2 * FocalLoss(nn.BCEWithLogitsLoss(reduction='none'), gamma=gamma, alpha=0.5)(x, y)

    return Implementation('super-gradients', version('super-gradients'), None, FUNCTION, FocalLoss, evaluate)


def toolbelt():
    names = ['focal_loss_with_logits', 'softmax_focal_loss_with_logits']
    found = definitions('pytorch-toolbelt', 'pytorch_toolbelt/losses/functional.py', names, GIVEN)
    sigmoid, softmax = (found[name] for name in names)

    @by_autograd
    def of_sigmoid(x, y, gamma):
        return sigmoid(x, y, alpha=None, gamma=gamma, reduction='none')

    @by_rows
    def of_softmax(x, t, gamma):
        return softmax(x, t, gamma=gamma, reduction='none')

    package = 'pytorch-toolbelt', version('pytorch-toolbelt')
    return [
        Implementation(*package, 'sigmoid', FUNCTION, sigmoid, of_sigmoid),
        Implementation(*package, 'softmax', FUNCTION, softmax, of_softmax),
    ]


def balanced_loss():
    f = definitions('balanced-loss', 'balanced_loss/losses.py', ['focal_loss'], GIVEN)['focal_loss']

    @by_autograd
    def evaluate(x, y, gamma):
        # It divides by the sum of the labels, so that there has to be a label 1: next to a logit of 100 it adds a loss of 0.
        def of_pair(x, y):
            beside = torch.full_like(x, 100), torch.ones_like(y)
            return (1 + y) * f(torch.cat([x, beside[0]]), torch.cat([y, beside[1]]), gamma=gamma)

        return per_element(of_pair)(x, y)

    return Implementation('balanced-loss', version('balanced-loss'), None, FUNCTION, f, evaluate)


def timm():
    file = 'timm/loss/asymmetric_loss.py'
    Asymmetric = definitions('timm', file, ['AsymmetricLossMultiLabel'], GIVEN)['AsymmetricLossMultiLabel']

    def variant(clip):
        @by_autograd
        def evaluate(x, y, gamma):
            return Asymmetric(gamma_neg=gamma, gamma_pos=gamma, clip=clip, reduction='none')(x, y)

        focal = (1,) if clip else (1, 0)  # with a clip, the loss of label 0 is another one
        name = f'asymmetric, clip {clip:g}'
        return Implementation('timm', version('timm'), name, FUNCTION, Asymmetric, evaluate, focal=focal)

    return [variant(0.05), variant(0.0)]


def mmdetection_quality():
    folder = 'mmdet/models/losses'
    given = definitions('mmdet', f'{folder}/utils.py', ['reduce_loss', 'weight_reduce_loss', 'weighted_loss'], GIVEN)
    f = definitions('mmdet', f'{folder}/gfocal_loss.py', ['quality_focal_loss'], given)['quality_focal_loss']

    @by_autograd
    def evaluate(x, y, gamma):  # hard labels: |y - p|^beta is (1 - p_t)^gamma
        return f(x[:, None], (1 - y.long(), y), beta=gamma, reduction='none')

    return Implementation('MMDetection', version('mmdet'), 'quality focal loss', FUNCTION, None, evaluate)


def monai_softmax():
    from monai.losses import FocalLoss

    @by_rows
    def evaluate(x, t, gamma):
        loss = FocalLoss(gamma=gamma, reduction='none', use_softmax=True, to_onehot_y=True)
        return loss(x, t[:, None]).sum(1)

    return Implementation('MONAI', version('monai'), 'softmax', PACKAGE, FocalLoss, evaluate)


def kornia_softmax():
    from kornia.losses import focal_loss

    @by_rows
    def evaluate(x, t, gamma):
        return focal_loss(x, t, alpha=None, gamma=gamma, reduction='none').sum(1)

    return Implementation('kornia', version('kornia'), 'softmax', PACKAGE, focal_loss, evaluate)


def detached_form():
    @by_autograd
    def evaluate(x, y, gamma):  # a recipe that is copied often: the weight is no part of the graph
        cross_entropy = F.binary_cross_entropy_with_logits(x, y, reduction='none')
        return (1 - torch.exp(-cross_entropy.detach())) ** gamma * cross_entropy

    return Implementation('weight detached', None, None, FORMULA, None, evaluate)


def frameworks():
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'frameworks'))
    from focal_loss_torch import sigmoid_focal_loss, softmax_focal_loss

    @by_autograd
    def sigmoid(x, y, gamma):
        return sigmoid_focal_loss(x, y, None, gamma)

    @by_rows
    def softmax(x, t, gamma):
        return softmax_focal_loss(x, t, None, gamma)

    file = 'frameworks/focal_loss_torch.py'
    return [
        Implementation('exact form', None, f'{file}, {name}', FORMULA, f, evaluate)
        for name, f, evaluate in [
            ('sigmoid', sigmoid_focal_loss, sigmoid),
            ('softmax', softmax_focal_loss, softmax),
        ]
    ]
