"""Quality: contracts held to versions and to servers, profiles, metrics, outliers, leakage."""
