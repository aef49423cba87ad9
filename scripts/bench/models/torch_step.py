"""Times training steps of the same networks in PyTorch.

Arguments: memory format, 'compiled' or 'eager', task; see rounds.mjs.
"""

import json
import re
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, pad, scaled_dot_product_attention


def lenet(size: int, channels: int) -> nn.Module:
    flat = 16 * (((size - 4) // 2 - 4) // 2) ** 2
    return nn.Sequential(
        nn.Conv2d(channels, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(flat, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 1),
    )  # fmt: skip


def double_conv(channels: int, filters: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU(inplace=True),
        nn.Conv2d(filters, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU(inplace=True),
    )  # fmt: skip


class Unet(nn.Module):
    def __init__(self, size: int, channels: int, width: int, depth: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(double_conv(a, b) for a, b in zip([channels, *widths], widths))
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in widths[:-1])
        self.up = nn.ModuleList(double_conv(2 * w, w) for w in widths[:-1])
        self.pool = nn.MaxPool2d(2)
        self.logit = nn.Conv2d(width, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips = []
        for conv in self.down[:-1]:
            skips.append(conv(x))
            x = self.pool(skips[-1])
        x = self.down[-1](x)
        for skip, enlarge, conv in zip(reversed(skips), reversed(self.enlarge), reversed(self.up)):
            x = enlarge(x)
            missing = skip.shape[2] - x.shape[2]
            x = conv(torch.cat([pad(x, (0, missing, 0, missing)), skip], dim=1))
        return self.logit(x)


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, tokens, width = x.shape
        q, k, v = self.qkv(x).reshape(n, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        y = scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).reshape(n, tokens, width))


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attention = Attention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    def __init__(self, size: int, channels: int, patch: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(channels, width, patch, stride=patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(0.02 * torch.randn(1, 1 + (size // patch) ** 2, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm, self.logit = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x], dim=1) + self.positions
        return self.logit(self.norm(self.blocks(x)[:, 0]))


def focal_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The stabilized one, with the operations of torchvision's sigmoid_focal_loss."""
    alpha, gamma, epsilon = 0.5, 0.5, 1e-3
    p = torch.sigmoid(logits)
    cross_entropy = binary_cross_entropy_with_logits(logits, labels, reduction="none")
    p_t = p * labels + (1 - p) * (1 - labels)
    loss = cross_entropy * ((1 - p_t) + epsilon) ** gamma
    return ((alpha * labels + (1 - alpha) * (1 - labels)) * loss).mean()


def main() -> None:
    memory_format = getattr(torch, sys.argv[1])
    compiled = sys.argv[2] == "compiled"
    task = json.loads(sys.argv[3])
    work = task["work"]
    torch.set_num_threads(task["threads"])
    torch.manual_seed(1)
    model = {"lenet": lenet, "unet": Unet, "vit": Vit}[work["model"]](**work["options"])
    model = model.to(memory_format=memory_format)
    size, channels = work["options"]["size"], work["options"]["channels"]
    images = torch.rand(work["batch"], channels, size, size).contiguous(memory_format=memory_format)
    if work["model"] == "unet":
        labels = (images > 0.5).float()
    else:
        labels = (torch.arange(work["batch"]) % 2).float().unsqueeze(1)

    def loss_of(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return focal_loss(model(images), labels)

    if compiled:
        loss_of = torch.compile(loss_of)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    ms, cpu_ms = [], []
    for step in range(task["warmUp"] + task["steps"]):
        start, cpu_start = time.perf_counter(), time.process_time()
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(images, labels)
        loss.backward()
        optimizer.step()
        if not loss.item() < float("inf"):
            raise FloatingPointError(f"step {step}: the loss is {loss.item()}")
        if step >= task["warmUp"]:
            ms.append(1000 * (time.perf_counter() - start))
            cpu_ms.append(1000 * (time.process_time() - cpu_start))
    peak = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    print(json.dumps({"ms": ms, "cpuMs": cpu_ms, "rssMB": int(peak[1]) / 1024}))


if __name__ == "__main__":
    main()
