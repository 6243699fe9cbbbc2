FROM base:1
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN a | b
CMD c
ENTRYPOINT d
FROM base:1 AS after
CMD e
