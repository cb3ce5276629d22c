"""Logits of a small GPT-2 by its formula, in float64, and its state dict as torch.save writes it, to test/golden/gpt2.json.

Run: /usr/bin/python3 gpt2.py
"""

import base64
import io
import json
import math
from pathlib import Path

import torch

config = {"vocab_size": 13, "n_positions": 10, "n_embd": 12, "n_layer": 2, "n_head": 3}
V, P, D, L, H = config.values()

torch.manual_seed(0)


def draw(*shape, scale=0.3, shift=0.0):
    # Values that float32 holds exactly, so that both sides compute with the same numbers.
    return (shift + scale * torch.randn(*shape)).float()


state = {"transformer.wte.weight": draw(V, D), "transformer.wpe.weight": draw(P, D, scale=0.1)}
for i in range(L):
    at = f"transformer.h.{i}."
    state[at + "ln_1.weight"], state[at + "ln_1.bias"] = draw(D, shift=1.0), draw(D)
    state[at + "attn.bias"] = torch.tril(torch.ones(P, P, dtype=torch.bool)).view(1, 1, P, P)
    state[at + "attn.masked_bias"] = torch.tensor(-1e4)
    state[at + "attn.c_attn.weight"], state[at + "attn.c_attn.bias"] = draw(D, 3 * D), draw(3 * D)
    state[at + "attn.c_proj.weight"], state[at + "attn.c_proj.bias"] = draw(D, D), draw(D)
    state[at + "ln_2.weight"], state[at + "ln_2.bias"] = draw(D, shift=1.0), draw(D)
    state[at + "mlp.c_fc.weight"], state[at + "mlp.c_fc.bias"] = draw(D, 4 * D), draw(4 * D)
    state[at + "mlp.c_proj.weight"], state[at + "mlp.c_proj.bias"] = draw(4 * D, D), draw(D)
state["transformer.ln_f.weight"], state["transformer.ln_f.bias"] = draw(D, shift=1.0), draw(D)
state["lm_head.weight"] = state["transformer.wte.weight"]

w = {name.replace("transformer.", ""): value.double() for name, value in state.items()}


def norm(x, name):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-5) * w[name + ".weight"] + w[name + ".bias"]


def logits(ids):
    n = len(ids)
    x = w["wte.weight"][ids] + w["wpe.weight"][:n]
    for i in range(L):
        qkv = norm(x, f"h.{i}.ln_1") @ w[f"h.{i}.attn.c_attn.weight"] + w[f"h.{i}.attn.c_attn.bias"]
        heads = []
        for h in range(H):
            size = D // H
            q, k, v = (qkv[:, part * D + h * size : part * D + (h + 1) * size] for part in range(3))
            rows = []
            for t in range(n):  # token t sees the tokens up to itself
                scores = (k[: t + 1] @ q[t]) / math.sqrt(size)
                weights = torch.exp(scores - scores.max())
                rows.append((weights / weights.sum()) @ v[: t + 1])
            heads.append(torch.stack(rows))
        x = x + torch.cat(heads, 1) @ w[f"h.{i}.attn.c_proj.weight"] + w[f"h.{i}.attn.c_proj.bias"]
        u = norm(x, f"h.{i}.ln_2") @ w[f"h.{i}.mlp.c_fc.weight"] + w[f"h.{i}.mlp.c_fc.bias"]
        u = 0.5 * u * (1 + torch.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u**3)))
        x = x + u @ w[f"h.{i}.mlp.c_proj.weight"] + w[f"h.{i}.mlp.c_proj.bias"]
    return norm(x, "ln_f") @ w["wte.weight"].T


ids = [[3, 1, 4, 1, 5, 9, 2, 6, 12, 0], [0, 12, 12, 7, 7, 7, 1, 2, 3, 8]]
buffer = io.BytesIO()
torch.save(state, buffer)
golden = {
    "source": f"torch {torch.__version__}, scripts/golden/gpt2.py, seed 0",
    "config": config,
    "ids": ids,
    "logits": [float(f"{v:.9g}") for row in ids for v in logits(row).flatten().tolist()],
    "pth": base64.b64encode(buffer.getvalue()).decode(),
}
path = Path(__file__).parents[2] / "test" / "golden" / "gpt2.json"
path.write_text(json.dumps(golden) + "\n")
