FROM base:1
RUN --mont=type=cache,target=/x true
