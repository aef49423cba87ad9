"""Steps of LeNets in PyTorch: one, or many by vmap. Argument and output: see together.mjs."""

import json
import sys
import time
from pathlib import Path

import torch
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.nn.functional import binary_cross_entropy_with_logits

sys.path.append(str(Path(__file__).parents[1] / "models"))
from torch_step import lenet  # noqa: E402

SAMPLES = 6400


def focal_loss(logits: torch.Tensor, labels: torch.Tensor, alpha: float, gamma: float) -> torch.Tensor:
    """The textbook one, with the operations of torchvision's sigmoid_focal_loss."""
    p = torch.sigmoid(logits)
    cross_entropy = binary_cross_entropy_with_logits(logits, labels, reduction="none")
    p_t = p * labels + (1 - p) * (1 - labels)
    loss = cross_entropy * (1 - p_t) ** gamma
    return ((alpha * labels + (1 - alpha) * (1 - labels)) * loss).mean()


def main() -> None:
    task = json.loads(sys.argv[1])
    work, count = task["work"], task["models"]
    torch.set_num_threads(task["threads"])
    torch.manual_seed(1)
    images = torch.rand(SAMPLES, 1, 28, 28)
    digits = torch.arange(SAMPLES) % 10
    order = torch.arange(SAMPLES) * 2609 % SAMPLES
    models = [lenet(28, 1) for _ in range(count)]
    if count == 1:
        (model,) = models
        parameters = list(model.parameters())
    else:
        stacked, _ = stack_module_state(models)
        parameters = list(stacked.values())
    optimizer = torch.optim.SGD(parameters, lr=work["learningRate"], momentum=work["momentum"])
    thresholds = (torch.arange(count) % 9).reshape(count, 1, 1)

    def loss_of(weights: dict, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return focal_loss(functional_call(models[0], weights, (inputs,)), labels, work["alpha"], work["gamma"])

    gradients_of_all = vmap(grad_and_value(loss_of), in_dims=(0, None, 0))

    def step(indices: torch.Tensor) -> None:
        inputs = images[indices]
        labels = (digits[indices].reshape(1, -1, 1) <= thresholds).float()
        optimizer.zero_grad(set_to_none=True)
        if count == 1:
            loss = focal_loss(model(inputs), labels[0], work["alpha"], work["gamma"])
            loss.backward()
        else:
            gradients, loss = gradients_of_all(stacked, inputs, labels)
            for name, parameter in stacked.items():
                parameter.grad = gradients[name]
        optimizer.step()
        if not loss.sum().item() < float("inf"):
            raise FloatingPointError(f"the loss is {loss}")

    start = 0
    while True:  # until together.mjs ends it
        before = time.perf_counter()
        step(order[start : start + work["batch"]])
        start = (start + work["batch"]) % SAMPLES
        print(1000 * (time.perf_counter() - before), flush=True)


if __name__ == "__main__":
    main()
