FROM base:1
ARG SUM=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
ADD --checksum=$SUM --chmod=600 https://127.0.0.1:1/files/data.bin /data/
ADD --unpack=true https://127.0.0.1:1/a.tgz /
