"""Attention, an encoder layer and layer norm by PyTorch, in float64, written to test/golden/torch-attention.json.

Every tensor is a closed form of its number t: element i is amplitude * sin(1.7 i^2 + 0.3 i + t) (+ shift).

Run: /usr/bin/python3 torch_attention.py
"""

import json
from pathlib import Path

import torch


def wave(shape, t, amplitude=1.0, shift=0.0):
    size = 1
    for n in shape:
        size *= n
    i = torch.arange(size, dtype=torch.float64)
    return (shift + amplitude * torch.sin(1.7 * i * i + 0.3 * i + t)).reshape(shape)


def digits(tensor):
    return [float(f"{v:.9g}") for v in tensor.detach().flatten().tolist()]


def fill(module):
    """Closed forms in the place of all parameters; what they are, for the test to make them again."""
    made = {}
    with torch.no_grad():
        for t, (name, parameter) in enumerate(module.named_parameters()):
            shape = list(parameter.shape)
            is_scale = "norm" in name and name.endswith("weight")
            amplitude = 0.2 if is_scale or len(shape) == 1 else 1.5 / shape[1] ** 0.5
            shift = 1.0 if is_scale else 0.0
            parameter.copy_(wave(shape, t + 1, amplitude, shift))
            made[name] = {"shape": shape, "t": t + 1, "amplitude": amplitude, "shift": shift}
    return made


def gradients(module):
    return {name: digits(parameter.grad) for name, parameter in module.named_parameters()}


def multihead(context_width):
    width, heads, batch, t, s = 8, 2, 2, 5, 4
    module = torch.nn.MultiheadAttention(
        width, heads, kdim=context_width, vdim=context_width, batch_first=True, dtype=torch.float64
    )
    parameters = fill(module)
    x = wave([batch, t, width], 100).requires_grad_()
    context = wave([batch, s, context_width], 101).requires_grad_()
    # True: leave out. Query 1 sees keys 0 and 2 alone; sample 1 has no key 3.
    dropped = torch.zeros(t, s, dtype=torch.bool)
    dropped[1, 1] = dropped[1, 3] = dropped[3, 0] = True
    padding = torch.zeros(batch, s, dtype=torch.bool)
    padding[1, 3] = True
    output, weights = module(
        x, context, context, key_padding_mask=padding, attn_mask=dropped, average_attn_weights=False
    )
    (output * wave([batch, t, width], 102)).sum().backward()
    return {
        "sizes": {"width": width, "heads": heads, "batch": batch, "t": t, "s": s, "contextWidth": context_width},
        "parameters": parameters,
        "dropped": dropped.flatten().int().tolist(),
        "padding": padding.flatten().int().tolist(),
        "output": digits(output),
        "weights": digits(weights),
        "dx": digits(x.grad),
        "dContext": digits(context.grad),
        "gradients": gradients(module),
    }


def encoder_layer(norm_first, activation, causal):
    width, heads, hidden, batch, t = 8, 2, 12, 2, 5
    module = torch.nn.TransformerEncoderLayer(
        width,
        heads,
        hidden,
        dropout=0.0,
        activation=activation,
        norm_first=norm_first,
        batch_first=True,
        dtype=torch.float64,
    )
    parameters = fill(module)
    x = wave([batch, t, width], 100).requires_grad_()
    mask = torch.triu(torch.ones(t, t, dtype=torch.bool), 1) if causal else None
    output = module(x, src_mask=mask)
    (output * wave([batch, t, width], 102)).sum().backward()
    return {
        "sizes": {"width": width, "heads": heads, "hidden": hidden, "batch": batch, "t": t},
        "placement": "pre" if norm_first else "post",
        "activation": activation,
        "causal": causal,
        "parameters": parameters,
        "output": digits(output),
        "dx": digits(x.grad),
        "gradients": gradients(module),
    }


def layer_norm(epsilon):
    module = torch.nn.LayerNorm(6, eps=epsilon, dtype=torch.float64)
    with torch.no_grad():
        module.weight.copy_(wave([6], 1, 0.2, 1.0))
        module.bias.copy_(wave([6], 2, 0.2))
    x = wave([2, 3, 6], 100).requires_grad_()
    output = module(x)
    (output * wave([2, 3, 6], 102)).sum().backward()
    return {
        "epsilon": epsilon,
        "output": digits(output),
        "dx": digits(x.grad),
        "gradients": gradients(module),
    }


golden = {
    "source": f"torch {torch.__version__}, scripts/golden/torch_attention.py, closed form, no seed",
    "multihead": [multihead(8), multihead(6)],
    "encoderLayer": [
        encoder_layer(True, "gelu", True),
        encoder_layer(False, "relu", False),
    ],
    "layerNorm": [layer_norm(1e-5), layer_norm(0.1)],
}
path = Path(__file__).parents[2] / "test" / "golden" / "torch-attention.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(golden) + "\n")
