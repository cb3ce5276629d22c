"""Writes test/golden/byte-pairs.json: what Hugging Face's tokenizers learns from texts, and how it cuts others.

    python3 scripts/golden/byte_pairs.py > test/golden/byte-pairs.json

Needs the Python package tokenizers (0.23.3 here).
"""

import json
import random

import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SEED = 0
draw = random.Random(SEED)
STEMS = ["low", "new", "wide", "Käfer", "straße", "year", "well", "we", "they", "12", "2026", "日本", "😀", "--"]
ENDS = ["", "er", "est", "s", "'s", "'ll", "'ve", "!", ",", "…", "ly"]
SPACES = [" ", " ", " ", "  ", "\n", "\n\n", "\t", " \n ", "\u00a0", "\u0085"]


def drawn(words):
    return "".join(draw.choice(STEMS) + draw.choice(ENDS) + draw.choice(SPACES) for _ in range(words))


def learned(text, vocabulary, others):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return {
        "text": text,
        "vocabulary": vocabulary,
        "vocab": model["vocab"],
        "merges": [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]],
        "cut": [{"text": other, "ids": tokenizer.encode(other).ids} for other in others],
    }


others = [drawn(12) for _ in range(8)] + ["", " ", "   x", "it's we'll 'tis 'LL", "a\ufeffb \ufeff", "\u3000日本 \u2028 x"]
print(
    json.dumps(
        {
            "source": {
                "tool": "Hugging Face tokenizers",
                "version": tokenizers.__version__,
                "script": "scripts/golden/byte_pairs.py",
                "seed": SEED,
            },
            "learned": [learned(drawn(60), 290, others), learned(drawn(400), 340, others), learned("ab ab", 600, ["ab abc"])],
        },
        ensure_ascii=False,
    )
)
