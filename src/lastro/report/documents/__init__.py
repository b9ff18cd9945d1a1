"""Documents of the law, made of a dossier: what happened and what contracts say, with the articles that ask for it.

What only people can say – the organisation, judgements, legal bases – stands in `lastro.yaml` and in contracts; where
it is missing, a document says so in its place. Each is bound to the versions' digests and to the ledger's head.
"""
