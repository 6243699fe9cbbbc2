FROM base:1 AS web
FROM base:1 AS wob
