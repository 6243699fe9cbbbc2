FROM base:1
CMD [1]
