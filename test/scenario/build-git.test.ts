/** Builds whose context is a git repository, from end to end: a git daemon on loopback, our command line and buildx. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { freePort, listens } from '../support/free-port.ts'
import { lacking, peerPlugin, program, root } from '../support/needs.ts'

const buildx = peerPlugin('docker-buildx')

describe('a build of a git repository', {
  skip: lacking(root(), program('busybox'), program('nft'), program('git')),
}, () => {
  let engine: TestEngine
  let daemon: ChildProcess
  let address: string
  let first: string
  const git = (...args: readonly string[]) => {
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' }
    const name = ['-c', 'user.name=t', '-c', 'user.email=t@t.test', '-c', 'init.defaultBranch=main']
    return execFileSync('git', ['-C', repository(), ...name, ...args], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  }
  const repository = () => join(engine.folder, 'git/app')
  const commit = (files: Readonly<Record<string, string>>, message: string) => {
    for (const [path, text] of Object.entries(files)) writeFileSync(join(repository(), path), text)
    git('add', '-A')
    git('commit', '-q', '-m', message)
  }

  before(async () => {
    engine = await TestEngine.start()
    mkdirSync(join(repository(), 'sub'), { recursive: true })
    git('init', '-q')
    commit({ Dockerfile: 'FROM busybox\nCOPY who /\nCMD ["cat", "/who"]\n', who: 'first\n' }, 'first')
    first = git('rev-parse', 'HEAD')
    commit({ who: 'second\n', '.dockerignore': 'secret\n', secret: 'x' }, 'second')
    git('checkout', '-q', '-b', 'other')
    commit({ 'sub/Dockerfile': 'FROM busybox\nCOPY . /all\nCMD ["ls", "/all"]\n', 'sub/only': '' }, 'third')
    git('checkout', '-q', 'main')
    const port = await freePort()
    const base = join(engine.folder, 'git')
    daemon = spawn('git', ['daemon', '--listen=127.0.0.1', `--port=${port}`, `--base-path=${base}`, '--export-all'], {
      stdio: 'ignore',
      // it starts others
      detached: true,
    })
    await eventually('the git daemon', () => listens(port))
    address = `git://127.0.0.1:${port}/app`
  })
  after(async () => {
    const ended = once(daemon, 'exit')
    process.kill(-daemon.pid!)
    await ended
    await engine.stop()
  })

  const shown = async (image: string) => (await engine.docker(['run', '--rm', image])).stdout
  const built = async (context: string, name: string) => {
    const stack = engine.stack(`services:\n  app: {build: "${context}", image: ${name}}\n`)
    await stack.run('build')
    return await shown(name)
  }

  test('takes the branch it begins with, another one with a folder, a commit', async () => {
    assert.equal(await built(address, 'git-main'), 'second\n')
    assert.equal(await built(`${address}#other:sub`, 'git-sub'), 'Dockerfile\nonly\n')
    assert.equal(await built(`${address}#${first}`, 'git-commit'), 'first\n')
  })

  test('takes what is new, and is from the cache where nothing is', async () => {
    const stack = engine.stack(`services:\n  app: {build: "${address}", image: git-new}\n`)
    await stack.run('build')
    assert.match((await stack.try('build')).stderr, /COPY who \/\n#\d+ CACHED/)
    commit({ who: 'third\n' }, 'new')
    const said = await stack.try('build')
    assert.match(said.stderr, /not cached: who changed/)
    assert.equal(await shown('git-new'), 'third\n')
    git('reset', '-q', '--hard', 'HEAD~1')
  })

  test('says which branch is not there', async () => {
    const stack = engine.stack(`services:\n  app: {build: "${address}#none"}\n`)
    const said = await stack.try('build')
    assert.equal(said.code, 1)
    assert.match(said.stderr, /none/)
  })

  test('by buildx', { skip: !buildx && 'needs docker-buildx (of the peers)' }, async () => {
    const args = ['build', '--progress', 'plain', '--load', '-t', 'git-buildx', `${address}#other:sub`]
    const said = await command(buildx!, args, { env: engine.env, timeout: 120_000 })
    assert.equal(said.code, 0, said.stderr)
    assert.equal(await shown('git-buildx'), 'Dockerfile\nonly\n')
  })
})
