ARG X=a
FROM base:1
COPY --from=$X a b
