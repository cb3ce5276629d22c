"""Weights and images in closed form: the counterpart of test/closed-form-weights.ts."""
import numpy as np
import torch

IMAGE_STREAM = 100_000


def unit(n: int, t: int) -> np.ndarray:
    """Numbers 0 .. n - 1 of stream t, float64 in [-1, 1)."""
    h = np.arange(n, dtype=np.uint32) * np.uint32(2654435761)
    h += np.uint32((t * 0x9E3779B1) & 0xFFFFFFFF)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return (h >> np.uint32(8)).astype(np.float64) / 2**23 - 1


def spread_of(name: str, tensor: torch.Tensor) -> "tuple[float, float]":
    if tensor.ndim > 1:
        return 0, float(np.sqrt(6 / (tensor[0].numel())))
    if name.endswith("running_var"):
        return 1.25, 0.75
    if name.endswith("weight"):
        return 1, 0.2
    return 0, 0.1


def fill(model: torch.nn.Module) -> torch.nn.Module:
    """Gives every float tensor of the state its closed form."""
    state = {name: value for name, value in model.state_dict().items() if value.is_floating_point()}
    with torch.no_grad():
        for t, (name, tensor) in enumerate(state.items()):
            center, spread = spread_of(name, tensor)
            values = center + spread * unit(tensor.numel(), t)
            tensor.copy_(torch.from_numpy(values.astype(np.float32)).reshape(tensor.shape))
    return model


def images(batch: int, channels: int, height: int, width: int) -> torch.Tensor:
    shape = (batch, channels, height, width)
    return torch.from_numpy(unit(int(np.prod(shape)), IMAGE_STREAM).astype(np.float32)).reshape(shape)
