/** What every package holds: the programs as bundles, the native parts, and the little JavaScript that starts them. */
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bundlePages } from '../bundle-pages.ts'
import { bundleProgram, withHeader } from '../bundle-program.ts'
import { programs } from '../programs.ts'

export const native = ['native/build/monitor', 'native/build/libhost.so', 'native/build/rootless'] as const

/** What a package of files has besides: the launcher that hands commands over, and the stack that whoever waits for them tries first. */
const handedOver = ['native/build/launch', 'examples/hello/compose.yaml'] as const

/** Of koffi what x86-64 needs: its JavaScript is 11 kB, its sources and other machines' modules are not. */
export const koffi = [
  'node_modules/koffi/package.json',
  'node_modules/koffi/LICENSE.txt',
  'node_modules/koffi/index.cjs',
  'node_modules/koffi/src/koffi/index.cjs',
  'node_modules/koffi/src/koffi/src/static.cjs',
  'node_modules/@koromix/koffi-linux-x64/package.json',
  'node_modules/@koromix/koffi-linux-x64/index.js',
  'node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node',
] as const

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly dependencies: Readonly<Record<string, string>>
}

export function manifestOf(root: string): Manifest {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
}

/** Copies `path`, which is below both folders. */
export function place(path: string, from: string, to: string): void {
  const target = join(to, path)
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(join(from, path), target)
}

/** Makes `folder` anew. What its bundles were made of is not there, so they are always fresh. */
export async function makeTree(root: string, folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  for (const path of [...programs.map(({ launcher }) => launcher), ...native, ...handedOver, 'src/cli/tscompose', 'LICENSE', 'README.md', 'CHANGELOG.md'])
    place(path, root, folder)
  chmodSync(join(folder, 'src/cli/tscompose'), 0o755)
  mkdirSync(join(folder, 'build'))
  for (const { built, entry } of programs) {
    const made = await bundleProgram(entry, root)
    const path = join(folder, 'build', built)
    writeFileSync(path, withHeader(made, {}))
    writeFileSync(`${path}.map`, made.map)
  }
  writeFileSync(join(folder, 'build/pages.json'), `//{}\n${(await bundlePages(root)).text}\n`)
  const { name, version, description, license, dependencies } = manifestOf(root)
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify(
      {
        name,
        version,
        description,
        license,
        type: 'module',
        bin: { tscompose: 'src/cli/tscompose' },
        engines: { node: '>=24' },
        os: ['linux'],
        cpu: ['x64'],
        // all else is in the bundles
        dependencies: { koffi: dependencies['koffi'] },
      },
      null,
      2,
    )}\n`,
  )
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
