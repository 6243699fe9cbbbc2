/** src/cli and all it imports → build/cli.js, one file, src/keeper likewise; does nothing when that is still fresh. See src/cli/start.cjs. */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Plugin } from 'esbuild'

const { built, fresh, headerOf, root, stampOf } = createRequire(import.meta.url)('../src/cli/start.cjs') as {
  readonly built: string
  readonly root: string
  fresh(inputs: Readonly<Record<string, string>>, folder: string): boolean
  headerOf(text: string): { readonly inputs: Readonly<Record<string, string>> }
  stampOf(file: string): string
}

interface Program {
  readonly entry: string
  /** What starts it. */
  readonly launcher: string
  readonly built: string
}

const programs: readonly Program[] = [
  { entry: 'src/cli/main.ts', launcher: 'src/cli/start.cjs', built },
  { entry: 'src/keeper/main.ts', launcher: 'src/keeper/start.cjs', built: join(dirname(built), 'keeper.js') },
]

function isFresh({ built }: Program): boolean {
  try {
    return fresh(headerOf(readFileSync(built, 'latin1')).inputs, root)
  } catch {
    // none yet, or not one of ours
    return false
  }
}

async function bundle({ entry, launcher, built }: Program): Promise<void> {
  const { build } = await import('esbuild')
  // before they are read: what changes meanwhile shows as changed
  const stamps = new Map(
    [
      ...readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map(file => `src/${file}`),
      '.ci/bundle.ts',
      'node_modules/.package-lock.json',
    ].map(file => [file, stampOf(join(root, file))]),
  )
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node24',
    // not ESM: importing a builtin there reads each of its getters, and some of those load half of Node
    format: 'cjs',
    supported: { 'dynamic-import': false },
    define: { 'import.meta.main': 'false' },
    plugins: [ownUrl],
    minifyWhitespace: true,
    minifySyntax: true,
    // a stack trace shows the line it came from
    lineLimit: 160,
    logLevel: 'warning',
  })
  // Read as one byte a character, half the time of utf8: esbuild escapes all that is not ASCII but in regular expressions.
  const code = outputFiles[0]!.text.replace(/[^\0-\x7f]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const files = Object.keys(metafile.inputs).filter(file => stamps.has(file))
  const inputs = Object.fromEntries(
    [...new Set([...files, '.ci/bundle.ts', 'src/cli/start.cjs', launcher, 'node_modules/.package-lock.json'])].map(file => [file, stamps.get(file)]),
  )
  const id = createHash('sha256').update(code).digest('hex').slice(0, 16)
  const text = `//${JSON.stringify({ id, inputs })}\n(function (require, exports, root) { const module = { exports }\n${code}\nObject.assign(exports, module.exports) })\n`
  mkdirSync(dirname(built), { recursive: true })
  const part = `${built}.${process.pid}`
  writeFileSync(part, text)
  renameSync(part, built)
}

/** Each file keeps its own import.meta.url, under wherever the bundle's root is. */
const ownUrl: Plugin = {
  name: 'own-url',
  setup(build) {
    build.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(
        'import.meta.url',
        `(root + ${JSON.stringify(path.slice(root.length + 1))})`,
      ),
      loader: 'ts',
    }))
  },
}

for (const program of programs) if (!isFresh(program)) await bundle(program)
