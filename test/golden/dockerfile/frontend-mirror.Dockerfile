# syntax=registry.test:5000/docker/dockerfile:1.7-labs
FROM base:1
