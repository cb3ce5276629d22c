"""Golden values of nn.LSTM, nn.GRU and nn.RNN: outputs, last states and all gradients, from weights in closed form.

/usr/bin/python3 scripts/golden/torch_recurrent.py > test/golden/torch-recurrent.json
"""

import json
import math
import sys

import torch

torch.set_default_dtype(torch.float64)
B, T, D, H, LAYERS = 3, 7, 4, 5, 2


def wave(shape, phase, scale):
    n = math.prod(shape)
    return torch.tensor([scale * math.sin(1.7 * i + phase) for i in range(n)]).reshape(shape)


def case(kind, lengths):
    net = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "elman": torch.nn.RNN}[kind](D, H, LAYERS, batch_first=True)
    with torch.no_grad():
        for k, (_, parameter) in enumerate(net.named_parameters()):
            parameter.copy_(wave(parameter.shape, 0.3 * k, 0.6))
    x = wave((B, T, D), 0.5, 1.0).requires_grad_()
    state = [wave((LAYERS, B, H), 2.0 + k, 0.5).requires_grad_() for k in range(2 if kind == "lstm" else 1)]
    given = x
    if lengths is not None:
        given = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    y, after = net(given, tuple(state) if kind == "lstm" else state[0])
    if lengths is not None:
        y = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=T)[0]
    after = list(after) if kind == "lstm" else [after]
    loss = (y * wave(y.shape, 1.0, 1.0)).sum() + sum((a * wave(a.shape, 3.0 + k, 1.0)).sum() for k, a in enumerate(after))
    loss.backward()
    flat = lambda t: [float(f"{v:.10g}") for v in t.detach().reshape(-1).tolist()]
    return {
        "cell": kind,
        "lengths": lengths,
        "outputs": flat(y),
        "after": [flat(a) for a in after],
        "dx": flat(x.grad),
        "dBefore": [flat(s.grad) for s in state],
        "dParameters": {name: flat(p.grad) for name, p in net.named_parameters()},
    }


json.dump(
    {
        "source": {
            "tool": "PyTorch " + torch.__version__,
            "script": "scripts/golden/torch_recurrent.py",
            "seed": None,
            "precision": "float64",
        },
        "sizes": {"batch": B, "steps": T, "inputs": D, "hidden": H, "layers": LAYERS},
        "cases": [case(kind, lengths) for kind in ("lstm", "gru", "elman") for lengths in (None, [7, 2, 5])],
    },
    sys.stdout,
)
