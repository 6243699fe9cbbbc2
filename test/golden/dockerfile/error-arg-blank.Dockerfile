FROM base:1
ARG =x
