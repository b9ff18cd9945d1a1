"""MySQL and MariaDB: one snapshot, cut into columns on the wire."""
