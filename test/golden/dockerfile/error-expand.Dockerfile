FROM base:1
ENV A=${B:?must be set}
