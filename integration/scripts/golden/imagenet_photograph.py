"""Writes integration/test/golden/imagenet-photograph.json: what torchvision makes of photographs before the normalisation.

    GRADLAB_DATA=DIR /usr/bin/python3 integration/scripts/golden/imagenet_photograph.py > integration/test/golden/imagenet-photograph.json

Of every photograph: the size of the decoded picture and the sum of its bytes; of the 224 x 224 crop every 97th
pixel, and the sum of all its bytes.
"""

import json
import os
from pathlib import Path

import numpy as np
import PIL
import torchvision
from PIL import Image
from torchvision.transforms import functional as F

STEP = 97


def crop(image):
    image = F.resize(image, 256, F.InterpolationMode.BILINEAR, antialias=True)
    image = F.center_crop(image, [224, 224])
    array = np.asarray(image) if isinstance(image, Image.Image) else image.permute(1, 2, 0).numpy()
    return {"sum": int(array.astype(np.int64).sum()), "pixels": array.reshape(-1, 3)[::STEP].reshape(-1).tolist()}


def photograph(path):
    picture = Image.open(path).convert("RGB")
    return {
        "file": path.name,
        "size": [picture.height, picture.width],
        "sum": int(np.asarray(picture).astype(np.int64).sum()),
        "pil": crop(picture),
        "tensor": crop(F.pil_to_tensor(picture)),
    }


folder = Path(os.environ["GRADLAB_DATA"]) / "images"
print(
    json.dumps(
        {
            "source": f"integration/scripts/golden/imagenet_photograph.py, torchvision {torchvision.__version__}, "
            f"PIL {PIL.__version__}",
            "step": STEP,
            "photographs": [photograph(folder / name) for name in ("lizard.jpg", "tiger.jpg")],
        }
    )
)
