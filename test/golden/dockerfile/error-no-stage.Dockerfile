RUN x
FROM base:1
