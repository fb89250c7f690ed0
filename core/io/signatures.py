"""What files are by their first bytes, whatever their names: archives, and pointers of Git LFS."""

from types import MappingProxyType

HEAD = 512  # bytes that hold every mark
LFS_POINTER = b"version https://git-lfs"
_MARKS = MappingProxyType(
    {
        b"Rar!\x1a\x07": "a RAR archive",
        b"7z\xbc\xaf\x27\x1c": "a 7z archive",
        b"\x1f\x8b": "a gzip or tar.gz archive",
        b"BZh": "a bzip2 archive",
        b"\xfd7zXZ\0": "an xz archive",
        b"\x28\xb5\x2f\xfd": "a zstd archive",
    }
)
_TAR, _TAR_START = b"ustar", 257


def name_archive(head: bytes) -> str | None:
    """Returns the kind of archive, other than zip, that a file with these first bytes is; None for other files."""
    if head[_TAR_START:].startswith(_TAR):
        return "a tar archive"
    return next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
