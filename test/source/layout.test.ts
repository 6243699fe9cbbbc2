/** Who may import whom: the walls of src/README.md, each with its reason, held against the imports as they are. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cycle } from './cycle.ts'
import { walls } from './walls.ts'

const src = fileURLToPath(new URL('../../src', import.meta.url))

/** Inside engine/, upward only. */
const engineWalls: Readonly<Record<string, readonly string[]>> = {
  base: [],
  // programs that live with the engine; what for is theirs to know
  companions: ['base'],
  // a language, read by whoever builds and by `commit --change`
  dockerfile: [],
  images: ['base', 'dockerfile'],
  volumes: ['base'],
  // ids of the host for user namespaces
  users: ['base'],
  dns: ['base'],
  logs: ['base'],
  health: ['base'],
  networks: ['base', 'dns'],
  // of build, what a command of a build is told
  containers: ['base', 'images', 'volumes', 'users', 'dns', 'logs', 'health', 'networks', 'build'],
  build: ['base', 'dockerfile', 'images'],
  buildkit: ['base', 'dockerfile', 'images', 'build'],
}

/** Folders and files that get what they need as arguments, so that a table test covers them. */
const pure = [
  'template',
  'model',
  'graph',
  'plan',
  'targets/engine/plan',
  'targets/swarm/plan',
  'targets/kubernetes/objects',
  'targets/kubernetes/plan',
  'view',
  'audit',
  'drift/heard.ts',
  'drift/deeds.ts',
  'drift/leaves.ts',
  'watch/files.ts',
  'watch/rules.ts',
  'api',
  'runtime/parts',
  'engine/dockerfile',
  'engine/build/dockerfile',
  'engine/networks/ipam.ts',
  'engine/containers/config/restart-policy.ts',
  'engine/containers/state.ts',
  'engine/health/state.ts',
  'engine/logs/records.ts',
]
const inputOutput = new Set(['fs', 'fs/promises', 'net', 'http', 'https', 'child_process', 'dgram', 'tls'])

/** koffi is for one file a process: everything that leaves the JavaScript world is seen there. */
const onlyIn: Readonly<Record<string, readonly string[]>> = {
  koffi: ['runtime/native.ts', 'warm/launchers.ts', 'client/buildkit/context-xattrs.ts'],
}

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(f => /\.tsx?$/.test(f))
const imports: readonly Import[] = files.flatMap(importsOf)

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(src, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
  const found = [
    ...text.matchAll(/^import\s+(type\s)?\s*(?:[\w*{}\s,$]+?\sfrom\s+)?'([^']+)'/gm),
    ...text.matchAll(/^export\s+(type\s)?\s*(?:\*|\{[^}]*\})\s*(?:as\s+\w+\s+)?from\s+'([^']+)'/gm),
    ...text.matchAll(/\b(import)\(\s*'([^']+)'/g),
  ]
  return found.map(m => {
    const specifier = m[2]!
    const to = specifier.startsWith('.') ? relative(src, resolve(src, dirname(file), specifier)) : specifier
    return { from: file, to, typeOnly: m[1]?.trim() === 'type' }
  })
}

const folderOf = (path: string): string => path.split('/')[0]!
const isOurs = (path: string): boolean => /\.tsx?$/.test(path) && files.includes(path)
const isStyle = (path: string): boolean => path.endsWith('.css')
const isBuiltin = (path: string): boolean => path.startsWith('node:') || builtinModules.includes(path)

describe('the walls of src/', () => {
  test('every folder of src/ has a wall', () => {
    const folders = new Set(files.map(folderOf))
    assert.deepEqual([...folders].sort(), walls.map(w => w.folder).sort())
  })

  for (const wall of walls) {
    test(`${wall.folder} imports only what it may, because ${wall.because}`, () => {
      const bad = imports
        .filter(i => folderOf(i.from) === wall.folder)
        .filter(i => {
          if (isOurs(i.to)) return folderOf(i.to) !== wall.folder && !wall.mayImport.includes(folderOf(i.to))
          return !isBuiltin(i.to) && !isStyle(i.to) && !wall.packages.some(p => i.to === p || i.to.startsWith(`${p}/`))
        })
      assert.deepEqual(bad.map(show), [])
    })
  }

  test('engine/ imports upward only: base, then the parts, then containers, then engine.ts', () => {
    const bad = imports
      .filter(i => i.from.startsWith('engine/') && i.to.startsWith('engine/'))
      .filter(i => {
        const from = i.from.split('/')[1]!
        const to = i.to.split('/')[1]!
        // engine.ts builds the parts, settings reads what each of them lets be set
        if (from === to || ['engine.ts', 'main.ts', 'settings'].includes(from)) return false
        // the server is handed the built engine: types only
        if (from === 'server') return !i.typeOnly && to !== 'base'
        return !(engineWalls[from] ?? []).includes(to)
      })
    assert.deepEqual(bad.map(show), [])
  })

  test('targets never import one another, and what plans never what performs', () => {
    const targetOf = (path: string) => /^targets\/([^/.]+)\//.exec(path)?.[1]
    const bad = imports.filter(({ from, to }) => {
      const [one, other] = [targetOf(from), targetOf(to)]
      if (one !== undefined && other !== undefined && one !== other) return true
      return /^targets\/\w+\/plan\//.test(from) && /^(client|apply)\/|^targets\/\w+\/(perform|logs)\//.test(to)
    })
    assert.deepEqual(bad.map(show), [])
  })

  test('verbs of engine/containers/ never import one another', () => {
    const verbs = ['create', 'start', 'stop', 'kill', 'restart', 'remove', 'rename', 'wait', 'pause', 'prune'].map(
      v => `engine/containers/verbs/${v}.ts`,
    )
    assert.deepEqual(imports.filter(i => verbs.includes(i.from) && verbs.includes(i.to)).map(show), [])
  })

  test('there is no cycle, type imports included', () => {
    const edges = new Map<string, string[]>()
    for (const { from, to } of imports) if (isOurs(to)) edges.set(from, [...(edges.get(from) ?? []), to])
    assert.equal(cycle(edges)?.join(' → '), undefined)
  })

  test('pure folders import no I/O module', () => {
    const bad = imports.filter(
      i => pure.some(p => i.from === p || i.from.startsWith(`${p}/`)) && inputOutput.has(i.to.replace(/^node:/, '')),
    )
    assert.deepEqual(bad.map(show), [])
  })

  test('a package that leaves the JavaScript world is loaded by one file', () => {
    assert.deepEqual(imports.filter(i => onlyIn[i.to] && !onlyIn[i.to]!.includes(i.from)).map(show), [])
  })

  test('every relative import names a file that exists, with its extension', () => {
    assert.deepEqual(
      imports.filter(i => !isBuiltin(i.to) && !isStyle(i.to) && /^[./]|\.tsx?$/.test(i.to) && !isOurs(i.to)).map(show),
      [],
    )
  })

  test('built-in modules are imported with node:', () => {
    assert.deepEqual(imports.filter(i => builtinModules.includes(i.to)).map(show), [])
  })

  test('there is no default export and no index file', () => {
    assert.deepEqual(
      files.filter(f => /(^|\/)(index|utils|helpers|types|common)\.ts$/.test(f)),
      [],
    )
    assert.deepEqual(
      files.filter(f => /^export default/m.test(readFileSync(join(src, f), 'utf8'))),
      [],
    )
  })

  test('a lib file has at least two folders that import it', () => {
    const lonely = files
      .filter(f => folderOf(f) === 'lib')
      .filter(
        f => new Set(imports.filter(i => i.to === f && folderOf(i.from) !== 'lib').map(i => folderOf(i.from))).size < 2,
      )
    assert.deepEqual(lonely, [])
  })

  test('a file has at most 400 lines, so that it is about one thing', () => {
    const root = join(src, '..')
    const written = ['src', 'test', 'schemas', 'native', '.ci'].flatMap(folder =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter(file => /\.(ts|tsx|cjs|c|h)$/.test(file) && !/\/node_modules\//.test(file))
        .map(file => join(folder, file)),
    )
    assert.ok(written.length > 500)
    const long = written.filter(file => readFileSync(join(root, file), 'utf8').split('\n').length > 401)
    assert.deepEqual(long, [])
  })

  test('lib stays a shelf, not a warehouse', () => {
    assert.ok(files.filter(f => folderOf(f) === 'lib').length <= 12)
  })
})

function show(i: Import): string {
  return `${i.from} → ${i.to}`
}
