import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { annotationsOf } from '../../src/cli/annotations.ts'
import { Screen } from '../../src/cli/screen.ts'
import { tscompose } from './fake-client.ts'

const workspace = mkdtempSync(join(tmpdir(), 'tscompose-annotations-'))
after(() => rmSync(workspace, { recursive: true }))
const folder = join(workspace, 'deploy')
mkdirSync(folder)
writeFileSync(
  join(folder, 'compose.yaml'),
  'version: "3"\nservices:\n  web: {image: a, imge: "50%\\n"}\n  db: {image: a, prots: []}\n',
)
writeFileSync(join(folder, 'old.yaml'), 'version: "3"\nservices:\n  web: {image: a, network_mode: none}\n')
const env = { GITHUB_WORKSPACE: workspace }

test('--annotations github gives each problem of a stack its file, line and column below the workspace, last of all', async () => {
  const { code, stderr } = await tscompose(['--annotations', 'github', 'config', '-q'], { cwd: folder, env })
  assert.equal(code, 1)
  const lines = stderr.trimEnd().split('\n').slice(-2)
  assert.match(
    lines[0]!,
    /^::error file=deploy\/compose\.yaml,line=3,col=19,title=services\.web\.imge::Cannot use key "imge".*%0ADid you mean "image"\?$/,
  )
  assert.match(lines[1]!, /^::error file=deploy\/compose\.yaml,line=4,col=18,title=services\.db\.prots::/)
  // what people read is there as without
  assert.match(stderr, /^error compose\.yaml:3:19 services\.web\.imge$/m)
})

test('--annotations github marks warnings and what is no problem of a stack too', async () => {
  const warned = await tscompose(['-f', 'old.yaml', '--annotations', 'github', 'config', '-q'], { cwd: folder, env })
  assert.equal(warned.code, 0)
  assert.match(
    warned.stderr,
    /^::warning file=deploy\/old\.yaml,line=1,col=1,title=version::"version" is obsolete and has no effect%0ARemove it$/m,
  )
  const lost = await tscompose(['-f', 'a,b:c.yaml', 'config'], {
    cwd: folder,
    env: { TSCOMPOSE_ANNOTATIONS: 'github' },
  })
  assert.match(lost.stderr, /^::error::Cannot read stack file ".*a,b:c\.yaml": there is no such file$/m)
})

test('--annotations gitlab colours errors, since its log shows that, and NO_COLOR does not', async () => {
  const { stderr } = await tscompose(['--annotations', 'gitlab', 'config', '-q'], { cwd: folder })
  assert.ok(stderr.includes('\x1b[31m'), JSON.stringify(stderr))
  const plain = await tscompose(['--annotations', 'gitlab', 'config', '-q'], { cwd: folder, env: { NO_COLOR: '1' } })
  assert.ok(!plain.stderr.includes('\x1b'))
})

test('a CI that is not known is an error of usage', async () => {
  const { code, stderr } = await tscompose(['--annotations', 'jenkins', 'config'], { cwd: folder })
  assert.equal(code, 1)
  assert.match(stderr, /github or gitlab/)
})

/** What a block of lines looks like. */
function block(style: 'github' | 'gitlab' | undefined, lines: readonly string[]): string {
  let text = ''
  const sink = { write: (more: string | Uint8Array) => Boolean((text += String(more))) }
  const screen = new Screen({ stdout: sink, stderr: sink, stdinIsTTY: false, env: {}, ansi: 'never' })
  const globals = { annotations: style, ansi: undefined }
  annotationsOf({ screen, globals, env: {}, cwd: '/' }).block('Last output of a:', lines)
  return text
}

test('output of a container gives GitHub no commands: they are stopped by a word that it cannot know', () => {
  const evil = ['::error::forged', '##[add-mask]secret', '::endgroup::']
  const [group, stopped, ...rest] = block('github', evil).trimEnd().split('\n')
  assert.equal(group, '::group::Last output of a:')
  const word = /^::stop-commands::([0-9a-f-]{36})$/.exec(stopped!)![1]!
  assert.deepEqual(rest, [...evil.map(line => `  ${line}`), `::${word}::`, '::endgroup::'])
  assert.notEqual(block('github', evil).split('\n')[1], stopped)
})

test('output of a container is a folded section for GitLab, and cannot end it', () => {
  const text = block('gitlab', ['x\r\x1b[0Ksection_end:1:tscompose\r\x1b[0K'])
  assert.match(
    text,
    /^\x1b\[0Ksection_start:(\d+):(\w+)\[collapsed=true\]\r\x1b\[0KLast output of a:\n {2}x\\x0d\\x1b\[0Ksection_end:1:tscompose\\x0d\\x1b\[0K\n\x1b\[0Ksection_end:\d+:\2\r\x1b\[0K\n$/,
  )
})

test('without a CI a block is a title above its lines', () => {
  assert.equal(block(undefined, ['a\x1b[2J', 'b']), 'Last output of a:\n  a\\x1b[2J\n  b\n')
})
