"""Where data comes from: files, databases, APIs, logs. The only home of the HTTP client and the database drivers."""
