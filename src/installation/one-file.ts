/**
 * What the one executable runs (Node's single executable applications, whose main script this is, bundled): a program out of its own
 * assets, with its compiled code beside it. Made by .ci/package/one-file.ts.
 */
import { createRequire } from 'node:module'
import { Script } from 'node:vm'
import { Failure, messageOf } from '../lib/failure.ts'
import { programOf } from './programs.ts'
import type { PackedFile } from './unpack.ts'

const { getRawAsset } = process.getBuiltinModule('node:sea')

interface Manifest {
  /** Of all that is inside: another content, another folder. */
  readonly id: string
  readonly files: readonly PackedFile[]
  readonly caches: readonly string[]
}

/** Where files are unpacked: in the engine's data folder, so that nothing is left beside it. Only root has a use for them. */
const place = '/var/lib/tscompose/program'

function bytes(asset: string): Buffer {
  return Buffer.from(getRawAsset(asset))
}

async function run(): Promise<void> {
  const manifest = JSON.parse(bytes('manifest.json').toString()) as Manifest
  const { program, isNamed } = programOf(process.argv[2])
  if (isNamed) process.argv.splice(2, 1)
  const folder = `${place}/${manifest.id}`
  if (program.needsFiles) {
    if (process.getuid?.() !== 0)
      throw new Failure('denied', 'Cannot start the engine: it needs root rights', { hint: 'Run it with sudo' })
    // loaded where it is needed: crypto costs milliseconds
    const { unpack } = await import('./unpack.ts')
    unpack({ folder, files: manifest.files, bytesOf: bytes, uid: 0 })
  }
  for (const flag of program.flags) process.getBuiltinModule('node:v8').setFlagsFromString(flag)
  const cachedData = manifest.caches.includes(program.asset) ? bytes(`${program.asset}.cache`) : undefined
  const filename = `${folder}/${program.asset}`
  const script = new Script(bytes(program.asset).toString('latin1'), {
    filename,
    ...(cachedData && { cachedData }),
  })
  const exports: { start?: () => void } = {}
  const root = `file://${folder}/`
  ;(script.runInThisContext() as (require: unknown, exports: object, root: string, file: string) => void)(
    createRequire(root),
    exports,
    root,
    filename,
  )
  exports.start?.()
}

run().catch(error => {
  process.stderr.write(`tscompose: ${messageOf(error)}\n`)
  if (error instanceof Failure && error.hint) process.stderr.write(`  ${error.hint}\n`)
  process.exitCode = 1
})
