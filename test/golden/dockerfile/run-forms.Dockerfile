FROM base:1
RUN echo a  b
RUN ["echo", "$X", "a b"]
SHELL ["/bin/ash", "-ec"]
RUN echo c
RUN
RUN --network=none --security=insecure x
RUN --network=host -- --flag
