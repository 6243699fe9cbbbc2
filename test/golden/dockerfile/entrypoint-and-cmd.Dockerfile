FROM app:1 AS a
ENTRYPOINT ["/new"]
FROM app:1 AS b
CMD ["own"]
ENTRYPOINT ["/new"]
FROM a AS c
CMD ["x"]
FROM c AS d
ENTRYPOINT /shell form
FROM app:1 AS e
ENTRYPOINT []
