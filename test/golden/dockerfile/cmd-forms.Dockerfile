FROM base:1
CMD ["a", "b c"]
FROM base:1 AS text
CMD echo "a  b" $X
FROM base:1 AS odd
CMD ['a']
FROM base:1 AS none
CMD
FROM base:1 AS empty
CMD []
