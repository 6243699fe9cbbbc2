FROM base:1
WORKDIR rel
WORKDIR sub/../other/
WORKDIR /abs/
WORKDIR "quoted dir"
USER app
WORKDIR /
WORKDIR /made
ENV D=/env
WORKDIR $D/x y
