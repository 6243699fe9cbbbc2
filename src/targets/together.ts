/** Lines of several sources at once, each as it comes; sources may be added on the way. */

export async function* together<T>(
  sources: readonly AsyncGenerator<T>[],
  more?: AsyncGenerator<AsyncGenerator<T>>,
): AsyncGenerator<T> {
  type Turn = { readonly source: AsyncGenerator<T>; readonly result: IteratorResult<T> }
  type Added = { readonly added: IteratorResult<AsyncGenerator<T>> }
  const next = async (source: AsyncGenerator<T>): Promise<Turn> => ({ source, result: await source.next() })
  const add = async (from: AsyncGenerator<AsyncGenerator<T>>): Promise<Added> => ({ added: await from.next() })
  const open = new Map<AsyncGenerator<unknown>, Promise<Turn | Added>>(sources.map(source => [source, next(source)]))
  if (more) open.set(more, add(more))
  try {
    while (open.size > 0) {
      const turn = await Promise.race(open.values())
      if ('added' in turn) {
        if (turn.added.done) open.delete(more!)
        else {
          open.set(turn.added.value, next(turn.added.value))
          open.set(more!, add(more!))
        }
      } else if (turn.result.done) open.delete(turn.source)
      else {
        open.set(turn.source, next(turn.source))
        yield turn.result.value
      }
    }
  } finally {
    // a reader that has had enough leaves none of them open
    await Promise.allSettled([...open.keys()].map(source => source.return(undefined)))
  }
}
