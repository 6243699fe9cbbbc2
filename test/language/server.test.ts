import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { CompletionItem, Diagnostic, Hover, Location } from 'vscode-languageserver'
import { command } from '../support/command.ts'
import { launcher } from '../support/engine.ts'
import { Editor } from './client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-lsp-'))
after(() => rmSync(folder, { recursive: true }))
const env = { NO_COLOR: '1', DOCKER_HOST: '', TSCOMPOSE_STATE: join(folder, 'state') }

/** Files of each case; the first is the one that is opened. */
const cases: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a key that is not known': { 'compose.yaml': 'services:\n  web:\n    imge: a\n    prots: []\n' },
  'a slip of YAML': { 'compose.yaml': 'services:\n  web:\n    image: "a\n' },
  'what only the whole can tell': {
    'compose.yaml':
      'services:\n  web: {image: a, depends_on: [dbb], networks: [back], volumes: ["data:/x"]}\n  db: {image: b}\n',
  },
  'a value that no engine takes': { 'compose.yaml': 'services:\n  web: {image: a, restart: allways}\n' },
  'warnings, and what is not honoured': {
    'compose.yaml': 'version: "3"\nservices:\n  web: {image: a, cpu_count: 2}\n',
  },
  'a file that is included': {
    'compose.yaml': 'include: [part.yaml]\nservices:\n  web: {image: a}\n',
    'part.yaml': 'services:\n  db: {imag: b}\n',
  },
  'an override that is found': {
    'compose.yaml': 'services:\n  web: {image: a}\n',
    'compose.override.yaml': 'services:\n  web: {prots: []}\n',
  },
  'a file of another name': { 'stack.yaml': 'services:\n  web: {imag: a}\n' },
  'files that .env names': {
    'compose.yaml': 'services:\n  web: {image: a}\n',
    '.env': 'COMPOSE_FILE=compose.yaml:more.yaml\n',
    'more.yaml': 'services:\n  web: {cpus: many}\n',
  },
  'an env file that is missing': { 'compose.yaml': 'services:\n  web: {image: a, env_file: gone.env}\n' },
  'a variable that is missing': { 'compose.yaml': 'services:\n  web: {image: "a:${TAG:?say which}"}\n' },
  nothing: { 'compose.yaml': 'services:\n  web: {image: a}\n' },
}

/** What `config` prints, as "FILE:LINE:COLUMN FIELD: MESSAGE". */
async function configSays(cwd: string, file: string): Promise<readonly string[]> {
  const args = file === 'stack.yaml' ? ['-f', file, 'config', '-q'] : ['config', '-q']
  const { stderr } = await command(launcher, args, { cwd, env })
  const found = [...stderr.matchAll(/^(error|warning) (?:(\S+):(\d+):(\d+) ?(\S*)\n {2})?(.+)$/gm)]
  return found
    .map(([, severity, at, line, column, field, message]) =>
      at === undefined
        ? `${severity} ${resolve(cwd, file)}:1:1 ${message}`
        : `${severity} ${resolve(cwd, at)}:${line}:${column} ${field ? `${field}: ` : ''}${message}`,
    )
    .sort()
}

const textOf = (message: Diagnostic['message']) => (typeof message === 'string' ? message : message.value)

describe('the diagnostics of the language server', () => {
  for (const [what, files] of Object.entries(cases))
    test(`are those of config: ${what}`, async () => {
      const cwd = mkdtempSync(join(folder, 'case-'))
      for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)
      const [opened, text] = Object.entries(files)[0]!
      // not its own folder: a file is read as in the folder it stands in
      const editor = await Editor.start(folder, env)
      await editor.open(join(cwd, opened), text)
      await editor.diagnostics(join(cwd, opened))
      const said = await configSays(cwd, opened)
      const found: string[] = []
      for (const name of Object.keys(files)) {
        const path = join(cwd, name)
        const wanted = said.filter(line => line.includes(` ${path}:`)).length
        if (name !== opened && wanted === 0) continue
        for (const { severity, message, range } of await editor.diagnostics(path, all => all.length >= wanted))
          found.push(
            `${severity === 1 ? 'error' : 'warning'} ${path}:${range.start.line + 1}:${range.start.character + 1} ${textOf(message).split('\n')[0]}`,
          )
      }
      assert.deepEqual(found.sort(), said)
      assert.equal(said.length > 0, what !== 'nothing')
      assert.equal(await editor.stop(), 0)
    })
})

describe('the language server', () => {
  let cwd: string
  let file: string
  let editor: Editor
  beforeEach(async () => {
    cwd = mkdtempSync(join(folder, 'edit-'))
    file = join(cwd, 'compose.yaml')
    editor = await Editor.start(cwd, env)
  })
  afterEach(async () => {
    if (editor.process.exitCode === null) await editor.stop()
  })

  test('knows a text that is not saved, in a file that is not there, and in one that it includes', async () => {
    await editor.open(file, 'include: [part.yaml]\nservices:\n  web: {image: a, depends_on: [db]}\n')
    const [gone] = await editor.diagnostics(file)
    assert.match(textOf(gone!.message), /part\.yaml/)
    const part = join(cwd, 'part.yaml')
    await editor.open(part, 'services:\n  db: {image: b}\n')
    assert.deepEqual(await editor.diagnostics(file, all => all.length === 0), [])
    // from the part that is not written anywhere
    const [place] = [await editor.ask<Location>('textDocument/definition', file, 2, 32)].flat()
    assert.deepEqual([place?.uri, place?.range.start], [pathToFileURL(part).href, { line: 1, character: 2 }])
    await editor.change(part, 'services:\n  db: {imag: b}\n')
    const [wrong] = await editor.diagnostics(part, all => all.length > 0)
    assert.deepEqual([wrong!.code, wrong!.source, wrong!.range.start.line], ['unknown-key', 'tscompose', 1])
    await editor.close(part)
    assert.match(textOf((await editor.diagnostics(file, all => all.length > 0))[0]!.message), /part\.yaml/)
  })

  test('completes, explains and finds while a line is half written', async () => {
    const text = 'services:\n  web:\n    image: a\n    depends_on: [\n  db:\n    image: b\n    mem_limit: 64m\n'
    await editor.open(file, text)
    const items = await editor.ask<readonly CompletionItem[]>('textDocument/completion', file, 3, 17)
    assert.deepEqual(
      items.map(({ label, textEdit }) => [label, textEdit]),
      [['db', { range: { start: { line: 3, character: 17 }, end: { line: 3, character: 17 } }, newText: 'db' }]],
    )
    const shown = await editor.ask<Hover>('textDocument/hover', file, 6, 7)
    assert.match(JSON.stringify(shown.contents), /services\.db\.mem_limit/)
    assert.equal(await editor.ask('textDocument/definition', file, 0, 0), null)
  })

  test('ends with the editor: well after a shutdown, badly without', async () => {
    assert.equal(await editor.stop(), 0)
    const other = await Editor.start(cwd, env)
    const exited = once(other.process, 'exit')
    other.process.stdin!.end()
    assert.deepEqual((await exited)[0], 1)
    other.connection.dispose()
  })

  test('says nothing of what is closed', async () => {
    await editor.open(file, 'services:\n  web: {imag: a}\n')
    assert.equal((await editor.diagnostics(file)).length, 1)
    await editor.close(file)
    assert.deepEqual(await editor.diagnostics(file, all => all.length === 0), [])
  })
})
