#!/usr/bin/env python3
"""Writes models/endless.pt, greedy.pt and bomb.pt, which are variants of models/shared.pt: a model whose forward pass
never ends, one that allocates all memory, and one whose file claims to unpack to 96 MiB. TorchScript can read these
archives; this script does not need torch.
"""

import pathlib
import zipfile

MODELS = pathlib.Path(__file__).parent / "models"
CODE = "shared/code/__torch__.py"
FIRST = "    dequant = self.dequant\n"  # the first line of forward()


def make(name, statements="", filler=0):
    with zipfile.ZipFile(MODELS / "shared.pt") as source, zipfile.ZipFile(MODELS / name, "w") as target:
        for entry in source.infolist():
            if entry.filename.endswith(".debug_pkl"):
                continue
            content = source.read(entry)
            if entry.filename == CODE:
                code = content.decode()
                assert FIRST in code
                content = code.replace(FIRST, statements + FIRST).encode()
            target.writestr(zipfile.ZipInfo(entry.filename), content)
        if filler:
            entry = zipfile.ZipInfo("shared/extra/zeros")
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, bytes(filler), compresslevel=9)


make("endless.pt", "    n = 0\n    while True:\n      n = torch.add(n, 1)\n")
make("greedy.pt", "    x = torch.add(x, torch.sum(torch.zeros([1000000000000])))\n")
make("bomb.pt", filler=96 << 20)
