/** When a stack is read again: at once, one at a time, and once for all that has changed meanwhile. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { createProtocolConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node'
import { type Checked, serve } from '../../src/language/server.ts'

const uri = 'file:///stack/compose.yaml'

/** A server whose readings end when the test says so, and an editor on it. */
function editor() {
  const input = new PassThrough()
  const output = new PassThrough()
  const readings: { readonly text: string; end(): void }[] = []
  let arrived = Promise.withResolvers<void>()
  const ended = new AbortController()
  const done = serve({
    input,
    output,
    version: '1',
    schema: {},
    check: (file, unsaved) => {
      const { promise, resolve } = Promise.withResolvers<Checked>()
      readings.push({ text: unsaved.get(file) ?? '', end: () => resolve({ problems: [] }) })
      arrived.resolve()
      return promise
    },
    readFile: () => undefined,
    signal: ended.signal,
  })
  const connection = createProtocolConnection(new StreamMessageReader(output), new StreamMessageWriter(input))
  let told = 0
  connection.onNotification('textDocument/publishDiagnostics', () => {
    told += 1
  })
  connection.listen()
  let version = 1
  return {
    readings,
    told: () => told,
    open: (text: string) =>
      connection.sendNotification('textDocument/didOpen', {
        textDocument: { uri, languageId: 'yaml', version, text },
      }),
    change: (text: string) =>
      connection.sendNotification('textDocument/didChange', {
        textDocument: { uri, version: ++version },
        contentChanges: [{ text }],
      }),
    /** Answered after all that was sent before. */
    settled: () =>
      connection.sendRequest('textDocument/hover', { textDocument: { uri }, position: { line: 0, character: 0 } }),
    async reading(count: number): Promise<void> {
      while (readings.length < count) {
        await arrived.promise
        arrived = Promise.withResolvers()
      }
    },
    async [Symbol.asyncDispose]() {
      for (const { end } of readings) end()
      ended.abort()
      await done
      connection.dispose()
    },
  }
}

test('a stack that changes while it is read is read once more, as it is then', async () => {
  await using it = editor()
  await it.open('a: 1')
  await it.reading(1)
  for (const text of ['a: 2', 'a: 3', 'a: 4']) await it.change(text)
  await it.settled()
  assert.deepEqual(
    it.readings.map(({ text }) => text),
    ['a: 1'],
  )
  it.readings[0]!.end()
  await it.reading(2)
  it.readings[1]!.end()
  await it.settled()
  assert.deepEqual(
    it.readings.map(({ text }) => text),
    ['a: 1', 'a: 4'],
  )
  // nothing is told of a text that is no more
  assert.equal(it.told(), 1)
})
