ARG V
FROM base:$V$W1 AS one
FROM base:1
