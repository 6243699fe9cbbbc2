/** Questions that a person answers at the terminal, a secret without it being shown. */
import { Failure } from '../lib/failure.ts'
import type { Call } from './command.ts'

type Asked = Pick<Call, 'screen' | 'signal' | 'stdin'>

/** The next line, as it is typed. */
export async function askLine({ screen, signal, stdin }: Asked, question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({
    input: stdin as unknown as NodeJS.ReadableStream,
    output: screen.status as NodeJS.WritableStream,
  })
  try {
    return (await lines.question(question, { signal })).trim()
  } catch (cause) {
    throw new Failure('cancelled', 'Nothing was changed', { cause })
  } finally {
    lines.close()
  }
}

/** The next line with echo off; backspace and ^U work, ^C and ^D end it. */
export async function askSecret({ screen, signal, stdin }: Asked, question: string): Promise<string> {
  if (!stdin.setRawMode)
    throw new Failure('invalid', 'Cannot ask for a password: the terminal cannot be set to raw mode')
  screen.status.write(question)
  stdin.setRawMode(true)
  let line: number[] = []
  try {
    for await (const piece of stdin) {
      for (const byte of piece) {
        if (byte === 0x0d || byte === 0x0a) return Buffer.from(line).toString('utf8')
        if (byte === 0x03 || byte === 0x04 || signal.aborted) throw new Failure('cancelled', 'Nothing was changed')
        if (byte === 0x15) line = []
        else if (byte === 0x7f || byte === 0x08) line = withoutLast(line)
        else line.push(byte)
      }
    }
    throw new Failure('cancelled', 'Nothing was changed')
  } finally {
    stdin.setRawMode(false)
    screen.status.write('\n')
  }
}

/** A character may be several bytes: those that go on one begin with 10. */
function withoutLast(line: readonly number[]): number[] {
  const start = line.findLastIndex(byte => (byte & 0xc0) !== 0x80)
  return line.slice(0, Math.max(0, start))
}
