FROM base:1
VOLUME /a /b
VOLUME ["/c d", "/e"]
ARG V=/f
VOLUME $V/g
