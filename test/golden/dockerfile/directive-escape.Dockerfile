# escape=`
FROM base:1
RUN echo a `
  b\
ENV P=c:\dir Q=`$x R="`"q`""
COPY a `
  /b
