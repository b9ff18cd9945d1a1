"""What the operating system refused, in the reader's language: it speaks its own."""

from __future__ import annotations

import errno

from lastro.model.text import _


def reason_of(error: OSError) -> str:
    """Why it failed, in a few words; the system's own where they are not among ours."""
    words = {
        errno.ENOENT: _("it does not exist"),
        errno.EACCES: _("the permission is missing"),
        errno.EPERM: _("the permission is missing"),
        errno.EISDIR: _("it is a folder"),
        errno.ENOTDIR: _("a part of its path is no folder"),
        errno.EEXIST: _("it is there already"),
        errno.ELOOP: _("it is a link, and links are not followed"),
        errno.ENAMETOOLONG: _("its name is too long"),
        errno.ENOSPC: _("the disk is full"),
        errno.EDQUOT: _("the disk quota is used up"),
        errno.EFBIG: _("a file would grow beyond its limit"),
        errno.EROFS: _("the disk is read-only"),
        errno.EIO: _("the disk failed"),
        errno.EMFILE: _("too many files are open"),
        errno.ENFILE: _("too many files are open"),
        errno.EBUSY: _("another program uses it"),
    }
    return words.get(error.errno or 0, error.strerror or type(error).__name__)
