"""A case as an object: one convolution or linear layer with every parameter that decides its result, and its line of text.

The program validates cases. This module only reads and writes the words of a line (cases/text/case_text.h).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Literal

Spatial = tuple[int, ...]

_INTEGERS = ("batch", "in_channels", "out_channels", "groups")
_SPATIAL = ("input", "kernel", "stride", "padding", "padding_end", "dilation")
_TYPES = ("xtype", "ytype")
_CHOICES = ("engine", "isa", "format")
_FEATURES = {"in_features": "in_channels", "out_features": "out_channels"}


class CaseError(ValueError):
    """The text is not the line of a case."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One quantized convolution, or linear layer if `call` is "linear". `Case.parse(text)` reads a line, and `str(case)` writes it.

    Spatial parameters have one integer per dimension, in the order depth, height, width; one integer stands for all
    dimensions. `padding` is that of both sides, unless `padding_end` gives that of the end of each axis; "same" is the
    padding of TensorFlow and of ONNX's SAME_UPPER. `ws` and `wz` are single values, or tuples with one value per output
    channel. `bias` has one float32 per output channel, in real units, or is None; `int32_bias`, in its place, has
    integers in units of xs * ws. `x` and `w` are the values of activation (of the type `xtype`, N x C x spatial) and
    weight (int8, K x C/groups x kernel), or the name of the way in which they are drawn from `seed`: uniform, edges,
    extremes, reduced, sparse or small. `xtype` is uint8 or int8; `ytype`, the type of the output, also int32, the sums
    before requantization. An `int32_bias` and a `ytype` of int32 need the engine fbgemm_direct, which takes the place
    of fbgemm there. A linear layer has `in_channels` and `out_channels` as its numbers of features, and no window.
    """

    dims: int = 2
    batch: int = 1
    in_channels: int = 1
    out_channels: int = 1
    groups: int = 1
    input: Spatial | int = 1
    kernel: Spatial | int = 1
    stride: Spatial | int = 1
    padding: Spatial | int | Literal["same"] = 0
    dilation: Spatial | int = 1
    xs: float = 1.0
    xz: int = 0
    ws: float | tuple[float, ...] = 1.0
    wz: int | tuple[int, ...] = 0
    os: float = 1.0
    oz: int = 0
    bias: tuple[float, ...] | None = None
    relu: bool = False
    x: str | tuple[int, ...] = "uniform"
    w: str | tuple[int, ...] = "uniform"
    seed: int = 0
    engine: str = "fbgemm"
    isa: str = "native"
    format: str = "contiguous"
    threads: int = 1
    xtype: str = "uint8"
    ytype: str = "uint8"
    int32_bias: tuple[int, ...] | None = None
    padding_end: Spatial | int | None = None
    call: Literal["conv", "linear"] = "conv"

    def __post_init__(self) -> None:
        if self.dims not in (1, 2, 3):
            raise CaseError(f"dims: must be 1, 2 or 3, is {self.dims}")
        if self.call not in ("conv", "linear"):
            raise CaseError(f"call: must be conv or linear, is '{self.call}'")
        for name in _SPATIAL:
            value = getattr(self, name)
            if value is None or value == "same":
                continue
            extent = (value,) * self.dims if isinstance(value, int) else tuple(value)
            if len(extent) != self.dims:
                raise CaseError(f"{name}: must have {self.dims} integers, one per dimension, is {value}")
            object.__setattr__(self, name, extent)
        if self.padding_end == self.padding:
            object.__setattr__(self, "padding_end", None)
        if self.engine == "fbgemm" and self._default_engine() != "fbgemm":
            object.__setattr__(self, "engine", self._default_engine())
        for name in ("ws", "wz", "bias", "int32_bias", "x", "w"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, (int, float, str)):
                object.__setattr__(self, name, tuple(v.item() if hasattr(v, "item") else v for v in value))

    @staticmethod
    def parse(text: str) -> Case:
        """Returns the case of the line `text`.

        Raises CaseError, which names the word, if a word is not one of a case line. Whether the parameters fit
        together is checked by the program when the case is used.
        """
        # Blanks beside the commas and brackets of lists have no meaning.
        words = re.sub(r"\[[^]]*\]", lambda found: re.sub(r"\s*([][,])\s*", r"\1", found[0]), text).split()
        kinds = {"conv1d": 1, "conv2d": 2, "conv3d": 3, "linear": 2}
        if not words or words[0] not in kinds:
            first = words[0] if words else ""
            raise CaseError(f"a case line must begin with conv1d, conv2d, conv3d or linear, and begins with '{first}'")
        linear = words[0] == "linear"
        fields: dict[str, object] = {"dims": kinds[words[0]], "call": "linear" if linear else "conv"}
        for word in words[1:]:
            name, equals, value = word.partition("=")
            if linear and (name in _FEATURES.values() or name in ("groups", "format", *_SPATIAL)):
                raise CaseError(f"{name}: is no word of linear; see `tieout check --help`")
            if linear:
                name = _FEATURES.get(name, name)
            if name in fields:
                raise CaseError(f"{name}: is given twice")
            if word == "relu":
                fields["relu"] = True
            elif equals and name in _READERS:
                try:
                    fields[name] = _READERS[name](value)
                except ValueError:
                    raise CaseError(f"{name}: '{value}' cannot be read; see `tieout check --help`") from None
            else:
                raise CaseError(f"{name}: is not a word of a case line; see `tieout check --help`")
        return Case(**fields)  # type: ignore[arg-type]  # the readers return the types of the fields

    def replace(self, **changes: object) -> Case:
        """Returns a copy with the named fields changed: `case.replace(relu=True, stride=2)`."""
        return dataclasses.replace(self, **changes)

    def __str__(self) -> str:
        linear = self.call == "linear"
        words = ["linear" if linear else f"conv{self.dims}d"]
        standard = Case(dims=self.dims)
        features = {channels: name for name, channels in _FEATURES.items()} if linear else {}

        def add(name: str, text: str) -> None:
            words.append(f"{name}={text}")

        for name in _INTEGERS:
            if getattr(self, name) != getattr(standard, name):
                add(features.get(name, name), str(getattr(self, name)))
        for name in _SPATIAL:
            value = getattr(self, name)
            if value != getattr(standard, name):
                add(name, value if isinstance(value, str) else "x".join(map(str, value)))
        for names in (("xtype", "xs", "xz"), ("ws", "wz"), ("ytype", "os", "oz")):
            for name in names:
                value = getattr(self, name)
                if isinstance(value, tuple):
                    if name != "wz" or any(value):
                        add(name, _list(map(_number, value)))
                elif value != getattr(standard, name):
                    add(name, value if isinstance(value, str) else _number(value))
        if self.bias:
            add("bias", _list(map(_number, self.bias)))
        if self.int32_bias:
            add("int32_bias", _list(map(str, self.int32_bias)))
        if self.relu:
            words.append("relu")
        for name in ("x", "w"):
            value = getattr(self, name)
            add(name, value if isinstance(value, str) else _list(map(str, value)))
        for name in ("seed", *_CHOICES, "threads"):
            if getattr(self, name) != (self._default_engine() if name == "engine" else getattr(standard, name)):
                add(name, str(getattr(self, name)))
        return " ".join(words)

    def _default_engine(self) -> str:
        return "fbgemm_direct" if self.int32_bias or self.ytype == "int32" else "fbgemm"

    def _repr_html_(self) -> str:
        return f"<code>{str(self).replace('&', '&amp;').replace('<', '&lt;')}</code>"


def _number(value: float) -> str:
    """Returns the shortest text that reads back to the same double: positional, or scientific if that is shorter."""
    if isinstance(value, int) or value != value or value in (float("inf"), float("-inf")):
        return str(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    shown = "".join(map(str, digits))
    minus = "-" if sign else ""
    power = exponent + len(digits) - 1
    scientific = (
        shown[0] + ("." + shown[1:] if len(shown) > 1 else "") + f"e{'-' if power < 0 else '+'}{abs(power):02d}"
    )
    if exponent >= 0:
        positional = shown + "0" * exponent
    elif power >= 0:
        positional = shown[: power + 1] + "." + shown[power + 1 :]
    else:
        positional = "0." + "0" * (-power - 1) + shown
    return minus + (positional if len(positional) <= len(scientific) else scientific)


def _list(texts: Iterable[str]) -> str:
    """Returns the list in brackets, in which N*V stands for N times V."""
    runs: list[tuple[str, int]] = []
    for text in texts:
        if runs and runs[-1][0] == text:
            runs[-1] = (text, runs[-1][1] + 1)
        else:
            runs.append((text, 1))
    return "[" + ",".join(text if count == 1 else f"{count}*{text}" for text, count in runs) + "]"


def _items(text: str) -> list[str]:
    if not text.startswith("[") or not text.endswith("]"):
        raise ValueError(text)
    items: list[str] = []
    for item in text[1:-1].split(",") if text != "[]" else []:
        count, star, value = item.partition("*")
        items += [value] * int(count) if star else [item]
    return items


def _read_integers(text: str) -> int | tuple[int, ...]:
    return tuple(map(int, _items(text))) if text.startswith("[") else int(text)


def _read_floats(text: str) -> float | tuple[float, ...]:
    return tuple(map(float, _items(text))) if text.startswith("[") else float(text)


def _read_spatial(text: str) -> int | tuple[int, ...]:
    return tuple(map(int, text.split("x"))) if "x" in text else int(text)


def _read_padding(text: str) -> int | tuple[int, ...] | str:
    if text == "valid":
        return 0
    return text if text == "same" else _read_spatial(text)


def _read_bias(text: str) -> tuple[float, ...] | None:
    return None if text == "none" else tuple(map(float, _items(text)))


def _read_contents(text: str) -> str | tuple[int, ...]:
    return tuple(map(int, _items(text))) if text.startswith("[") else text


_READERS: dict[str, Callable[[str], object]] = {
    **dict.fromkeys((*_INTEGERS, "xz", "oz", "seed", "threads"), int),
    **dict.fromkeys(_SPATIAL, _read_spatial),
    **dict.fromkeys(("xs", "os"), float),
    **dict.fromkeys((*_TYPES, *_CHOICES), str),
    "padding": _read_padding,
    "ws": _read_floats,
    "wz": _read_integers,
    "bias": _read_bias,
    "int32_bias": lambda text: tuple(map(int, _items(text))),
    "x": _read_contents,
    "w": _read_contents,
}
