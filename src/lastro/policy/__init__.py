"""Who may read what, for which purpose: deciding code that takes values and gives values."""
