"""Compile Python files; run by a base image's own interpreter, never imported by the host.

Standard input holds pairs of lines: a file's path, and the path it will have in the image. The output depends
on the files and the interpreter alone: hash-based, so no times, and unchecked, since an image never changes.
"""

import py_compile
import sys


def main() -> None:
    """Compile each file; one that is not valid Python stays without bytecode, as installers leave it."""
    lines = sys.stdin.read().split("\n")[:-1]
    for path, image_path in zip(lines[::2], lines[1::2], strict=True):
        try:
            py_compile.compile(
                path,
                dfile=image_path,
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except (py_compile.PyCompileError, ValueError, RecursionError):
            continue


if __name__ == "__main__":
    main()
