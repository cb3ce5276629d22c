#!/usr/bin/env python3
"""Prints the perplexities of PyTorch on the whole Penn Treebank, by epoch, that the README names beside ours.

    apt-get install python3-torch && /usr/bin/python3 packages/rnn-lm/scripts/torch_treebank.py FOLDER

FOLDER holds ptb.train.txt, ptb.valid.txt and ptb.test.txt. Embeddings of 128 numbers, 256 units, 20 columns, 30 steps,
Adam (rate 0.002), gradients clipped to 0.5, weights as PyTorch draws them from the seed 0. The texts are judged in ten
columns, each with its state carried from the first word on; an epoch takes 10 to 20 minutes on two processors.
"""
import math
import pathlib
import sys

import torch
from torch import nn

torch.manual_seed(0)
EMBEDDING, HIDDEN, COLUMNS, STEPS = 128, 256, 20, 30


def words(name):
    text = (pathlib.Path(sys.argv[1]) / f"ptb.{name}.txt").read_text()
    return [word for line in text.splitlines() for word in [*line.split(), "<eos>"]]


ids = {}
for word in words("train"):
    ids.setdefault(word, len(ids))
train, valid, test = (
    torch.tensor([ids.get(word, ids["<unk>"]) for word in words(name)]) for name in ("train", "valid", "test")
)


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(ids), EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.output = nn.Linear(HIDDEN, len(ids))

    def forward(self, x, state):
        y, state = self.lstm(self.embedding(x), state)
        return self.output(y), state


def zero_state(columns):
    return torch.zeros(1, columns, HIDDEN), torch.zeros(1, columns, HIDDEN)


model = LanguageModel()
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
rows = len(train) // COLUMNS
text = train[: rows * COLUMNS].reshape(COLUMNS, rows)
steps_of_epoch = (rows - 1) // STEPS


@torch.no_grad()
def perplexity(tokens, columns=10):
    rows = (len(tokens) - 1) // columns
    inputs = tokens[: rows * columns].reshape(columns, rows)
    targets = tokens[1 : rows * columns + 1].reshape(columns, rows)
    total, state = 0, zero_state(columns)
    for i in range(0, rows, STEPS):
        logits, state = model(inputs[:, i : i + STEPS], state)
        wanted = targets[:, i : i + STEPS].reshape(-1)
        total += nn.functional.cross_entropy(logits.reshape(-1, len(ids)), wanted, reduction="sum").item()
    return math.exp(total / targets.numel())


for epoch in range(3):
    total, state = 0, zero_state(COLUMNS)
    for i in range(steps_of_epoch):
        inputs = text[:, i * STEPS : (i + 1) * STEPS]
        targets = text[:, i * STEPS + 1 : (i + 1) * STEPS + 1].reshape(-1)
        logits, state = model(inputs, tuple(part.detach() for part in state))
        loss = nn.functional.cross_entropy(logits.reshape(-1, len(ids)), targets)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        total += loss.item()
    found = {"train": math.exp(total / steps_of_epoch), "valid": perplexity(valid), "test": perplexity(test)}
    print(f"epoch {epoch + 1}:", ", ".join(f"{name} {value:.1f}" for name, value in found.items()), flush=True)
