"""Pictures of paper as telephones take them: turned, at an angle, in uneven light, blurred, noisy, and stored as JPEG."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Conditions:
    """How a photograph was taken."""

    turned: float = 0.0
    """Degrees."""
    angle: float = 0.0
    """How far corners of the paper lie from where they would be seen from straight above, as a share of the paper's size."""
    light: float = 1.0
    """Brightness of the darkest corner as a share of that of the brightest."""
    blur: float = 0.0
    """Standard deviation of the blur in pixels of the photograph."""
    noise: float = 0.0
    """Standard deviation of the noise, of 255."""
    quality: int = 85
    """Of the JPEG file."""
    size: tuple[int, int] = (4000, 3000)
    """Pixels of the sensor, width and height; 12 million on most telephones."""
    filling: float = 0.95
    """Share of the picture's height or width that the paper takes."""

    @classmethod
    def draw(cls, rng: np.random.Generator, size: tuple[int, int] = (4000, 3000)) -> "Conditions":
        """Conditions as they may be: everything is wrong at once, each by chance."""
        turned = rng.choice([0, 90, 180, 270]) + rng.uniform(-8, 8)
        return cls(
            turned=float(turned),
            angle=float(rng.uniform(0, 0.06)),
            light=float(rng.uniform(0.35, 1)),
            blur=float(rng.uniform(0.3, 2.0)) * size[0] / 4000,
            noise=float(rng.uniform(2, 14)),
            quality=int(rng.integers(40, 90)),
            size=size,
            filling=float(rng.uniform(0.75, 0.98)),
        )


def photograph(page: Any, how: Conditions, rng: np.random.Generator) -> bytes:
    """A JPEG file of a page (a grey picture) taken under these conditions."""
    from PIL import Image, ImageFilter

    width, height = how.size
    seen = _placed(page, how, rng)
    table = Image.new("L", how.size, 90)
    table.paste(
        seen, ((width - seen.width) // 2, (height - seen.height) // 2), seen.getchannel("A") if seen.mode == "LA" else None
    )
    picture = table.filter(ImageFilter.GaussianBlur(how.blur)) if how.blur else table
    pixels = np.asarray(picture, np.float32)
    across, down = np.meshgrid(np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32))
    direction = rng.uniform(0, 2 * np.pi)
    slope = np.cos(direction) * across + np.sin(direction) * down
    slope = (slope - slope.min()) / max(float(np.ptp(slope)), 1e-6)
    pixels = pixels * (how.light + (1 - how.light) * slope)
    if how.noise:
        pixels = pixels + rng.normal(0, how.noise, pixels.shape).astype(np.float32)
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=how.quality)
    return file.getvalue()


def _placed(page: Any, how: Conditions, rng: np.random.Generator) -> Any:
    """The page at an angle and turned, on a ground that is not there, as large as the picture allows."""
    from PIL import Image

    page = page.convert("L").point(lambda value: 15 + value * 225 // 255)  # ink is not black and paper is not white
    page.putalpha(255)
    if how.angle:
        page = _at_an_angle(page, how.angle, rng)
    page = page.rotate(how.turned, expand=True, resample=Image.Resampling.BICUBIC, fillcolor=(0, 0))
    scale = how.filling * min(how.size[0] / page.width, how.size[1] / page.height)
    return page.resize((round(page.width * scale), round(page.height * scale)), Image.Resampling.LANCZOS)


def _at_an_angle(page: Any, angle: float, rng: np.random.Generator) -> Any:
    from PIL import Image

    width, height = page.size
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    inward = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    away = rng.uniform(0, angle, (4, 2))
    moved = [
        (x + i * a * width, y + j * b * height) for (x, y), (i, j), (a, b) in zip(corners, inward, away.tolist(), strict=True)
    ]
    rows, values = [], []
    for (x, y), (u, v) in zip(moved, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    transform = np.linalg.solve(np.array(rows), np.array(values)).tolist()
    return page.transform(page.size, Image.Transform.PERSPECTIVE, transform, Image.Resampling.BICUBIC, fillcolor=(0, 0))


def page_of_codes(pictures: list[Path], dots_per_mm: float = 8.0) -> Any:
    """An A4 page with these pictures of codes, two in a row, each 80 mm wide."""
    from PIL import Image

    page = Image.new("L", (round(210 * dots_per_mm), round(297 * dots_per_mm)), 255)
    side = round(80 * dots_per_mm)
    for number, path in enumerate(pictures):
        with Image.open(path) as picture:
            code = picture.convert("L").resize((side, side), Image.Resampling.LANCZOS)
        page.paste(code, (round((20 + 88 * (number % 2)) * dots_per_mm), round((20 + 86 * (number // 2)) * dots_per_mm)))
    return page
