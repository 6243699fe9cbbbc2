# check=experimental=all
FROM base:1 AS web
# about something else
ARG V=1
# W is described
ARG W=1
COPY node_modules/a b /x/
ADD c d /y/
