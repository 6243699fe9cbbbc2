import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Build } from '../../src/model/build.ts'
import type { WatchRule } from '../../src/model/service.ts'
import { actionsOf, type IgnoreFile, rulesOf } from '../../src/watch/rules.ts'
import { project, service } from '../targets/engine/plan/project.ts'

const build = { context: '/src', args: {} } as unknown as Build

function rule(own: Partial<WatchRule> = {}): WatchRule {
  return { path: '/src/web', action: 'sync', target: '/app', ignore: [], include: [], initialSync: false, ...own }
}

interface Given {
  readonly ignoreFile?: IgnoreFile
  readonly build?: boolean
}

function rules(watch: readonly WatchRule[], { ignoreFile, build: builds = true }: Given = {}) {
  const ignoreFiles = new Map(ignoreFile ? [['web', ignoreFile]] : [])
  return rulesOf(project([service('web', { watch, build })]), { ignoreFiles, build: builds })
}

const concerned = (watch: WatchRule, paths: readonly string[], given?: Given) =>
  paths.filter(path => rules([watch], given).rules[0]!.concerns(path))

describe('rulesOf()', () => {
  const table: readonly (readonly [what: string, rule: Partial<WatchRule>, path: string, concerned: boolean])[] = [
    ['what is below the path', {}, '/src/web/a/b.js', true],
    ['the path itself', {}, '/src/web', true],
    ['not what is beside it', {}, '/src/website/a.js', false],
    ['not what ignore names', { ignore: ['node_modules/'] }, '/src/web/node_modules/x/y.js', false],
    ['a name below, when ignore names it at the top', { ignore: ['node_modules/'] }, '/src/web/a/node_modules/y', true],
    ['not what ignore names at any depth', { ignore: ['**/node_modules'] }, '/src/web/a/node_modules/y', false],
    ['what ignore takes back', { ignore: ['*.md', '!README.md'] }, '/src/web/README.md', true],
    ['not a path that ignore gives from the root of the rule', { ignore: ['/dist'] }, '/src/web/dist/a', false],
    ['not an absolute path in ignore', { ignore: ['/src/web/dist'] }, '/src/web/dist/a', false],
    ['what include names', { include: ['**/*.js'] }, '/src/web/a/b.js', true],
    ['not what include does not name', { include: ['**/*.js'] }, '/src/web/a/b.css', false],
    ['not what ignore names though include does', { include: ['**/*.js'], ignore: ['a'] }, '/src/web/a/b.js', false],
    ['not the repository', {}, '/src/web/.git/index', false],
    ["not vim's swap files", {}, '/src/web/a/.b.js.swp', false],
    ["not vim's probe", {}, '/src/web/4913', false],
    ["not emacs's locks", {}, '/src/web/.#b.js', false],
    ['not back-up files', {}, '/src/web/b.js~', false],
  ]
  for (const [what, own, path, wanted] of table)
    test(`a rule concerns ${what}`, () => {
      assert.deepEqual(concerned(rule(own), [path]), wanted ? [path] : [])
    })

  test("a rule does not concern what the build's .dockerignore leaves out", () => {
    const ignoreFile = { folder: '/src', patterns: ['web/tmp', '**/*.log'] }
    const paths = ['/src/web/tmp/x', '/src/web/a.log', '/src/web/a.js']
    assert.deepEqual(concerned(rule(), paths, { ignoreFile }), ['/src/web/a.js'])
  })

  test('a rule reaches a folder that is ignored only when something below may come back', () => {
    const [none, some] = rules([rule({ ignore: ['a'] }), rule({ ignore: ['a', '!a/keep'] })]).rules
    assert.equal(none!.reaches('/src/web/a'), false)
    assert.equal(some!.reaches('/src/web/a'), true)
    assert.equal(none!.reaches('/src/web/b'), true)
  })

  test('a target is where the file is relative to the path', () => {
    const [folder] = rules([rule({ target: '/app/' })]).rules
    assert.equal(folder!.targetOf('/src/web/a/b.js'), '/app/a/b.js')
    const [file] = rules([rule({ path: '/src/conf.json', target: '/etc/conf.json' })]).rules
    assert.equal(file!.targetOf('/src/conf.json'), '/etc/conf.json')
  })

  test('a path that is mounted is left out, and told of', () => {
    const mount = {
      kind: 'bind',
      source: '/src',
      target: '/app',
      readOnly: false,
      createHostPath: true,
      path: [],
    } as const
    const { rules: found, warnings } = rulesOf(project([service('web', { watch: [rule()], mounts: [mount] })]), {
      ignoreFiles: new Map(),
      build: true,
    })
    assert.deepEqual(found, [])
    assert.deepEqual(warnings, ["path '/src/web' also declared by a bind mount volume, this path won't be monitored!"])
  })

  test('rebuild needs something to build, and the leave to do so', () => {
    const rebuild = rule({ action: 'rebuild' })
    assert.throws(
      () => rulesOf(project([service('web', { watch: [rebuild] })]), { ignoreFiles: new Map(), build: true }),
      { message: `can't watch service "web" with action rebuild without a build context` },
    )
    assert.throws(() => rules([rebuild], { build: false }), {
      message: '--no-build is incompatible with watch action rebuild in service web',
    })
  })

  test('sync needs a target, and sync+exec a command', () => {
    assert.throws(() => rules([rule({ target: undefined })]), { message: /action sync needs a target/ })
    assert.throws(() => rules([rule({ action: 'sync+exec' })]), { message: /without specifying a command/ })
  })
})

describe('actionsOf()', () => {
  test('a burst is one sync a service, one rebuild, one restart and one command a rule', () => {
    const exec = { command: ['true'], privileged: false, environment: {}, perReplica: false }
    const { rules: all } = rules([
      rule(),
      rule({ path: '/src/conf', action: 'sync+restart', target: '/etc/web' }),
      rule({ path: '/src/views', action: 'sync+exec', target: '/views', exec }),
      rule({ path: '/src/package.json', action: 'rebuild' }),
      rule({ path: '/src/env', action: 'restart' }),
    ])
    const changed = ['/src/web/b', '/src/web/a', '/src/conf/x', '/src/views/1', '/src/views/2', '/src/package.json']
    const { rebuild, sync, restart, exec: run } = actionsOf(all, [...changed, '/src/elsewhere', '/src/web/a'])
    assert.deepEqual(rebuild, ['web'])
    assert.deepEqual(restart, ['web'])
    assert.equal(run.length, 1)
    assert.deepEqual(
      [...sync].map(([name, files]) => [name, [...files]]),
      [
        [
          'web',
          [
            ['/src/web/a', '/app/a'],
            ['/src/web/b', '/app/b'],
            ['/src/conf/x', '/etc/web/x'],
            ['/src/views/1', '/views/1'],
            ['/src/views/2', '/views/2'],
          ],
        ],
      ],
    )
  })
})
