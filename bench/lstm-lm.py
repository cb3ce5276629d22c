"""One training step of an LSTM language model, timed on request: a line with the number of threads in, milliseconds out."""

import json
import sys
import time

import torch
from torch import nn

sizes = json.loads(sys.argv[1])
E, H, V = sizes["embedding"], sizes["hidden"], sizes["vocabulary"]
B, T = sizes["batch"], sizes["steps"]
torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(V, E)
        self.lstm = nn.LSTM(E, H)
        self.output = nn.Linear(H, V)

    def forward(self, tokens):
        return self.output(self.lstm(self.table(tokens))[0])


model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
tokens = torch.randint(0, V, (T, B))
targets = torch.randint(0, V, (T, B))
print("ready", flush=True)
for line in sys.stdin:
    torch.set_num_threads(int(line))
    start = time.perf_counter()
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(tokens).reshape(-1, V), targets.reshape(-1))
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.25)
    optimizer.step()
    loss.item()
    print((time.perf_counter() - start) * 1000, flush=True)
