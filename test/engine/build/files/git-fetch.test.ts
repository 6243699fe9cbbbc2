import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { Downloads } from '../../../../src/engine/build/files/downloads.ts'
import { fetchSource } from '../../../../src/engine/build/files/fetch.ts'
import type { GitSource } from '../../../../src/engine/build/files/git-fetch.ts'
import { Failure } from '../../../../src/lib/failure.ts'
import { memory } from '../../../support/memory.ts'
import { lacking, program } from '../../../support/needs.ts'
import { folderOf, shown } from './support.ts'

interface Repositories {
  readonly folder: string
  readonly origin: string
  git(repository: string, ...args: string[]): string
  /** Requests with an Authorization header. */
  readonly authorized: string[]
}

/** Repositories below a folder, served by git's own CGI program on loopback. */
async function repositories(t: TestContext, secret?: string): Promise<Repositories> {
  const folder = folderOf(t, {}, memory)
  const authorized: string[] = []
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url!, 'http://x')
    const { authorization } = request.headers
    if (authorization !== undefined) authorized.push(authorization)
    if (secret !== undefined && authorization !== secret)
      return void response.writeHead(401, { 'WWW-Authenticate': 'Basic' }).end()
    const child = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env['PATH'],
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers['content-type'],
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
        HTTP_GIT_PROTOCOL: request.headers['git-protocol'] as string | undefined,
        REMOTE_ADDR: '127.0.0.1',
      },
    })
    request.pipe(child.stdin)
    child.stdin.on('error', () => undefined)
    const pieces: Buffer[] = []
    child.stdout.on('data', piece => pieces.push(piece))
    child.on('close', () => {
      const all = Buffer.concat(pieces)
      const end = all.indexOf('\r\n\r\n')
      const lines = all.subarray(0, end).toString().split('\r\n')
      const headers = Object.fromEntries(
        lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      )
      response.writeHead(Number(headers['Status']?.slice(0, 3) ?? 200), headers).end(all.subarray(end + 4))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
  const git = (repository: string, ...args: string[]) => {
    const cwd = join(folder, repository)
    mkdirSync(cwd, { recursive: true })
    const env = {
      PATH: process.env['PATH'],
      HOME: cwd,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@x',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@x',
      GIT_ALLOW_PROTOCOL: 'http:file',
    }
    return execFileSync('git', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  }
  return { folder, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, git, authorized }
}

/** "app": main with file, exe, link and d/in; tag v1 before main's last commit; branch v1 elsewhere. */
async function app(
  t: TestContext,
  secret?: string,
): Promise<Repositories & { readonly first: string; readonly last: string }> {
  const all = await repositories(t, secret)
  const { git, folder } = all
  git('app', 'init', '-q', '-b', 'main')
  const place = join(folder, 'app')
  mkdirSync(join(place, 'd'))
  writeFileSync(join(place, 'file'), 'one')
  writeFileSync(join(place, 'd/in'), 'in')
  writeFileSync(join(place, 'exe'), '#!')
  chmodSync(join(place, 'exe'), 0o755)
  symlinkSync('d', join(place, 'link'))
  symlinkSync('/etc', join(place, 'out'))
  git('app', 'add', '.')
  git('app', 'commit', '-qm', 'one')
  const first = git('app', 'rev-parse', 'HEAD')
  git('app', 'tag', '-a', 'v1', '-m', 'v1')
  writeFileSync(join(place, 'file'), 'two')
  git('app', 'commit', '-qam', 'two')
  git('app', 'branch', 'other/name', first)
  return { ...all, first, last: git('app', 'rev-parse', 'HEAD') }
}

function fetcher(t: TestContext, origin: string, secrets: Readonly<Record<string, string>> = {}) {
  const place = folderOf(t, {}, memory)
  const downloads = new Downloads(join(place, 'kept'))
  let count = 0
  const client = {
    secret: async (id: string) => {
      if (secrets[id] === undefined) throw new Failure('not-found', id)
      return Buffer.from(secrets[id])
    },
    ssh: async () => undefined,
  }
  return async (repository: string, more: Partial<GitSource> = {}) => {
    const folder = join(place, `step${count++}`)
    mkdirSync(folder)
    const source: GitSource = {
      kind: 'git',
      remote: `${origin}/${repository}`,
      ref: undefined,
      subdir: undefined,
      checksum: undefined,
      keepGitDir: false,
      submodules: true,
      ...more,
    }
    return (await fetchSource(source, {
      folder,
      downloads,
      args: new Map(),
      client,
      signal: new AbortController().signal,
    }))!
  }
}

describe('fetchSource() of a git repository', { skip: lacking(program('git')) }, () => {
  test('takes the newest commit, its files as git means them, and no history', async t => {
    const { origin } = await app(t)
    const before = process.umask(0o077)
    t.after(() => process.umask(before))
    const { path } = await fetcher(t, origin)('app')
    assert.deepEqual(shown([path]), {
      '/d/': '755',
      '/d/in': '644 in',
      '/exe': '755 #!',
      '/file': '644 two',
      '/link': '-> d',
      '/out': '-> /etc',
    })
  })

  test('takes a tag, a branch, a whole ref, a commit, and knows them apart', async t => {
    const { origin, first, last } = await app(t)
    const fetch = fetcher(t, origin)
    for (const [ref, content] of [
      ['v1', 'one'],
      ['main', 'two'],
      ['other/name', 'one'],
      ['refs/tags/v1', 'one'],
      ['refs/heads/main', 'two'],
      [first, 'one'],
      [last, 'two'],
    ] as const)
      assert.equal(readFileSync(join((await fetch('app', { ref })).path, 'file'), 'utf8'), content, ref)
    const digests = await Promise.all([fetch('app', { ref: first }), fetch('app', { ref: 'v1' }), fetch('app')])
    assert.equal(digests[0]!.digest, digests[1]!.digest)
    assert.notEqual(digests[0]!.digest, digests[2]!.digest)
  })

  test('takes one folder, its links followed inside the checkout', async t => {
    const { origin } = await app(t)
    const fetch = fetcher(t, origin)
    for (const subdir of ['d', '/d/', 'link', '../d'])
      assert.deepEqual(readdirSync((await fetch('app', { subdir })).path), ['in'])
    for (const subdir of ['out', 'none', 'file'])
      await assert.rejects(fetch('app', { subdir }), { kind: 'not-found', message: /subdir not found/ })
  })

  test('checks the commit', async t => {
    const { origin, last } = await app(t)
    const fetch = fetcher(t, origin)
    await fetch('app', { checksum: last.slice(0, 8) })
    await assert.rejects(fetch('app', { checksum: '0000000' }), {
      kind: 'invalid',
      message: new RegExp(`expected checksum to match 0000000, got ${last}`),
    })
  })

  test('keeps .git when it is asked to, without credentials', async t => {
    const { origin, last } = await app(t)
    const { path } = await fetcher(t, origin.replace('//', '//user:pass@'))('app', { keepGitDir: true })
    assert.doesNotMatch(readFileSync(join(path, '.git/config'), 'utf8'), /pass/)
    assert.equal(
      execFileSync('git', ['-c', `safe.directory=${path}`, 'rev-parse', 'HEAD'], {
        cwd: path,
        encoding: 'utf8',
      }).trim(),
      last,
    )
    assert.equal(existsSync(join(path, '.git/hooks')), false)
  })

  test('takes submodules along, unless told not to, and none by a path of the host', async t => {
    const { origin, git, folder } = await app(t)
    git('lib', 'init', '-q', '-b', 'main')
    writeFileSync(join(folder, 'lib/code'), 'code')
    git('lib', 'add', '.')
    git('lib', 'commit', '-qm', 'lib')
    const module = (url: string) =>
      writeFileSync(join(folder, 'app/.gitmodules'), `[submodule "lib"]\n\tpath = lib\n\turl = ${url}\n`)
    module(`${origin}/lib`)
    git('app', 'add', '.gitmodules')
    git('app', 'update-index', '--add', '--cacheinfo', `160000,${git('lib', 'rev-parse', 'HEAD')},lib`)
    git('app', 'commit', '-qm', 'lib')
    const fetch = fetcher(t, origin)
    const { path } = await fetch('app')
    assert.deepEqual(readdirSync(join(path, 'lib')), ['code'])
    assert.equal(existsSync(join((await fetch('app', { submodules: false })).path, 'lib/code')), false)
    module(`file://${folder}/lib`)
    git('app', 'add', '.gitmodules')
    git('app', 'commit', '-qm', 'by a path')
    await assert.rejects(fetch('app'), { kind: 'unavailable', message: /'file' not allowed/ })
  })

  test('runs no hook and reads no configuration of the host', async t => {
    const { origin, folder } = await app(t)
    const home = folderOf(t, {
      '.gitconfig': `[core]\n\thooksPath = ${folder}/hooks\n[url "${origin}/none"]\n\tinsteadOf = ${origin}/app\n`,
    })
    mkdirSync(join(folder, 'hooks'))
    writeFileSync(join(folder, 'hooks/post-checkout'), `#!/bin/sh\ntouch ${folder}/ran\n`, { mode: 0o755 })
    const before = process.env['HOME']
    process.env['HOME'] = home
    t.after(() => {
      process.env['HOME'] = before
    })
    await fetcher(t, origin)('app')
    assert.equal(existsSync(join(folder, 'ran')), false)
  })

  test('opens a repository by a token or a header of the client', async t => {
    const token = `basic ${Buffer.from('x-access-token:secret').toString('base64')}`
    const { origin } = await app(t, token)
    await assert.rejects(fetcher(t, origin)('app'), { kind: 'unavailable' })
    const { host } = new URL(origin)
    const openers: readonly Readonly<Record<string, string>>[] = [
      { GIT_AUTH_TOKEN: 'secret' },
      { GIT_AUTH_HEADER: token },
      { [`GIT_AUTH_TOKEN.${host}`]: 'secret', GIT_AUTH_TOKEN: 'other' },
    ]
    for (const secrets of openers) assert.ok(existsSync((await fetcher(t, origin, secrets)('app')).path))
  })

  test('refuses what is no repository, no ref and no address', async t => {
    const { origin, folder } = await app(t)
    const fetch = fetcher(t, origin)
    await assert.rejects(fetch('none'), { kind: 'unavailable' })
    await assert.rejects(fetch('app', { ref: 'none' }), { kind: 'not-found', message: /does not contain ref none/ })
    for (const ref of ['--upload-pack=touch x', '-x', 'a b', 'a:b', ''])
      await assert.rejects(fetch('app', { ref }), { kind: 'invalid' }, ref)
    for (const remote of [`file://${folder}/app`, `${folder}/app`, 'ext::sh -c touch% x'])
      await assert.rejects(fetch('app', { remote }), { kind: 'unavailable' }, remote)
    for (const remote of ['--upload-pack=x', 'http://x/\nurl=y'])
      await assert.rejects(fetch('app', { remote }), { kind: 'invalid' }, remote)
  })

  test('says so where there is no git', async t => {
    const { origin } = await app(t)
    const before = process.env['PATH']
    const fetch = fetcher(t, origin)
    process.env['PATH'] = '/nowhere'
    try {
      await assert.rejects(fetch('app'), { kind: 'unavailable', message: /the program "git" is missing/ })
    } finally {
      process.env['PATH'] = before
    }
  })
})
