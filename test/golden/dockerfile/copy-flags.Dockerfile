FROM base:1
ARG WHO=app
COPY --chown=$WHO:staff --chmod=0750 --link a b/* /dest/
COPY --chmod=u=rwX,go=rX --exclude=*.md --exclude=**/tmp . ./
COPY --parents a/./b/c d /tree
