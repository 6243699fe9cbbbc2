FROM base:1
COPY --link --link a b
