import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contextPaths } from '../../../src/engine/build/context-paths.ts'
import type { NamedContext } from '../../../src/engine/build/request.ts'
import { planned } from './dockerfile/planned.ts'

const named = new Map<string, NamedContext>([['assets', { kind: 'local', name: 'assets' }]])

async function pathsOf(dockerfile: string): Promise<Record<string, readonly string[]>> {
  const plan = await planned(dockerfile, { namedContexts: named })
  return Object.fromEntries(contextPaths(plan))
}

const cases: readonly (readonly [what: string, dockerfile: string, paths: Record<string, readonly string[]>])[] = [
  ['no file at all', 'FROM base:1\nRUN true\nWORKDIR /x\n', {}],
  ['paths of COPY and ADD', 'FROM base:1\nCOPY /src/ b /\nADD ./c/../d.tar /\n', { context: ['b', 'd.tar', 'src'] }],
  ['the same path once', 'FROM base:1\nCOPY a /1\nCOPY ./a /2\n', { context: ['a'] }],
  [
    'wildcards as written',
    'FROM base:1\nCOPY star[*] *.json /\nADD a/?.tar /\n',
    {
      context: ['*.json', 'a/?.tar', 'star[*]'],
    },
  ],
  ['all, whatever else is named', 'FROM base:1\nCOPY a /\nCOPY . /\n', { context: [] }],
  ['all, for a root in other words', 'FROM base:1\nCOPY a/.. /\n', { context: [] }],
  [
    'the way of --parents, past its pivot',
    'FROM base:1\nCOPY --parents src/./lib/**/*.ts /\n',
    {
      context: ['src/lib/**/*.ts'],
    },
  ],
  ['nothing for what stands in the Dockerfile', 'FROM base:1\nCOPY <<EOF /x\nhello\nEOF\n', {}],
  ['nothing for what is fetched', 'FROM base:1\nADD http://127.0.0.1/x /\n', {}],
  [
    'bind mounts of the context',
    'FROM base:1\nRUN --mount=type=bind,source=src,target=/s true\n',
    {
      context: ['src'],
    },
  ],
  ['all, for a bind mount of no path', 'FROM base:1\nRUN --mount=type=bind,target=/s true\n', { context: [] }],
  [
    'each of a named context and of the main one',
    'FROM base:1\nCOPY --from=assets img/a /\nRUN --mount=type=bind,from=assets,source=/b,target=/b true\nCOPY c /\n',
    { assets: ['b', 'img/a'], context: ['c'] },
  ],
  ['all of a named context that is a base', 'FROM assets\nCOPY --from=assets a /\n', { assets: [] }],
  [
    'what a cache mount begins with',
    'FROM base:1\nRUN --mount=type=cache,from=assets,source=c,target=/c true\n',
    {
      assets: ['c'],
    },
  ],
  [
    'no stage that nothing needs',
    'FROM base:1 AS unused\nCOPY huge /\nFROM base:1\nCOPY small /\n',
    {
      context: ['small'],
    },
  ],
  ['nothing of other stages', 'FROM base:1 AS a\nCOPY x /\nFROM base:1\nCOPY --from=a /y /z\n', { context: ['x'] }],
]

for (const [what, dockerfile, paths] of cases)
  test(`a plan reads: ${what}`, async () => assert.deepEqual(await pathsOf(dockerfile), paths))
