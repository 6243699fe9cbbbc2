FROM base:1
RUN --device=vendor.test/gpu=0 x
