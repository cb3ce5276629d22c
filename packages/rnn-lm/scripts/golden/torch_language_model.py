"""Golden values of a language model of PyTorch: the state_dict, what it expects after some tokens, and five losses of a
training with Adam, clipping and carried state.

/usr/bin/python3 scripts/golden/torch_language_model.py > test/golden/torch-language-model.json
"""

import json
import sys

import torch
from torch import nn

torch.manual_seed(0)
V, E, H, LAYERS, B, T = 11, 4, 5, 2, 3, 6


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(V, E)
        self.lstm = nn.LSTM(E, H, LAYERS, batch_first=True)
        self.linear = nn.Linear(H, V)

    def forward(self, ids, state):
        y, state = self.lstm(self.embed(ids), state)
        return self.linear(y), state


model = Model()
number = lambda v: float(f"{v:.9g}")
flat = lambda t: [number(v) for v in t.detach().reshape(-1).tolist()]
tensors = {name: {"shape": list(t.shape), "values": flat(t)} for name, t in model.state_dict().items()}
ids = [(7 * i * i + 3 * i) % V for i in range(B * (5 * T + 1))]
rows = torch.tensor(ids).reshape(B, -1)
zeros = lambda: (torch.zeros(LAYERS, B, H), torch.zeros(LAYERS, B, H))
logits = flat(model(rows[:, :T], zeros())[0])
# The two biases of a layer are only ever added; one of them moves, as there is one here.
for name, parameter in model.named_parameters():
    parameter.requires_grad_("bias_hh" not in name)
learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.Adam(learned, lr=0.01)
state = zeros()
losses, norms = [], []
for step in range(5):
    x, y = rows[:, step * T : (step + 1) * T], rows[:, step * T + 1 : (step + 1) * T + 1]
    out, state = model(x, tuple(s.detach() for s in state))
    loss = nn.functional.cross_entropy(out.reshape(-1, V), y.reshape(-1))
    optimizer.zero_grad()
    loss.backward()
    norms.append(number(nn.utils.clip_grad_norm_(learned, 0.5).item()))
    optimizer.step()
    losses.append(number(loss.item()))
json.dump(
    {
        "source": {"tool": "PyTorch", "version": torch.__version__, "script": "scripts/golden/torch_language_model.py", "seed": 0},
        "sizes": {"batch": B, "steps": T},
        "ids": ids,
        "tensors": tensors,
        "logits": logits,
        "losses": losses,
        "norms": norms,
    },
    sys.stdout,
)
