FROM base:1
COPY https://127.0.0.1:1/x /x
