"""Image transformations: resize, crop and re-encode a stored image, one at a time.

Sources are refused by their declared pixel count before anything is decoded; one thread does the
work, so that a decoded image is in memory only once. Source of the rules: imgproxy, which the
upstream uses (`fill`, `fit`, `force`; no enlarging).
"""

import asyncio
import io
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stack.storage.errors import StorageError
from stack.storage.fields import Fields
from stack.storage.settings import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE

if TYPE_CHECKING:
    from PIL import Image

_RESIZES = {"cover": "fill", "contain": "fit", "fill": "force"}
_FORMATS = ("origin", "avif")
_SOURCES = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF")
_MIME_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
}
# what browsers do not show, and phones' JPEGs that hold more than one picture
_WRITTEN_AS = {"BMP": "PNG", "TIFF": "PNG", "MPO": "JPEG"}
_DEFAULT_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Transformation:
    """What is asked for. Sides in pixels, quality in percent."""

    width: int | None = None
    height: int | None = None
    resize: str = "cover"
    quality: int | None = None
    format: str | None = None

    @classmethod
    def read(cls, fields: Fields) -> "Transformation":
        """Errors: InvalidRequest (400)."""
        width = fields.integer("width", 0)
        height = fields.integer("height", 0)
        quality = fields.integer("quality", 0)
        if quality and not 20 <= quality <= 100:
            bound = "must be >= 20" if quality < 20 else "must be <= 100"
            raise StorageError(400, "InvalidRequest", f"querystring/quality {bound}", error="Error")
        return cls(
            width=min(width, MAX_IMAGE_SIDE) or None,
            height=min(height, MAX_IMAGE_SIDE) or None,
            resize=fields.choice("resize", tuple(_RESIZES), "cover"),
            quality=quality or None,
            format=fields.choice("format", _FORMATS) if "format" in fields else None,
        )

    @classmethod
    def parse(cls, text: str) -> "Transformation":
        """The form in which a signed URL carries it. Errors: InvalidRequest (400)."""
        pairs: Mapping[str, Any] = dict(
            part.split(":", 1) for part in text.split(",") if ":" in part
        )
        return cls.read(Fields(pairs, "querystring"))

    def segments(self, *, for_signing: bool = False) -> str:
        """`height:200,width:200,resizing_type:fill`, as upstream names what it did."""
        parts = []
        if self.height:
            parts.append(f"height:{self.height}")
        if self.width:
            parts.append(f"width:{self.width}")
        if self.height or self.width:
            parts.append(
                f"resize:{self.resize}" if for_signing else f"resizing_type:{_RESIZES[self.resize]}"
            )
        if self.quality:
            parts.append(f"quality:{self.quality}")
        if self.format and (for_signing or self.format != "origin"):
            parts.append(f"format:{self.format}")
        return ",".join(parts)


@dataclass(frozen=True, slots=True)
class Picture:
    """A transformed image."""

    data: bytes
    mime_type: str


class Transformer:
    """Transforms files. Pillow is imported by the first that asks."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="storage-images")

    async def transform(self, file: Path, wanted: Transformation, accept: str) -> Picture:
        """Errors: InvalidRequest (413, 422) for what is too large or no image."""
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, _transform, file, wanted, accept
        )

    def close(self) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)


def _transform(file: Path, wanted: Transformation, accept: str) -> Picture:
    from PIL import Image, ImageOps

    # said of images that are refused below
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    if file.stat().st_size > MAX_IMAGE_BYTES:
        raise StorageError(413, "InvalidRequest", "Source image file is too big")
    try:
        with Image.open(file, formats=_SOURCES) as source:
            if source.width * source.height > MAX_IMAGE_PIXELS:
                raise StorageError(422, "InvalidRequest", "Source image resolution is too big")
            origin = str(source.format)
            target = _target_format(origin, wanted, accept)
            if wanted.width or wanted.height:
                # JPEG decodes straight to a smaller size; twice the wanted one loses nothing
                side = 2 * max(wanted.width or 0, wanted.height or 0)
                source.draft(None, (side, side))
            picture: Image.Image = ImageOps.exif_transpose(source)
            picture = _resize(picture, wanted)
            return Picture(_encode(picture, target, wanted.quality), _MIME_TYPES[target])
    except StorageError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise StorageError(422, "InvalidRequest", "Invalid source image") from error


def _target_format(origin: str, wanted: Transformation, accept: str) -> str:
    if wanted.format == "avif":
        return "AVIF"
    if wanted.format is None and "image/webp" in accept:
        return "WEBP"
    return _WRITTEN_AS.get(origin, origin)


def _resize(picture: "Image.Image", wanted: Transformation) -> "Image.Image":
    from PIL import Image

    width, height = picture.size
    if not wanted.width and not wanted.height:
        return picture
    picture = _in_full_colour(picture)
    box_width, box_height = wanted.width or 0, wanted.height or 0
    if wanted.resize == "fill":
        size = (min(box_width or width, width), min(box_height or height, height))
        return picture.resize(size, Image.Resampling.LANCZOS)
    scales = [box / side for box, side in ((box_width, width), (box_height, height)) if box]
    scale = min(1.0, min(scales) if wanted.resize == "contain" else max(scales))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    if wanted.resize == "contain" or not (box_width and box_height):
        return picture
    return _crop_to_centre(picture, min(box_width, size[0]), min(box_height, size[1]))


def _in_full_colour(picture: "Image.Image") -> "Image.Image":
    """RGB or RGBA: palettes and other kinds of pixels cannot be blended."""
    if picture.mode in ("RGB", "RGBA"):
        return picture
    has_alpha = "transparency" in picture.info or picture.mode in ("LA", "PA", "La")
    return picture.convert("RGBA" if has_alpha else "RGB")


def _crop_to_centre(picture: "Image.Image", width: int, height: int) -> "Image.Image":
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def _encode(picture: "Image.Image", target: str, quality: int | None) -> bytes:
    out = io.BytesIO()
    # colours are kept, everything else that the source tells of itself is left out
    options: dict[str, Any] = {"icc_profile": picture.info.get("icc_profile")}
    if target in ("JPEG", "WEBP", "AVIF"):
        options["quality"] = quality or _DEFAULT_QUALITY
    if picture.mode == "CMYK":
        options["icc_profile"] = None
    if target == "JPEG" and picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGB")
    if target in ("WEBP", "AVIF"):
        picture = _in_full_colour(picture)
    if target == "AVIF":
        options["speed"] = 8
    picture.save(out, target, **options)
    return out.getvalue()
