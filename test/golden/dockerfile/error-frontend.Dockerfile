# syntax=example.test/other:1
FROM base:1
