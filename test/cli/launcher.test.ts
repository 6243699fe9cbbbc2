import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../../src/cli/tscompose', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tscompose-launcher-'))
after(() => rmSync(folder, { recursive: true }))

function script(file: string, text: string): void {
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
}

/** A checkout without node_modules: the launcher must take the node of the PATH. */
function checkout(): string {
  const cli = join(mkdtempSync(join(folder, 'c')), 'src/cli')
  mkdirSync(cli, { recursive: true })
  copyFileSync(launcher, join(cli, 'tscompose'))
  return join(cli, 'tscompose')
}

function path(version: string): string {
  const bin = mkdtempSync(join(folder, 'bin'))
  script(
    join(bin, 'node'),
    `[ "$1" = -p ] && { echo ${version}; exit; }; echo "ran $@"; echo "cache \${NODE_COMPILE_CACHE-none}"; echo "added \${TSCOMPOSE_CODE_CACHE-none}"`,
  )
  return `${bin}:/usr/bin:/bin`
}

describe('the launcher', () => {
  test('works from any folder and through symbolic links', () => {
    const link = join(folder, 'tsc')
    symlinkSync(launcher, join(folder, 'first'))
    symlinkSync('first', link)
    const output = execFileSync(link, ['version', '--short'], {
      cwd: '/',
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', HOME: folder, TSCOMPOSE_WARM: '0' },
    })
    assert.match(output, /^2\.\d+\.\d+-tscompose\.\d+\.\d+\.\d+\n$/)
  })

  test('takes a node of 24 or newer from the PATH, and hands on words as they are', () => {
    const { stdout } = spawnSync(checkout(), ['up', 'a b', '*'], {
      encoding: 'utf8',
      env: { PATH: path('24.1.0'), HOME: folder },
    })
    assert.match(stdout, /^ran --disable-warning=ExperimentalWarning -- \S+\/start\.cjs up a b \*$/m)
    assert.match(spawnSync(checkout(), [], { encoding: 'utf8', env: { PATH: path('100.0.0') } }).stdout, /^ran/)
  })

  test('keeps --env-file from Node, which would read it into our own environment', () => {
    const { status, stderr } = spawnSync(launcher, ['--env-file', '/nowhere.env', 'version', '--short'], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', HOME: folder, TSCOMPOSE_WARM: '0' },
    })
    assert.deepEqual([status, stderr], [0, ''])
  })

  test('says what to install when node is too old or missing', () => {
    for (const [PATH, found] of [
      [path('20.11.0'), '20.11.0'],
      [path('9.0.0'), '9.0.0'],
      ['/nowhere', 'none'],
    ] as const) {
      const { status, stderr } = spawnSync('/bin/sh', [checkout()], { encoding: 'utf8', env: { PATH } })
      assert.equal(status, 1)
      assert.match(stderr, new RegExp(`needs Node 24 or newer, found ${found}`))
    }
  })

  test('keeps compiled code in a folder of the user alone', () => {
    const home = mkdtempSync(join(folder, 'home'))
    const run = (env: NodeJS.ProcessEnv) =>
      spawnSync(checkout(), [], { encoding: 'utf8', env: { PATH: path('24.0.0'), ...env } }).stdout
    assert.match(run({ HOME: home }), new RegExp(`^cache ${home}/\\.cache/tscompose$`, 'm'))
    assert.equal(statSync(join(home, '.cache/tscompose')).mode & 0o777, 0o700)
    assert.match(run({ HOME: home }), new RegExp(`^added ${home}/\\.cache/tscompose$`, 'm'))
    assert.match(run({ HOME: home, NODE_COMPILE_CACHE: '/mine' }), /^cache \/mine\nadded none$/m)
    assert.match(run({}), /^cache none$/m)
  })

  test('uses no folder that a link or another user put there', () => {
    const home = mkdtempSync(join(folder, 'home'))
    mkdirSync(join(home, '.cache'))
    mkdirSync(join(home, 'elsewhere'))
    symlinkSync('../elsewhere', join(home, '.cache/tscompose'))
    const { stdout } = spawnSync(checkout(), [], { encoding: 'utf8', env: { PATH: path('24.0.0'), HOME: home } })
    assert.match(stdout, /^cache none$/m)
    assert.ok(existsSync(join(home, 'elsewhere')))
  })
})
