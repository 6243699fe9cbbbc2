# check=error=true
FROM base:1
CMD a
MAINTAINER x
