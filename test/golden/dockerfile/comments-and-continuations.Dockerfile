# syntax=docker/dockerfile:1
# a comment

FROM base:1
RUN echo a \
    # inside
  && echo b \

  && echo c
# last
ENV A=1 \
    B=2
