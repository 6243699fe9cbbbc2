import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { BuildReceiptNote, BuiltAgain } from '../../../src/api/build-receipts.ts'
import { builtAgain, noteBuild } from '../../../src/client/buildkit/built-again.ts'
import type { BuildEvent } from '../../../src/client/buildkit/events.ts'
import { ListingPrint } from '../../../src/client/buildkit/listing-print.ts'
import type { Asked } from '../../../src/client/buildkit/served.ts'
import { walk } from '../../../src/client/buildkit/walk.ts'
import type { Client } from '../../../src/client/client.ts'
import { Failure } from '../../../src/lib/failure.ts'

const key = 'b'.repeat(64)
const signal = new AbortController().signal
const question = { folder: 'context', include: [], exclude: ['*.log'], follow: ['src'] }

/** An engine that has what was noted, and the image. */
function engine(answer: BuiltAgain = { Image: 'sha256:1', Steps: ['[1/2] FROM x', '[2/2] RUN y'], Warnings: [] }) {
  const notes = new Map<string, BuildReceiptNote>()
  const called: string[] = []
  const call = async (
    { name }: { readonly name: string },
    { params, body }: { readonly params: { readonly key: string }; readonly body: BuildReceiptNote },
  ) => {
    called.push(name)
    if (name === 'receiptPut') return void notes.set(params.key, body)
    const noted = notes.get(params.key)
    if (!noted) throw new Failure('not-found', 'page not found')
    return name === 'receiptGet' ? noted : answer
  }
  return { client: { call } as unknown as Client, called, notes }
}

/** A folder that was sent, its files so old that their times are certain. */
async function sent(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'tscompose-again-'))
  t.after(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'src'))
  writeFileSync(join(root, 'src/a'), 'one')
  await pause(50)
  const print = new ListingPrint()
  for (const file of walk({ root, ...question })) print.add(file)
  const { client, called, notes } = engine()
  const asked: Asked = { ...question, print: print.end() }
  assert.match(asked.print!, /^[0-9a-f]{64}$/)
  await noteBuild(client, { key, receipt: 'r', asked: [asked] }, signal)
  const events: BuildEvent[] = []
  const again = () =>
    builtAgain(client, key, new Map([['context', { kind: 'folder', path: root }]]), {
      signal,
      onEvent: event => events.push(event),
    })
  return { root, again, events, called, notes }
}

test('a build whose files are as they were is that of before: its image, and its steps out of the cache', async t => {
  const { again, events, called } = await sent(t)
  assert.equal(await again(), 'sha256:1')
  assert.deepEqual(called, ['receiptPut', 'receiptGet', 'receiptUse'])
  assert.deepEqual(
    events.map(event => event.kind === 'step' && [event.name, event.cached, event.error]),
    [
      ['[1/2] FROM x', true, undefined],
      ['[2/2] RUN y', true, undefined],
    ],
  )
})

const changes: Readonly<Record<string, (root: string) => void>> = {
  'with other content': root => appendFileSync(join(root, 'src/a'), 'two'),
  'with other content of the same length, and its time put back': root => {
    writeFileSync(join(root, 'src/a'), 'two')
    utimesSync(join(root, 'src/a'), 1, 1)
  },
  'with another mode': root => chmodSync(join(root, 'src/a'), 0o755),
  'more than before': root => writeFileSync(join(root, 'src/b'), ''),
  'that is gone': root => rmSync(join(root, 'src/a')),
  'in another folder': root => rmSync(root, { recursive: true }) ?? mkdirSync(root),
}
for (const [what, change] of Object.entries(changes))
  test(`a build is made anew for a file ${what}`, async t => {
    const { root, again, called } = await sent(t)
    change(root)
    await pause(50)
    assert.equal(await again(), undefined)
    assert.deepEqual(called, ['receiptPut', 'receiptGet'])
  })

test('a build is the same whatever becomes of files that it does not ask for', async t => {
  const { root, again } = await sent(t)
  writeFileSync(join(root, 'other'), '')
  assert.equal(await again(), 'sha256:1')
})

test('a build is made anew when its folder is no longer served, or its note is not ours', async t => {
  const { again, notes } = await sent(t)
  for (const Note of ['', 'null', '[1]', '[{"folder":"context"}]', JSON.stringify([{ ...question, folder: 'x' }])]) {
    notes.set(key, { Receipt: 'r', Note })
    assert.equal(await again(), undefined, Note)
  }
})

test('an engine that knows of no receipts is asked to build', async () => {
  const { client, called } = engine()
  assert.equal(await builtAgain(client, key, new Map(), { signal, onEvent: () => {} }), undefined)
  assert.deepEqual(called, ['receiptGet'])
})

test('files that were changed only just now are not vouched for', t => {
  const root = mkdtempSync(join(tmpdir(), 'tscompose-again-'))
  t.after(() => rmSync(root, { recursive: true }))
  writeFileSync(join(root, 'a'), '')
  const print = new ListingPrint()
  for (const file of walk({ root, include: [], exclude: [], follow: [] })) print.add(file)
  assert.equal(print.end(), undefined)
})

test('warnings of the build before are told again, with the lines they are about', async () => {
  const { client, notes } = engine({
    Image: 'sha256:1',
    Steps: [],
    Warnings: [{ Text: 'JSONArgs: no (line 2)', Detail: 'd', Url: 'u', First: 2, Last: 3 }],
    Dockerfile: { Name: 'Dockerfile', Text: 'FROM x\nCMD y\n' },
  })
  notes.set(key, { Receipt: 'r', Note: '[]' })
  const events: BuildEvent[] = []
  await builtAgain(client, key, new Map(), { signal, onEvent: event => events.push(event) })
  const source = { file: 'Dockerfile', text: 'FROM x\nCMD y\n', ranges: [{ first: 2, last: 3 }] }
  assert.deepEqual(events, [{ kind: 'warning', text: 'JSONArgs: no (line 2)', detail: 'd', url: 'u', source }])
})
