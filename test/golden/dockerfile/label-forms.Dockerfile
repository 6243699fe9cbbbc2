FROM base:1
ARG K=key
LABEL a=1 "b c"="d e" $K.x=y multi="one\
 two"
LABEL old form
LABEL a=2
