FROM base:1
LABEL a="x
