-- What people of each state applied for, and how many of them did not pay back.
SELECT
  uf,
  count(*) AS applications,
  sum(amount) AS amount,
  count(*) FILTER (WHERE defaulted) AS defaults
FROM loans
GROUP BY uf
ORDER BY uf
