FROM base:1
ADD --checksum=sha256:00 a /a
