import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import type { OutputChunk } from '../../src/api/frames.ts'
import { Screen } from '../../src/cli/screen.ts'
import { type Input, join } from '../../src/cli/terminal.ts'

function screen() {
  const written: string[] = []
  const sink = {
    write: (data: string | Uint8Array) => written.push(Buffer.from(data).toString()) > 0,
    isTTY: true,
    rows: 24,
    columns: 80,
  }
  return { written, screen: new Screen({ stdout: sink, stderr: sink, stdinIsTTY: true, env: {}, ansi: 'never' }) }
}

function terminal(): Input & PassThrough & { raw: boolean[] } {
  const raw: boolean[] = []
  return Object.assign(new PassThrough(), { isTTY: true, raw, setRawMode: (on: boolean) => raw.push(on) })
}

async function* never(): AsyncGenerator<OutputChunk> {
  yield { stream: 'stdout', data: Buffer.from('$ ') }
  await new Promise(() => {})
}

describe('terminal', () => {
  test('join() sets raw mode, tells the size and puts the terminal back when the process ends', async () => {
    const { screen: on, written } = screen()
    const stdin = terminal()
    const sizes: number[][] = []
    const socket = new PassThrough()
    const how = await join({
      session: {
        tty: true,
        socket,
        output: (async function* () {
          yield { stream: 'stdout', data: Buffer.from('hi') } as const
        })(),
      },
      screen: on,
      stdin,
      resize: async (...size) => sizes.push(size),
    })
    assert.deepEqual([how, written, stdin.raw, sizes], ['ended', ['hi'], [true, false], [[24, 80]]])
  })

  test('join() puts the terminal back when the connection fails', async () => {
    const stdin = terminal()
    const output = (async function* (): AsyncGenerator<OutputChunk> {
      yield { stream: 'stdout', data: Buffer.from('hi') }
      throw new Error('gone')
    })()
    await assert.rejects(
      join({ session: { tty: true, socket: new PassThrough(), output }, screen: screen().screen, stdin }),
      /gone/,
    )
    assert.deepEqual(stdin.raw, [true, false])
  })

  test('join() comes back at the detach keys while the process goes on', async () => {
    const stdin = terminal()
    const socket = new PassThrough()
    const joined = join({ session: { tty: true, socket, output: never() }, screen: screen().screen, stdin })
    stdin.write('ls\x10\x11')
    assert.equal(await joined, 'detached')
    assert.deepEqual([socket.read()?.toString(), socket.destroyed, stdin.raw], ['ls', true, [true, false]])
  })

  test('join() ends the input of the process with ours, and reads on', async () => {
    const stdin = new PassThrough()
    const socket = new PassThrough()
    const seen: Buffer[] = []
    const ended = new Promise<void>(resolve => socket.on('data', data => seen.push(data)).on('end', resolve))
    async function* answers(): AsyncGenerator<OutputChunk> {
      await ended
      yield { stream: 'stderr', data: Buffer.from('done') }
    }
    stdin.end('data')
    const { screen: on, written } = screen()
    assert.equal(await join({ session: { tty: false, socket, output: answers() }, screen: on, stdin }), 'ended')
    assert.deepEqual([Buffer.concat(seen).toString(), written], ['data', ['done']])
  })
})
