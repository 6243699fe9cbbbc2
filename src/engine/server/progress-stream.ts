/** Work that reports by calling back, to the stream of lines a progress reply is. */
import type { BuildLine, Progress } from '../../api/json-lines.ts'

/** With this many unread, bars give way: the next one says the same and more. */
const maxUnread = 1000

/** Starts `work` when read; its failure ends the stream. A reader that leaves does not wait for it: `work` has its own signal. */
export async function* progressStream<Line extends BuildLine = Progress>(
  work: (onProgress: (line: Line) => void) => Promise<void>,
): AsyncGenerator<Line> {
  const lines: Line[] = []
  let wake: (() => void) | undefined
  let done = false
  const finished = work(line => {
    if (lines.length >= maxUnread && line.progressDetail?.total !== undefined) return
    lines.push(line)
    wake?.()
  }).finally(() => {
    done = true
    wake?.()
  })
  // it is awaited below; until then a rejection is not unhandled
  finished.catch(() => {})
  for (;;) {
    const line = lines.shift()
    if (line !== undefined) {
      yield line
      continue
    }
    if (done) break
    await new Promise<void>(resolve => {
      wake = resolve
    })
    wake = undefined
  }
  await finished
}
