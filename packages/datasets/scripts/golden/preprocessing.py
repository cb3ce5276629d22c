"""Writes test/golden/preprocessing.json: what PIL and torchvision make of a small picture of a closed form.

    /usr/bin/python3 scripts/golden/preprocessing.py > test/golden/preprocessing.json
"""

import json

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torchvision.transforms import functional as F

HEIGHT, WIDTH = 23, 37
y, x, c = np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), np.arange(3), indexing="ij")
# Busy and, in every third row, extreme: rounding and cutting off matter.
values = np.where(y % 3 == 0, 255 * ((x + c) % 2), (x * x * 3 + y * 7 + x * y + c * 50) % 256).astype(np.uint8)
picture = Image.fromarray(values, "RGB")
grey = picture.convert("L")
tensor = torch.from_numpy(values).permute(2, 0, 1)
moments = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def flat(image):
    array = image.permute(1, 2, 0).numpy() if isinstance(image, torch.Tensor) else np.asarray(image)
    return {"size": list(array.shape[:2]), "data": array.reshape(-1).tolist()}


def resize(size):
    return {
        "to": size,
        "pil": flat(F.resize(picture, size, F.InterpolationMode.BILINEAR)),
        "tensor": flat(F.resize(tensor, size, F.InterpolationMode.BILINEAR, antialias=True)),
    }


def preprocess(image):
    image = F.center_crop(F.resize(image, 12, F.InterpolationMode.BILINEAR, antialias=True), [9, 9])
    if not isinstance(image, torch.Tensor):
        image = F.pil_to_tensor(image)
    image = F.convert_image_dtype(image, torch.float32)
    normalized = F.normalize(image, **moments).permute(1, 2, 0).reshape(-1)
    return [float(f"{v:.9g}") for v in normalized.tolist()]


print(
    json.dumps(
        {
            "source": f"scripts/golden/preprocessing.py, torchvision {torchvision.__version__}, "
            f"PIL {PIL.__version__}, torch {torch.__version__}, closed form",
            "picture": {"height": HEIGHT, "width": WIDTH},
            "grey": flat(grey),
            "resize": [resize(9), resize([29, 14]), resize([8, 45])],
            "centerCrop": [{"to": to, **flat(F.center_crop(grey, to))} for to in ([10, 12], [9, 10], [30, 8], [26, 42])],
            "preprocess": {"resize": 12, "crop": 9, "pil": preprocess(picture), "tensor": preprocess(tensor)},
        }
    )
)
