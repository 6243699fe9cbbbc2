/** One executable with Node, all programs and the native parts in it (Node's single executable applications). */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { bundleProgram } from '../bundle-program.ts'
import type { programs } from '../programs.ts'
import { koffi, native, sha256 } from './tree.ts'

interface Postject {
  inject(file: string, name: string, data: Uint8Array, options: { readonly sentinelFuse: string }): Promise<void>
}

/** Of Node's documentation of single executable applications. */
const sentinelFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

/** What is run out of the executable's own memory. */
const inMemory = ['cli.js', 'keeper.js', 'engine.js', 'redirect.js'] satisfies readonly (typeof programs)[number]['built'][]

/** What is loaded by path, and so unpacked. */
const unpacked = [
  ...native,
  ...koffi,
  'src/cli/start.cjs',
  'src/engine/images/unpack-start.cjs',
  'build/unpack-thread.js',
] as const

export interface OneFile {
  /** The project's. */
  readonly root: string
  /** Of .ci/package/tree.ts, with the code cache of the command line and koffi in it. */
  readonly tree: string
  readonly node: string
  readonly output: string
}

export async function makeOneFile({ root, tree, node, output }: OneFile): Promise<void> {
  const work = `${output}.work`
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work)
  const files = unpacked.map(path => ({
    path,
    mode: /\/(monitor|rootless)$/.test(path) ? 0o755 : 0o644,
    sha256: sha256(readFileSync(join(tree, path))),
  }))
  const caches = ['cli.js']
  const assets = {
    ...Object.fromEntries([...inMemory, 'pages.json'].map(file => [file, join(tree, 'build', file)])),
    ...Object.fromEntries(caches.map(file => [`${file}.cache`, join(tree, 'build', `${file}.cache`)])),
    ...Object.fromEntries(files.map(({ path }) => [path, join(tree, path)])),
  }
  const id = sha256(Buffer.from(JSON.stringify(files))).slice(0, 16)
  writeFileSync(join(work, 'manifest.json'), JSON.stringify({ id, files, caches }))
  // run as a script of its own: `root` is nobody's here
  const { script } = await bundleProgram('src/installation/one-file.ts', root)
  writeFileSync(join(work, 'main.cjs'), `${script.trimEnd()}(require, {}, 'file:///', process.execPath)\n`)
  const config = {
    main: join(work, 'main.cjs'),
    output: join(work, 'blob'),
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: true,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // what a caller's NODE_OPTIONS say is meant for other programs
    execArgvExtension: 'none',
    assets: { ...assets, 'manifest.json': join(work, 'manifest.json') },
  }
  writeFileSync(join(work, 'sea.json'), JSON.stringify(config))
  execFileSync(node, ['--experimental-sea-config', join(work, 'sea.json')], { stdio: ['ignore', 'ignore', 'inherit'] })
  const made = join(work, 'tscompose')
  copyFileSync(node, made)
  chmodSync(made, 0o755)
  // its symbols are of use to nobody who has no sources of it
  execFileSync('strip', ['--strip-all', made])
  const { inject } = createRequire(import.meta.url)('postject') as Postject
  await inject(made, 'NODE_SEA_BLOB', readFileSync(config.output), { sentinelFuse })
  copyFileSync(made, output)
  chmodSync(output, 0o755)
  rmSync(work, { recursive: true })
}
