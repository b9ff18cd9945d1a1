"""Privacy: keys, signatures and what protects personal values. The only home of cryptography."""
