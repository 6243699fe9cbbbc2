FROM base:1 AS 1x
