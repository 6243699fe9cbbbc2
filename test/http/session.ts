/** A session that a test plays. */
import type { Session } from '../../src/api/endpoint.ts'
import type { OutputChunk } from '../../src/api/frames.ts'

/** A process that writes back what it is told, then "bye" at the end of its stdin. */
export function echo(tty = false) {
  const chunks: OutputChunk[] = []
  const log: string[] = []
  let wake = Promise.withResolvers<void>()
  let ended = false
  const session: Session = {
    tty,
    output: (async function* () {
      for (;;) {
        const chunk = chunks.shift()
        if (chunk) yield chunk
        else if (ended) return
        else await wake.promise
      }
    })(),
    async write(data) {
      log.push(`write ${Buffer.from(data)}`)
      chunks.push({ stream: 'stdout', data: Uint8Array.from(data) })
      ring()
    },
    end() {
      log.push('end')
      chunks.push({ stream: 'stderr', data: Buffer.from('bye') })
      ended = true
      ring()
    },
    close() {
      log.push('close')
      ended = true
      ring()
    },
  }
  function ring() {
    wake.resolve()
    wake = Promise.withResolvers<void>()
  }
  return { session, log }
}
