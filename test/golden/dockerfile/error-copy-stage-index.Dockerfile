FROM base:1
COPY --from=7 a b
