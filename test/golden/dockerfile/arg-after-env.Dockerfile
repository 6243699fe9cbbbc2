FROM base:1
ENV A=env
ARG A=arg
RUN echo $A
ENV B=$A
ENV A=again
RUN echo $A
