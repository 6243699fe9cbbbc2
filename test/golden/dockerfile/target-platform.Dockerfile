FROM --platform=linux/amd64 base:1 AS build
FROM --platform=linux/arm64 base:1 AS arm64
