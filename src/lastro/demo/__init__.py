"""The whole story on invented data: a lender's database, an API and access logs, from ingestion to replay."""
