"""Keys of encrypted columns: Parquet modular encryption with the vault's keys.

Rules:

1. Every file has keys of its own, random, which pyarrow makes: one for each column, one that signs the footer. In the
   file they stand wrapped (AES-256-GCM) under a column key of the vault, whose number stands beside them as
   `masterKeyID`; that key is wrapped by the root key, as all of the vault's are.
2. The footer is in clear and signed, so that who has no keys still reads the other columns.
3. A key that is turned (`rotation`) counts for new files. Earlier ones stay for as long as files need them.
4. A fingerprint is an HMAC under a key that is derived from the first column key: it outlives rotations.

https://github.com/apache/parquet-format/blob/master/Encryption.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lastro.model.errors import Corrupted, NotPermitted, UsageError
from lastro.model.keyed_path import can_be_encrypted
from lastro.model.text import _
from lastro.privacy.keys import KeyFor
from lastro.privacy.sealing import KEY_BYTES, NotOpened, derived, opener, sealer

if TYPE_CHECKING:
    from lastro.privacy.vault import Vault

_FINGERPRINT = "lastro column fingerprint 1"


@dataclass(frozen=True, slots=True)
class VaultColumnKeys:
    """The column keys of one vault. Implements `model.keyed_path.ColumnKeys`. Threads may share it; pickled, it opens
    the vault anew. Methods raise `NotPermitted` without the root key, and `Corrupted` for a key that is gone.
    """

    vault: Vault

    def current(self) -> int:
        """The number of the present key, made if there is none."""
        with self.vault.held_still():
            self.vault.refresh()
            return self.vault.ring.current(KeyFor.COLUMN).number

    def encryption(self, columns: Sequence[str], number: int) -> Any:  # Any: FileEncryptionProperties
        """How these columns of one file are written."""
        import pyarrow.parquet.encryption as parquet

        if unsound := [name for name in columns if not can_be_encrypted(name)]:
            raise UsageError(_("{column} has a name that no encrypted column has").format(column=unsound[0][:80]))
        how = parquet.EncryptionConfiguration(
            footer_key=str(number),
            column_keys={str(number): list(columns)},
            encryption_algorithm="AES_GCM_V1",
            plaintext_footer=True,
            double_wrapping=False,
            data_key_length_bits=8 * KEY_BYTES,
        )
        return _factory(self).file_encryption_properties(parquet.KmsConnectionConfig(), how)

    def decryption(self) -> Any:  # Any: FileDecryptionProperties
        """How files with encrypted columns are read."""
        import pyarrow.parquet.encryption as parquet

        how = parquet.DecryptionConfiguration(cache_lifetime=timedelta(seconds=60))
        return _factory(self).file_decryption_properties(parquet.KmsConnectionConfig(), how)

    def fingerprint(self, content: bytes) -> str:
        """The HMAC-SHA256 of a content."""
        self.current()  # makes the first key
        key = derived(self._secret(1), _FINGERPRINT)
        return f"hmac-sha256:{hmac.digest(key, content, 'sha256').hex()}"

    def wrapped(self, key: bytes, number: str) -> str:
        """A file's key, as it stands in the file."""
        return base64.b64encode(sealer(self._secret(int(number)))(key, _about(number))).decode()

    def unwrapped(self, text: str, number: str) -> bytes:
        """A file's key again. Raises `Corrupted` if it was changed, or was wrapped by another vault's key."""
        try:
            return opener(self._secret(int(number)))(base64.b64decode(text, validate=True), _about(number))
        except (NotOpened, binascii.Error, ValueError) as error:
            raise Corrupted(
                _("the key of an encrypted column does not open"),
                where=f"column {number[:12]}",
                do=_("use the vault that the file was written with; lastro verify tells whether the file was changed"),
            ) from error

    def _secret(self, number: int) -> bytes:
        if not self.vault.exists:
            raise NotPermitted(
                _("the vault is gone, and with it the keys of encrypted columns"),
                where=str(self.vault.connection.path),
                do=_("put it back from a backup: lastro vault restore"),
                state=_("tables are as they were; their other columns can be read"),
            )
        with self.vault.held_still():
            self.vault.refresh()
            return self.vault.ring.key(KeyFor.COLUMN, number).secret


def _about(number: str) -> bytes:
    return f"lastro column 1 {number}".encode()


def _factory(keys: VaultColumnKeys) -> Any:  # Any: a CryptoFactory
    import pyarrow.parquet.encryption as parquet

    class Client(parquet.KmsClient):  # type: ignore[misc] # a class of pyarrow, which has no types
        """Pyarrow's way to ask for keys; the only class of another's that is extended, since it takes no other."""

        def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> str:
            """A file's key, wrapped."""
            return keys.wrapped(key_bytes, master_key_identifier)

        def unwrap_key(self, wrapped_key: str, master_key_identifier: str) -> bytes:
            """A file's key."""
            return keys.unwrapped(wrapped_key, master_key_identifier)

    return parquet.CryptoFactory(lambda _configuration: Client())
