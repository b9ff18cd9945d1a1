"""What an audit asks for: the signed ledger and its anchors, and the documents of the law."""
