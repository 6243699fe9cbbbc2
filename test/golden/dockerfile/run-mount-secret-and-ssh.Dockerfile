FROM base:1
RUN --mount=type=secret,id=a true
RUN --mount=type=secret,src=b,target=/etc/b,required,mode=0440,uid=5,gid=6 true
RUN --mount=type=secret,id=c,env=TOKEN true $TOKEN
RUN --mount=type=secret,id=d,env=D,target=/d true
RUN --mount=type=secret,target=/run/secrets/e true
RUN --mount=type=ssh true
RUN --mount=type=ssh,id=one,required=true --mount=type=ssh,id=two,target=/sock,mode=0666 true
